import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CounterSpec, EMPTY_CHAIN, followCounter } from './counter.js';
import type { CounterEvent } from './counter-event.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

function totalOf(values: readonly (readonly [number, number])[], spec: CounterSpec): [number, boolean] {
  let chain = EMPTY_CHAIN;
  let [total, estimated] = [0, false];
  for (const [at, value] of values) {
    const followed = followCounter(chain, { at, value }, spec);
    chain = followed.chain;
    total += followed.step?.increase ?? 0;
    estimated ||= followed.step?.estimated ?? false;
  }
  return [total, estimated];
}

const swap = (at: number, closing: number | null, opening: number): CounterEvent => ({
  at,
  kind: 'swap',
  closing,
  opening,
});

test('a swap counts the old meter to its last reading and the new one from its first', () => {
  const values = [
    [0, 99_800],
    [MINUTE, 99_810],
    [10 * MINUTE, 5],
    [11 * MINUTE, 8],
  ] as const;
  expect(totalOf(values, { events: [swap(5 * MINUTE, 99_812, 3)] })).toEqual([17, false]);
  // What nobody read is not known.
  expect(totalOf(values, { events: [swap(5 * MINUTE, null, 3)] })).toEqual([15, true]);
  expect(totalOf(values, {})[1]).toBe(true);
});

test('a new meter that shows more than the old one is a swap too', () => {
  const values = [
    [0, 100],
    [10 * MINUTE, 50_002],
  ] as const;
  expect(totalOf(values, { events: [swap(5 * MINUTE, 101, 50_000)] })).toEqual([3, false]);
});

test('an event at the wrong time of the day never counts the difference of the meters', () => {
  const values = Array.from({ length: 20 }, (_, i) => [i * MINUTE, i < 10 ? 99_800 + i : i - 10] as const);
  for (let at = 0; at < 20 * MINUTE; at += 30_000) {
    const [total, estimated] = totalOf(values, { events: [swap(at, 99_809, 0)] });
    expect(total).toBeLessThanOrEqual(19);
    expect(total === 18 || estimated).toBe(true);
  }
});

test('the events of a long outage are all counted', () => {
  const values = [
    [0, 4000],
    [300 * DAY, 20],
  ] as const;
  const events = [swap(100 * DAY, 9999, 0), swap(200 * DAY, 600, 10)];
  expect(totalOf(values, { events })).toEqual([5999 + 600 + 10, false]);
});

test('any number of swaps, each told, leaves the total right to the last digit', () => {
  const meters = fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 1e9 }),
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 9 }),
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(meters, (swaps) => {
      const [values, events]: [[number, number][], CounterEvent[]] = [[], []];
      let [at, truth] = [0, 0];
      let register: number | undefined;
      for (const [opening, steps] of swaps) {
        // Two days without readings around each swap: no reading speaks against its time.
        at += 2 * DAY;
        if (register !== undefined) events.push(swap(at, register + 7, opening));
        if (register !== undefined) truth += 7;
        at += 2 * DAY;
        register = opening;
        values.push([at, register]);
        for (const step of steps) {
          at += MINUTE;
          register += step;
          truth += step;
          values.push([at, register]);
        }
      }
      expect(totalOf(values, { events })).toEqual([truth, false]);
    }),
  );
});
