// A database that asks who is there, and one behind TLS.
import { readFileSync } from 'node:fs';
import { InfluxDB } from 'influx';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningInflux, startInflux, TLS_AUTHORITY } from '#tests/support/influx.js';
import type { Point } from '../ports.js';
import { createInfluxStore } from './influx-store.js';

const point: Point = { post: 'langar', device: 'i', metric: 'pv.power', at: Date.now(), value: 7, code: 0 };
const keeping = { rawDays: 400, quarterYears: 10 };
let influx: RunningInflux;

describe('a database that asks for a user', () => {
  const administrator = { username: 'root', password: 'öffne & 100%' };
  const writer = { username: 'oftob', password: 'p@ss:w/rd' };
  let root: InfluxDB;

  beforeAll(async () => {
    influx = await startInflux({ auth: true });
    const address = { host: '127.0.0.1', port: influx.port };
    await new InfluxDB(address).createUser(administrator.username, administrator.password, true);
    root = new InfluxDB({ ...address, ...administrator });
    await root.createUser(writer.username, writer.password);
  }, 60_000);
  afterAll(async () => influx.stop());

  test('nobody, a wrong password: told what to correct', async () => {
    for (const who of [{}, { username: 'root', password: 'wrong' }]) {
      const store = createInfluxStore({ url: influx.url, database: 'oftob', ...who });
      expect(await store.write([point])).toMatchObject({
        ok: false,
        fault: {
          code: 'STORE_UNAVAILABLE',
          message: expect.stringMatching(/(unable to parse authentication|authorization failed).*store\.url$/),
        },
      });
      await store.close();
    }
  });

  test('an administrator: database and policies are made', async () => {
    const store = createInfluxStore({ url: influx.url, database: 'made', keeping, ...administrator });
    expect(await store.write([point])).toEqual({ ok: true, value: [] });
    expect(await store.latest('langar')).toMatchObject({ ok: true, value: [{ value: 7 }] });
    await store.close();
  });

  test('a user of one database: told which policies an administrator has to make, and content once they are', async () => {
    await root.createDatabase('theirs');
    await root.query(`GRANT ALL ON theirs TO ${writer.username}`, { database: 'theirs' });
    const store = createInfluxStore({ url: influx.url, database: 'theirs', keeping, ...writer });
    let statement = '';
    for (let made = 0; made < 3; made += 1) {
      const refused = await store.write([point]);
      statement = (!refused.ok && /run: (CREATE .*h) \(or/.exec(refused.fault.message)?.[1]) || '';
      expect(statement).toContain('CREATE RETENTION POLICY "oftob_');
      await root.query(statement, { database: 'theirs' });
    }
    expect(await store.write([point])).toEqual({ ok: true, value: [] });
    await store.close();
  });

  test('the same without policies: everything is in the one that the database has', async () => {
    await root.createDatabase('plain');
    await root.query(`GRANT ALL ON plain TO ${writer.username}`, { database: 'plain' });
    const store = createInfluxStore({ url: influx.url, database: 'plain', ...writer });
    expect(await store.write([point])).toEqual({ ok: true, value: [] });
    expect((await root.query('SELECT * FROM autogen.telemetry', { database: 'plain' })).length).toBe(1);
    await store.close();
  });
});

describe('a database behind TLS', () => {
  beforeAll(async () => {
    influx = await startInflux({ tls: true });
  }, 60_000);
  afterAll(async () => influx.stop());

  test('is written and read where its authority is known, and refused where not, with what to do', async () => {
    const ca = readFileSync(TLS_AUTHORITY, 'utf8');
    const store = createInfluxStore({ url: influx.url, database: 'tls', ca, keeping });
    expect(await store.write([point])).toEqual({ ok: true, value: [] });
    expect(await store.read(point, 0, point.at + 1)).toEqual({ ok: true, value: [point] });
    await store.close();
    const stranger = createInfluxStore({ url: influx.url, database: 'tls', keeping });
    expect(await stranger.write([point])).toMatchObject({
      ok: false,
      fault: { code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/certificate.*store\.caFile$/) },
    });
    await stranger.close();
  });
});
