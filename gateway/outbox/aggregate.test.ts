import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricOf } from '#domain/metric.js';
import type { Reason } from '#domain/quality.js';
import type { OutboxSample } from '../ports.js';
import { aggregateRecords, minuteOf, type PlainRecord } from './aggregate.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const gauge = (at: number, value: number | null, reason: Reason = 'good'): OutboxSample => ({
  device: 'meter',
  metric: 'ac.voltage',
  value,
  reason,
  at,
});
const record = (seq: number, at: number, samples: readonly OutboxSample[], key = 'a'): PlainRecord => ({
  seq,
  key,
  at,
  samples,
});
/** The first of a metric is never touched: this is one. */
const before = record(1, NOON - 60_000, [gauge(NOON - 60_000, 1)]);
const meansOf = (records: readonly PlainRecord[]) =>
  aggregateRecords([before, ...records], 1000).flatMap((made) =>
    made.record.samples.map(({ value, reason, at }) => [value, reason, at - NOON]),
  );

describe('records that come together', () => {
  test('a gauge becomes its mean, weighted by how long each value stood', () => {
    const records = [record(2, NOON, [gauge(NOON, 10)]), record(3, NOON + 45_000, [gauge(NOON + 45_000, 20)])];
    expect(meansOf(records)).toEqual([[12.5, 'aggregated', 45_000]]);
    expect(aggregateRecords([before, ...records], 1000)[0]).toMatchObject({ replaces: [2, 3], samples: 2 });
  });

  test('a value that is not good stays, and the first good one after it too', () => {
    const at = (i: number) => NOON + i * 10_000;
    const samples = [gauge(at(0), 1), gauge(at(1), 3), gauge(at(2), null, 'timeout'), gauge(at(3), 7), gauge(at(4), 8)];
    expect(meansOf(samples.map((sample, i) => record(i + 2, at(i), [sample])))).toEqual([
      [2, 'aggregated', 10_000],
      [null, 'timeout', 20_000],
      [7, 'good', 30_000],
      [8, 'good', 40_000],
    ]);
  });

  test('nothing crosses a minute, an epoch, a boot or the connection’s end', () => {
    const two = (key: string, later: number) => [
      record(2, NOON, [gauge(NOON, 10)]),
      record(3, NOON + later, [gauge(NOON + later, 20)], key),
    ];
    expect(meansOf(two('b', 10_000))).toEqual([]);
    expect(meansOf(two('a', 60_000))).toEqual([]);
    expect(meansOf(two('a', 10_000))).toHaveLength(1);
  });

  test('no record grows past what fits into a payload', () => {
    const records = Array.from({ length: 6 }, (_, i) =>
      record(
        i + 2,
        NOON + i * 10_000,
        Array.from({ length: 4 }, (_, k) => ({ ...gauge(NOON + i * 10_000, i), metric: `ac.l${(k % 3) + 1}.voltage` })),
      ),
    );
    for (const { replaces } of aggregateRecords(records, 12)) expect(replaces.length).toBeLessThanOrEqual(3);
  });

  test('whatever they are: counts are kept, means lie within, and all else is bit for bit what it was', () => {
    const sample = fc.record({
      metric: fc.constantFrom('ac.voltage', 'ac.power', 'ac.energyImport', 'inverter.state'),
      value: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
      reason: fc.constantFrom<Reason>('good', 'good', 'good', 'stale', 'timeout', 'aggregated'),
    });
    const poll = fc.record({
      device: fc.constantFrom('meter', 'pump'),
      key: fc.constantFrom('a', 'a', 'b'),
      stepMs: fc.integer({ min: 1, max: 40_000 }),
      samples: fc.uniqueArray(sample, { minLength: 1, maxLength: 4, selector: ({ metric }) => metric }),
    });
    fc.assert(
      fc.property(fc.array(poll, { maxLength: 60 }), (polls) => {
        let at = NOON;
        const records = polls.map(({ device, key, stepMs, samples }, i) => {
          at += stepMs;
          const own = samples.map(({ metric, value, reason }): OutboxSample => {
            if (metric === 'inverter.state') return { device, metric, value: 'on', reason, at };
            return { device, metric, value: reason === 'timeout' ? null : value, reason, at };
          });
          return record(i + 1, at, own, key);
        });
        const made = aggregateRecords(records, 1000);
        const replaced = new Set(made.flatMap(({ replaces }) => replaces));
        expect(replaced.size).toBe(made.flatMap(({ replaces }) => replaces).length);
        for (const { replaces, record: kept, samples } of made) {
          const originals = records.filter(({ seq }) => replaces.includes(seq));
          expect(kept.seq).toBe(Math.max(...replaces));
          expect(new Set(originals.map(({ key }) => key)).size).toBe(1);
          const old = originals.flatMap((original) => original.samples);
          const isNew = (one: OutboxSample) => !old.includes(one);
          const means = kept.samples.filter(isNew);
          expect(kept.samples.length - means.length + samples).toBe(old.length);
          const gone = old.filter((one) => !kept.samples.includes(one));
          expect(gone).toHaveLength(samples);
          for (const one of gone) {
            expect(one.reason).toBe('good');
            expect(metricOf(one.metric)?.kind).toBe('gauge');
          }
          for (const mean of means) {
            expect(mean.reason).toBe('aggregated');
            const stood = gone.filter(({ metric }) => metric === mean.metric);
            const values = stood.map(({ value }) => Number(value));
            expect(Number(mean.value)).toBeGreaterThanOrEqual(Math.min(...values));
            expect(Number(mean.value)).toBeLessThanOrEqual(Math.max(...values));
            expect(stood.some((one) => one.at === mean.at)).toBe(true);
            expect(new Set(stood.map((one) => minuteOf(one.at))).size).toBe(1);
          }
          const times = kept.samples.map(({ metric, at: time }) => `${metric} ${time}`);
          expect(new Set(times).size).toBe(times.length);
        }
      }),
    );
  });
});
