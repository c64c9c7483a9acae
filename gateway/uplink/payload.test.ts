import { expect, test } from 'vitest';
import { decodeData } from '#contract/data.js';
import { parseBirth } from '#contract/session.js';
import type { OutboxRecord } from '../ports.js';
import { catalogueOf, makeBirth } from './birth.js';
import { cutPayload, PAYLOAD_BYTES, PAYLOAD_BYTES_MAX } from './payload.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const meter = { id: 'meter', kind: 'meter' as const, pollPeriodMs: 10_000 };
const metric = (name: string, device = 'meter') => ({
  device,
  metric: name,
  kind: 'gauge' as const,
  unit: 'W' as const,
  pollPeriodMs: 10_000,
  heartbeatS: 300,
});
const facts = {
  version: '1',
  publicKey: 'key',
  epoch: '00112233445566aa',
  start: 1,
  batchPeriodMs: 60_000,
  devices: [meter],
  metrics: [metric('load.power'), metric('load.l1.power')],
};
const birth = makeBirth(facts, [], { number: 7, at: NOON, clock: 'synchronised' });
const record = (id: number, count = 1, name = 'load.power'): OutboxRecord => ({
  epoch: '0123456789abcdef',
  id,
  offline: false,
  at: NOON,
  samples: Array.from({ length: count }, (_, i) => ({
    device: 'meter',
    metric: name,
    value: Math.sin(id * 7919 + i) * 1e4,
    reason: 'good' as const,
    at: NOON + id * 1e6 + i * 7,
  })),
});

test('a payload has the indexes of its birth and the records that it holds', () => {
  const { payload, refused } = cutPayload([record(3), record(4, 2, 'load.l1.power')], birth, true);
  const decoded = decodeData(payload!.bytes);
  expect(decoded).toMatchObject({ ok: true, value: { birth: 7, first: 3, last: 4, historical: true } });
  expect(decoded.ok && decoded.value.samples.map(({ record: id, index }) => [id, index])).toEqual([
    [3, 0],
    [4, 1],
    [4, 1],
  ]);
  expect([payload!.ids, refused]).toEqual([[3, 4], []]);
});

test('records are never cut in two; a payload is, between them, well below what a broker lets through', () => {
  const records = Array.from({ length: 40 }, (_, i) => record(i + 1, 200));
  let left = records;
  const ids: number[] = [];
  while (left.length > 0) {
    const { payload } = cutPayload(left, birth, false);
    expect(payload!.bytes.length).toBeLessThanOrEqual(PAYLOAD_BYTES);
    ids.push(...payload!.ids);
    left = left.slice(payload!.ids.length);
  }
  expect(ids).toEqual(records.map(({ id }) => id));
});

test('one record may be large alone; what no broker would let through is refused, and the others go', () => {
  const large = record(1, 5_000);
  expect(cutPayload([large, record(2)], birth, false).payload?.ids).toEqual([1]);
  const monster = cutPayload([record(1, 60_000), record(2)], birth, false);
  expect(monster.payload).toBeUndefined();
  expect(monster.refused).toEqual([{ id: 1, code: 'OUTBOX_RECORD_TOO_LARGE' }]);
  expect(PAYLOAD_BYTES_MAX).toBeLessThan(256 * 1024);
});

test('a record of a metric that nobody knows any more is refused, and the others go', () => {
  const { payload, refused } = cutPayload([record(1, 1, 'pv.power'), record(2)], birth, false);
  expect([payload?.ids, refused]).toEqual([[2], [{ id: 1, code: 'OUTBOX_METRIC_UNKNOWN' }]]);
});

test('a birth tells retired metrics with their device as long as it is given them', () => {
  const old = { devices: [{ ...meter, id: 'old' }], metrics: [metric('pv.power', 'old')] };
  const both = makeBirth(facts, catalogueOf(old), { number: 8, at: NOON, clock: 'unknown' });
  const read = parseBirth(both.bytes);
  if (!read.ok) throw new Error(JSON.stringify(read.fault));
  const message = read.value;
  expect(message.devices.map(({ id }) => id)).toEqual(['old', 'meter']);
  expect(message.metrics.at(-1)).toMatchObject({ index: 2, device: 'old', metric: 'pv.power', retired: true });
  expect([both.indexOf('old', 'pv.power'), both.indexOf('old', 'load.power')]).toEqual([2, undefined]);
});

test('a birth that no broker would let through says so', () => {
  const many = { ...facts, metrics: Array.from({ length: 40_000 }, (_, i) => metric(`m${i}.power`)) };
  expect(makeBirth(many, [], { number: 1, at: 0, clock: 'unknown' }).fits).toBe(false);
  expect(birth.fits).toBe(true);
});
