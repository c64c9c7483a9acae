import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rollUpSeries } from '#domain/series-rollup.js';
import { specOf } from './series-spec.js';

const T0 = Date.UTC(2025, 0);
const HOUR_MS = 3_600_000;

/** What a year of hourly readings adds up to, as the server rolls it up. */
function yearOf(metric: string, values: readonly number[]): { increase: number | null; estimated: boolean } {
  const spec = specOf(undefined, { device: 'meter-1', metric }, []);
  if (spec === undefined) throw new Error('unknown');
  const columns = { times: values.map((_, i) => T0 + i * HOUR_MS), values, codes: values.map(() => 0) };
  const to = T0 + values.length * HOUR_MS;
  const { windows } = rollUpSeries(columns, { ...spec, from: T0, to, bucketMs: to - T0, expectedEveryMs: HOUR_MS });
  const [window] = windows;
  if (window?.kind !== 'counter') throw new Error('no counter');
  return { increase: window.increase, estimated: window.estimated };
}

const steps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 200, maxLength: 500 });

test('a reading that no post can reach adds nothing, wherever it comes, and the year is right to the last digit', () => {
  const far = fc.oneof(fc.integer({ min: 10_000_000, max: 2 ** 40 }), fc.constantFrom(2 ** 32, 1e15));
  fc.assert(
    fc.property(steps, fc.nat(), far, fc.constantFrom('load.energy', 'pv.energy'), (made, place, jump, metric) => {
      let total = 5_000_000;
      const values = [total, ...made.map((step) => (total += step))];
      const spoilt = [...values];
      const at = 1 + (place % (made.length - 5));
      spoilt[at] = (spoilt[at] ?? 0) + jump;
      expect(yearOf(metric, spoilt).increase).toBe(total - 5_000_000);
    }),
    { numRuns: 100 },
  );
});

test('a register that stays where no post can reach is followed from there on, and the year is told to be more perhaps', () => {
  const values = Array.from({ length: 100 }, (_, i) => 1_000_000 + i * 100 + (i >= 50 ? 1e12 : 0));
  expect(yearOf('load.energy', values)).toEqual({ increase: 98 * 100, estimated: true });
});

test('a coarse register may step by its coarsest digit', () => {
  const values = Array.from({ length: 100 }, (_, i) => 9_000_000_000 + Math.floor(i / 30) * 1_000_000);
  expect(yearOf('load.energy', values)).toEqual({ increase: 3_000_000, estimated: false });
  const water = Array.from({ length: 100 }, (_, i) => 90_000 + Math.floor(i / 30) * 100);
  expect(yearOf('water.volume', water)).toEqual({ increase: 300, estimated: false });
});
