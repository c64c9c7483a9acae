import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CounterReading, type CounterSpec, counterStep, EMPTY_CHAIN, followCounter } from './counter.js';

const MINUTE_MS = 60_000;
/** 3.6 m³/h at the most: 1 L/s. Minutely readings of a meter in litres. */
const litres: CounterSpec = { ratePerSMax: 1, resolution: 0.1, modulus: 100_000 };

const step = (previous: number, current: number, spec: CounterSpec, elapsedMs = MINUTE_MS) =>
  counterStep({ value: previous, at: 0 }, { value: current, at: elapsedMs }, spec);

describe('one step of a counter', () => {
  test.each([
    ['stands still', 500, 500, 'normal', 0, false],
    ['rises', 500, 530, 'normal', 30, false],
    ['rises as fast as it can, with a fifth more', 500, 572, 'normal', 72, false],
    ['rises faster than the plant can', 500, 573, 'tooFast', 0, true],
    ['rolls over', 99_990, 20, 'rollover', 30, false],
    ['rolls over exactly to zero', 99_990, 0, 'rollover', 10, false],
    ['starts again from zero', 50_000, 7, 'reset', 7, true],
    ['falls to a value that nothing explains', 50_000, 40_000, 'backward', 0, true],
    ['dances on its last digit', 500, 499.9, 'backward', 0, false],
  ] as const)('%s: %d → %d', (_name, previous, current, kind, increase, estimated) => {
    expect(step(previous, current, litres)).toEqual({ kind, increase, estimated });
  });

  test('after an outage may be as large as the outage was long', () => {
    expect(step(500, 4100, litres).kind).toBe('tooFast');
    expect(step(500, 4100, litres, 60 * MINUTE_MS)).toMatchObject({ kind: 'normal', increase: 3600 });
  });

  test('without a known maximum rate counts every rise, and tells rollover from reset by its shape', () => {
    const bare: CounterSpec = { modulus: 2 ** 32 };
    expect(step(0, 4e9, {})).toMatchObject({ kind: 'normal', increase: 4e9 });
    expect(step(2 ** 32 - 5, 5, bare)).toEqual({ kind: 'rollover', increase: 10, estimated: false });
    expect(step(1_000_000, 5, bare)).toEqual({ kind: 'reset', increase: 5, estimated: true });
    expect(step(1_000_000, 5, {}).kind).toBe('reset');
    expect(step(1_000_000, 900_000, {}).kind).toBe('backward');
  });
});

/** Sum of the increases, and whether any of it is a lower bound. */
function total(readings: readonly CounterReading[], spec: CounterSpec): { sum: number; estimated: boolean } {
  let chain = EMPTY_CHAIN;
  let sum = 0;
  let estimated = false;
  for (const reading of readings) {
    const followed = followCounter(chain, reading, spec);
    chain = followed.chain;
    sum += followed.step?.increase ?? 0;
    estimated ||= followed.step?.estimated ?? false;
  }
  return { sum, estimated };
}

const minutely = (values: readonly number[]): CounterReading[] =>
  values.map((value, index) => ({ value, at: index * MINUTE_MS }));

describe('a series of readings', () => {
  test.each([
    ['a single zero is a bad read', [500, 510, 0, 520, 530], 30, false],
    ['two low readings that rise are a reset', [500, 510, 3, 8, 20], 30, true],
    ['one torn read far above is left out', [500, 510, 9000, 520, 530], 30, false],
    ['one torn read far below is left out', [50_000, 50_010, 40_000, 50_020], 20, false],
    ['a swapped meter counts on after three readings', [500, 510, 9000, 9010, 9020, 9030], 40, true],
    ['a corrected display counts on after three readings', [50_000, 40_000, 40_010, 40_020, 40_030], 30, true],
    ['a last digit that dances counts once', [500, 510, 509.9, 510, 509.9, 511], 11, false],
  ] as const)('%s', (_name, values, sum, estimated) => {
    const result = total(minutely(values), litres);
    expect(result.sum).toBeCloseTo(sum, 9);
    expect(result.estimated).toBe(estimated);
  });

  test('an inverter that shows zeros at its start and then its old total adds nothing but what passed', () => {
    expect(total(minutely([70_000, 70_010, 0, 0, 0, 70_020, 70_030]), {}).sum).toBe(30);
  });

  const increments = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 60 });
  const counts: CounterSpec = { ratePerSMax: 1000 };

  test('through any number of rollovers the increases add up to the truth', () => {
    fc.assert(
      fc.property(increments, fc.integer({ min: 200_000, max: 2 ** 32 }), fc.nat(), (steps, modulus, start) => {
        let truth = start % modulus;
        const readings = [truth, ...steps.map((increment) => (truth += increment))].map((value) => value % modulus);
        const used = steps.reduce((sum, increment) => sum + increment, 0);
        expect(total(minutely(readings), { ...counts, modulus })).toEqual({ sum: used, estimated: false });
      }),
      { numRuns: 500, examples: [[[981, 8901], 200_000, 19]] },
    );
  });

  test('ten times as much is counted where the rate allows it, or the register is young, and else is in doubt', () => {
    expect(total(minutely([1000, 10_000]), counts).sum).toBe(9000);
    expect(total(minutely([1000, 10_000]), {}).sum).toBe(9000);
    expect(total(minutely([30_000, 300_000, 30_010]), {}).sum).toBe(10);
  });

  test('through any number of resets the increases are never more than the truth, and less only where told', () => {
    const lives = fc.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(lives, fc.nat(2 ** 31), (steps, start) => {
        let counter = start;
        let used = 0;
        const readings = [start];
        for (const [increment, isReset] of steps) {
          used += increment;
          // The reset falls somewhere inside the interval; what was counted before it is lost.
          counter = isReset ? Math.floor(increment / 2) : counter + increment;
          readings.push(counter);
        }
        const { sum } = total(minutely(readings), counts);
        expect(sum).toBeLessThanOrEqual(used);
        if (steps.every(([, isReset]) => !isReset)) expect(sum).toBe(used);
      }),
      { numRuns: 500 },
    );
  });

  test('a bad read now and then changes no total', () => {
    fc.assert(
      fc.property(increments, fc.nat(), (steps, place) => {
        let truth = 10_000_000;
        const readings = minutely([truth, ...steps.map((increment) => (truth += increment))]);
        const at = 1 + (place % steps.length);
        const torn = { value: place % 2 === 0 ? 0 : 3e9, at: readings[at]!.at - 1 };
        expect(total([...readings.slice(0, at), torn, ...readings.slice(at)], counts).sum).toBe(truth - 10_000_000);
      }),
    );
  });
});
