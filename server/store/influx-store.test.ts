import { InfluxDB } from 'influx';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningInflux, startInflux } from '#tests/support/influx.js';
import type { Point } from '../ports.js';
import { createInfluxStore } from './influx-store.js';

const T0 = Date.UTC(2026, 0, 15);
let influx: RunningInflux;

beforeAll(async () => {
  influx = await startInflux();
}, 60_000);
afterAll(async () => influx.stop());

function point(metric: string, at: number, value: Point['value']): Point {
  return { post: 'langar', device: 'inverter', metric, at, value, code: 0 };
}

test('fields that a stranger has written with another type cost their own points, not those of their line or batch', async () => {
  const stranger = new InfluxDB({ host: '127.0.0.1', port: influx.port, database: 'strange' });
  await stranger.createDatabase('strange');
  await stranger.writePoints(
    [
      {
        measurement: 'telemetry',
        tags: { post: 'x' },
        fields: { 'battery.soc': 'full', 'pump.state': 3 },
        timestamp: T0,
      },
    ],
    { precision: 'ms' },
  );
  const store = createInfluxStore({ url: influx.url, database: 'strange' });
  const points = [
    point('battery.soc', T0, 50),
    point('battery.voltage', T0, 52),
    point('pump.state', T0 + 1, 'running'),
    point('pump.frequency', T0 + 1, 49),
    point('battery.soc', T0 + 2, 51),
    point('pv.power', T0 + 3, 7),
  ];
  expect(await store.write(points)).toEqual({
    ok: true,
    value: [0, 2, 4].map((index) => ({ index, code: 'STORE_TYPE' })),
  });
  const latest = await store.latest('langar');
  expect(
    latest.ok &&
      latest.value
        .filter(({ value }) => value !== null)
        .map(({ metric }) => metric)
        .sort(),
  ).toEqual(['battery.voltage', 'pump.frequency', 'pv.power']);
  expect(store.counters()).toMatchObject({ storePartialWrites: 2, storePointsRefused: 3, storePoints: 3 });
});

test('points beyond the retention policy are found and refused by their time', async () => {
  const other = new InfluxDB({ host: '127.0.0.1', port: influx.port });
  await other.createDatabase('short');
  await other.createRetentionPolicy('week', { duration: '168h', replication: 1, isDefault: true, database: 'short' });
  const store = createInfluxStore({ url: influx.url, database: 'short' });
  const old = Date.UTC(2001, 0);
  const now = Math.floor(performance.timeOrigin);
  const points = [point('pv.power', now, 1), point('pv.power', old, 2), point('pv.power', now + 1, 3)];
  expect(await store.write(points)).toEqual({ ok: true, value: [{ index: 1, code: 'STORE_TIME' }] });
  const read = await store.read(points[0]!, 0, now + 10);
  expect(read.ok && read.value.map(({ value }) => value)).toEqual([1, 3]);
});

test('a database that is dropped behind its back is created again', async () => {
  const store = createInfluxStore({ url: influx.url, database: 'dropped' });
  expect(await store.write([point('pv.power', T0, 1)])).toMatchObject({ ok: true });
  await new InfluxDB({ host: '127.0.0.1', port: influx.port }).dropDatabase('dropped');
  expect(await store.write([point('pv.power', T0, 1)])).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNAVAILABLE' },
  });
  expect(await store.write([point('pv.power', T0, 1)])).toEqual({ ok: true, value: [] });
});

test('nobody at the address: one fault with the address in it', async () => {
  const store = createInfluxStore({ url: 'http://127.0.0.1:1', database: 'x' });
  expect(await store.write([point('pv.power', T0, 1)])).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNAVAILABLE', message: expect.stringMatching(/127\.0\.0\.1:1: .*ECONNREFUSED/) },
  });
});
