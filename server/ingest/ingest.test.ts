import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Birth, BirthMetric } from '#contract/session.js';
import { indexBirth, type Lot, placePayload, rangesOf, receiptsFor } from './ingest.js';

const metric = (index: number, name: string, more: Partial<BirthMetric> = {}): BirthMetric => ({
  index,
  device: 'meter',
  metric: name,
  kind: 'gauge',
  pollPeriodMs: 1000,
  heartbeatS: 600,
  ...more,
});

function birthOf(metrics: BirthMetric[]): Birth {
  return {
    birth: 3,
    at: 0,
    clock: 'synchronised',
    gateway: { version: '0.1.0', publicKey: '', epoch: '00112233445566aa', start: 1 },
    batchPeriodMs: 60_000,
    devices: [{ id: 'meter', kind: 'meter', pollPeriodMs: 1000 }],
    metrics,
  };
}

test('a birth whose metrics contradict each other is refused with the reason', () => {
  const wrong = (metrics: BirthMetric[]): unknown => {
    const index = indexBirth(birthOf(metrics));
    return index.ok ? 'taken' : index.fault;
  };
  expect(wrong([metric(0, 'ac.power'), metric(1, 'ac.energyImport')])).toBe('taken');
  expect(wrong([metric(0, 'ac.power'), metric(0, 'ac.voltage')])).toBe('two metrics have the index 0');
  expect(wrong([metric(0, 'ac.power'), metric(1, 'ac.power')])).toBe('meter/ac.power is there twice');
  expect(wrong([metric(0, 'ac.power', { device: 'ghost' })])).toBe('ghost/ac.power is of a device that is not there');
  expect(wrong([metric(0, 'ac "power"')])).toContain('no name of a metric');
});

test('samples become points by their birth; what cannot be is refused with its record', () => {
  const index = indexBirth(birthOf([metric(0, 'ac.power'), metric(7, 'pump.state', { kind: 'state' })]));
  if (!index.ok) throw new Error(index.fault);
  const samples = [
    { record: 5, index: 0, at: 1000, value: 12.5, code: 0 },
    { record: 5, index: 7, at: 1000, value: 'running', code: 0 },
    { record: 6, index: 0, at: 2000, value: null, code: 33 },
    { record: 7, index: 0, at: 3000, value: 'high', code: 0 },
    { record: 8, index: 7, at: 3000, value: 4, code: 0 },
    { record: 9, index: 1, at: 3000, value: 4, code: 0 },
  ];
  const epoch = '0123456789abcdef';
  const lot = placePayload(
    'langar',
    { birth: 3, epoch, first: 5, last: 9, historical: false, samples },
    index.value.metrics,
  );
  expect(lot.points).toEqual([
    { post: 'langar', device: 'meter', metric: 'ac.power', at: 1000, value: 12.5, code: 0 },
    { post: 'langar', device: 'meter', metric: 'pump.state', at: 1000, value: 'running', code: 0 },
    { post: 'langar', device: 'meter', metric: 'ac.power', at: 2000, value: null, code: 33 },
  ]);
  expect(lot.records).toEqual([5, 5, 6]);
  expect(lot.refused.map(({ record, code }) => [record, code])).toEqual([
    [7, 'INGEST_TYPE'],
    [8, 'INGEST_TYPE'],
    [9, 'INGEST_METRIC_UNKNOWN'],
  ]);
});

test('ranges hold exactly the ids that went in, and no two of them touch', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60)), (ids) => {
      const ranges = rangesOf(ids);
      const back = ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
      expect(back).toEqual([...new Set(ids)].sort((a, b) => a - b));
      for (const [i, [first]] of ranges.entries()) if (i > 0) expect(first).toBeGreaterThan(ranges[i - 1]![1] + 1);
    }),
  );
});

test('a record of which one sample is refused is told as refused only', () => {
  const lot = { records: [1, 1, 2, 3], points: [], refused: [] } as unknown as Lot;
  expect(receiptsFor('e', [lot], [{ record: 2, code: 'STORE_TYPE' }])).toEqual([
    {
      epoch: 'e',
      stored: [
        [1, 1],
        [3, 3],
      ],
      refused: [{ id: 2, code: 'STORE_TYPE' }],
    },
  ]);
});

test('many holes take several receipts, and nothing is left out', () => {
  const records = Array.from({ length: 9000 }, (_, i) => i * 2);
  const receipts = receiptsFor('e', [{ records } as unknown as Lot], []);
  expect(receipts.length).toBeGreaterThan(1);
  expect(receipts.flatMap(({ stored }) => stored.map(([first]) => first))).toEqual(records);
  for (const receipt of receipts) expect(JSON.stringify(receipt).length).toBeLessThan(100_000);
});
