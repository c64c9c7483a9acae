import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InfluxDB } from 'influx';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningInflux, startInflux } from '#tests/support/influx.js';
import { createMemoryStore } from '#tests/support/memory-store.js';
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

test('points that are older than the policy keeps are refused by their time, in one request, and all others stay', async () => {
  const warned: object[] = [];
  const keeping = { rawDays: 40, quarterYears: 1 };
  const log = { warn: (fields: object) => void warned.push(fields) };
  const store = createInfluxStore({ url: influx.url, database: 'short', keeping, log });
  const now = Math.floor(performance.timeOrigin);
  const points = Array.from({ length: 400 }, (_, i) =>
    point(i % 3 === 0 ? 'pv.power' : 'battery.soc', now - (i % 4 === 0 ? 50 : 1) * 86_400_000 + (i >> 1), i),
  );
  const old = points.flatMap(({ at }, index) => (at < now - 45 * 86_400_000 ? [{ index, code: 'STORE_TIME' }] : []));
  expect(old.length).toBe(100);
  expect(await store.write(points)).toEqual({ ok: true, value: old });
  const read = await store.read(points[3]!, 0, now + 1000);
  expect(read.ok && read.value.length).toBe(
    points.filter(({ metric }, i) => metric === 'pv.power' && i % 4 !== 0).length,
  );
  expect(store.counters()).toMatchObject({ storePartialWrites: 1, storePointsRefused: 100 });
  expect(warned).toMatchObject([{ code: 'STORE_TIME', points: 100 }]);
});

test('the policies are made as the configuration says, and follow it when it changes', async () => {
  const show = async (): Promise<string[]> => {
    const policies = await new InfluxDB({ host: '127.0.0.1', port: influx.port }).showRetentionPolicies('kept');
    return policies.map(({ name, duration }) => `${name} ${duration}`).sort();
  };
  const first = createInfluxStore({ url: influx.url, database: 'kept', keeping: { rawDays: 400, quarterYears: 10 } });
  expect(await first.write([point('pv.power', T0, 1)])).toEqual({ ok: true, value: [] });
  expect(await show()).toEqual(['autogen 0s', 'oftob_forever 0s', 'oftob_quarter 87660h0m0s', 'oftob_raw 9600h0m0s']);
  const second = createInfluxStore({ url: influx.url, database: 'kept', keeping: { rawDays: 800, quarterYears: 3 } });
  expect(await second.latest('langar')).toMatchObject({ ok: true, value: [{ value: 1 }] });
  expect(await show()).toEqual(['autogen 0s', 'oftob_forever 0s', 'oftob_quarter 26298h0m0s', 'oftob_raw 19200h0m0s']);
});

test('what was refused is told once for each field, with the reason of InfluxDB', async () => {
  const other = new InfluxDB({ host: '127.0.0.1', port: influx.port, database: 'told' });
  await other.createDatabase('told');
  const fields = { 'battery.soc': 'full' };
  await other.writePoints([{ measurement: 'telemetry', fields, timestamp: T0 }], { precision: 'ms' });
  const warned: object[] = [];
  const log = { warn: (told: object) => void warned.push(told) };
  const store = createInfluxStore({ url: influx.url, database: 'told', log });
  for (const at of [T0, T0 + 1]) await store.write([point('battery.soc', at, 1), point('pv.power', at, 2)]);
  expect(warned).toMatchObject([
    { code: 'STORE_TYPE', metric: 'battery.soc', post: 'langar', reason: expect.stringContaining('is type float') },
  ]);
  expect(store.counters()).toMatchObject({ storePartialWrites: 2, storePointsRefused: 2, storePoints: 2 });
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
    fault: {
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1: .*ECONNREFUSED.*; start it, or correct store\.url$/),
    },
  });
});

test('rolls up several series of a device at once, page after page, as a store in memory does', async () => {
  const series = ['pv.power', 'load.energy', 'pump.state'].map((metric) => ({ post: 'p', device: 'd', metric }));
  const points: Point[] = [];
  for (let i = 0; i < 16_000; i += 1) {
    const at = T0 + i * 10_000;
    const gap = i % 1000 > 970;
    const rows = [50 + (i % 977), Math.floor(i / 7), i % 500 < 90 ? 'running' : 'stopped'];
    series.forEach((one, n) => {
      if ((i + n) % (n + 2) !== 0 || (gap && i % 1000 > 972)) return;
      points.push({ ...one, at, value: gap ? null : (rows[n] ?? null), code: gap ? 33 : i % 333 === 0 ? 3 : 0 });
    });
  }
  const store = createInfluxStore({ url: influx.url, database: 'rolled' });
  const memory = createMemoryStore();
  for (const one of [store, memory]) expect(await one.write(points)).toEqual({ ok: true, value: [] });
  const kinds = ['gauge', 'counter', 'state'] as const;
  const questions = series.map((one, n) => ({
    series: one,
    kind: kinds[n] ?? 'gauge',
    from: T0 + 900_000,
    to: T0 + 140_000_000,
    bucketMs: 900_000,
    expectedEveryMs: 60_000,
    withGaps: n !== 1,
    ...(n === 1 && { counter: {} }),
  }));
  const rolled = await store.rollUp(questions);
  expect(rolled).toEqual(await memory.rollUp(questions));
  expect(rolled.ok && rolled.value.map(({ gaps, windows }) => [windows.length > 100, gaps.length > 5])).toEqual([
    [true, true],
    [true, false],
    [true, true],
  ]);
  await store.close();
});

test('a database that ends in the middle of an answer is a fault, and nobody waits for the rest', async () => {
  const dying = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
    response.write('{"results":[', () => response.destroy());
  });
  await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve));
  const { port } = dying.address() as AddressInfo;
  const store = createInfluxStore({ url: `http://127.0.0.1:${port}`, database: 'x', requestTimeoutMs: 200 });
  expect(await store.latest('langar')).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('did not come whole') },
  });
  await store.close();
  dying.close();
});
