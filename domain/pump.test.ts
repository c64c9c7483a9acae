import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedFlowM3h, judgeDryRun, judgeNoFlow, type PumpFacts, type PumpObservation } from './pump.js';

// A borehole pump: H = 80 n² − 2 Q², line H = 45 + 2.4 Q², so that it lifts from n = 0.75 on.
const facts: PumpFacts = {
  type: 'centrifugal',
  ratedFrequencyHz: 50,
  deadHeadPowerW: 873,
  staticHeadM: 45,
  shutOffHeadM: 80,
  ratedFlowM3h: 2.82,
  flowMeterCutoffM3h: 0.05,
};

/** speed, flow m³/h, head m, electrical W, W against a closed valve */
const CURVE = [
  [1.0, 2.82, 64.1, 1320, 873],
  [0.95, 2.486, 59.8, 1101, 749],
  [0.9, 2.121, 55.8, 903, 637],
  [0.85, 1.706, 52.0, 725, 536],
  [0.82, 1.413, 49.8, 625, 481],
] as const;

const seen = (speed: number, rest: Partial<PumpObservation>): PumpObservation => ({
  frequencyHz: 50 * speed,
  powerW: null,
  flowM3h: null,
  headM: null,
  runningForMs: 600_000,
  steady: true,
  ...rest,
});
const judged = (observation: PumpObservation, pump = facts) => [
  judgeDryRun(pump, observation),
  judgeNoFlow(pump, observation),
];

describe.each(CURVE)('at speed %d', (speed, flowM3h, headM, powerW, closedW) => {
  const closed = { flowM3h: 0, headM: 80 * speed ** 2, powerW: closedW };
  const dryRun = { flowM3h: 0, headM: 0, powerW: 0.45 * closedW };

  test('the expected flow is that of the two curves', () => {
    expect(expectedFlowM3h(facts, speed)).toBeCloseTo(flowM3h, 2);
  });

  test('a healthy pump is neither dry nor without flow, with or without a pressure sensor', () => {
    expect(judged(seen(speed, { flowM3h, headM, powerW }))).toEqual(['false', 'false']);
    expect(judged(seen(speed, { flowM3h, powerW }))).toEqual(['false', 'false']);
  });

  test('a closed valve is no dry run, though a fixed share of nominal power could not tell', () => {
    expect(judged(seen(speed, closed))).toEqual(['false', 'true']);
    expect(judged(seen(speed, { ...closed, headM: null }))).toEqual(['false', 'true']);
  });

  test('a dry well is a dry run, and one cause gives one alarm', () => {
    expect(judged(seen(speed, dryRun))).toEqual(['true', 'false']);
    expect(judged(seen(speed, { ...dryRun, headM: null }))).toEqual(['true', 'false']);
    expect(judged(seen(speed, { ...dryRun, flowM3h: null }))).toEqual(['true', 'unknown']);
  });

  test('a worn pump is neither', () => {
    expect(judged(seen(speed, { flowM3h: flowM3h * 0.81, headM: headM * 0.85, powerW }))).toEqual(['false', 'false']);
  });
});

describe('a value that is not good', () => {
  const dryRun = { flowM3h: 0, headM: 0, powerW: 393 };

  test.each(['frequencyHz', 'runningForMs'] as const)('%s: nothing can be judged', (name) => {
    expect(judged(seen(1, { ...dryRun, [name]: null }))).toEqual(['unknown', 'unknown']);
    expect(judged(seen(1, { ...dryRun, [name]: Number.NaN }))).toEqual(['unknown', 'unknown']);
  });

  test('without power a dry well and a broken riser look the same', () => {
    expect(judged(seen(1, { ...dryRun, powerW: null }))).toEqual(['unknown', 'unknown']);
  });

  test('power alone convicts nobody', () => {
    expect(judged(seen(1, { powerW: 393 }))).toEqual(['unknown', 'unknown']);
  });

  test('low power with good flow is gas or a low well, not a dry run', () => {
    expect(judgeDryRun(facts, seen(1, { powerW: 393, flowM3h: 2.5 }))).toBe('false');
  });

  test('never turns an answer into its opposite, it only takes it away', () => {
    const number = (max: number) => fc.double({ min: 0, max, noNaN: true });
    const full = fc.record({
      frequencyHz: number(55),
      powerW: number(1500),
      flowM3h: number(4),
      headM: number(90),
      runningForMs: number(100_000),
      steady: fc.boolean(),
    });
    const names = fc.constantFrom('frequencyHz', 'powerW', 'runningForMs') as fc.Arbitrary<keyof PumpObservation>;
    fc.assert(
      fc.property(full, names, (observation, missing) => {
        const less = { ...observation, [missing]: null };
        for (const judge of [judgeDryRun, judgeNoFlow]) {
          expect(['unknown', judge(facts, observation)]).toContain(judge(facts, less));
        }
      }),
    );
  });
});

describe('the wrong moment', () => {
  const noWater = { flowM3h: 0, headM: 0, powerW: 100 };

  test('a pump that stands still neither runs dry nor lacks flow', () => {
    expect(judged(seen(0, noWater))).toEqual(['false', 'false']);
    expect(judged(seen(0, { powerW: null, runningForMs: null }))).toEqual(['false', 'false']);
  });

  test('while the riser fills nothing is judged', () => {
    expect(judged(seen(1, { ...noWater, runningForMs: 29_999 }))).toEqual(['unknown', 'unknown']);
    expect(judgeDryRun(facts, seen(1, { ...noWater, runningForMs: 30_000 }))).toBe('true');
    expect(judgeDryRun({ ...facts, primingTimeMs: 60_000 }, seen(1, { ...noWater, runningForMs: 59_999 }))).toBe(
      'unknown',
    );
  });

  test('at dawn, too slow to lift, no flow is honest', () => {
    expect(judged(seen(0.76, { ...noWater, flowM3h: 0 }))).toEqual(['unknown', 'unknown']);
    expect(judged(seen(0.8, noWater))).toEqual(['unknown', 'unknown']);
    expect(judgeDryRun(facts, seen(0.801, noWater))).toBe('true');
  });

  test('while clouds move the speed nothing is judged', () => {
    expect(judged(seen(1, { ...noWater, steady: false }))).toEqual(['unknown', 'unknown']);
  });
});

test('a helical rotor pump is judged by torque, and lifts at any speed', () => {
  const rotor: PumpFacts = { ...facts, type: 'positive', deadHeadPowerW: 800 };
  expect(judged(seen(0.5, { powerW: 400, flowM3h: 1.4 }), rotor)).toEqual(['false', 'false']);
  expect(judged(seen(0.5, { powerW: 180, flowM3h: 0 }), rotor)).toEqual(['true', 'false']);
  expect(judged(seen(0.5, { powerW: 600, flowM3h: 0 }), rotor)).toEqual(['false', 'true']);
});
