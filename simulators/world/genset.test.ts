import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import type { GensetTrouble } from './disturbance.js';
import {
  blockHeaterPowerW,
  controlGenset,
  type GensetState,
  gensetMostW,
  initialGenset,
  stepGenset,
} from './genset.js';
import { GensetSchema, type PostSpec } from './post-spec.js';

type GensetSpec = PostSpec['genset'];
const spec = Value.Parse(GensetSchema, Value.Default(GensetSchema, { ratedW: 8000 })) as GensetSpec;
const HOUR_S = 3600;

interface Course {
  readonly seconds: number;
  readonly soc: number;
  readonly airC?: number;
  /** Of what it can carry. */
  readonly load?: number;
  readonly acAlive?: boolean;
  readonly trouble?: GensetTrouble;
  readonly of?: GensetSpec;
}

function run(
  from: GensetState,
  { seconds, soc, airC = 10, load = 0.6, acAlive = true, trouble = {}, of = spec }: Course,
): GensetState {
  let genset = from;
  for (let second = 0; second < seconds; second += 1) {
    genset = controlGenset(of, genset, soc, airC, trouble);
    const heaterW = acAlive ? blockHeaterPowerW(of, genset, trouble) : 0;
    const powerW = gensetMostW(of, genset) * load;
    genset = stepGenset(of, genset, { powerW, airC, acAlive, heaterW, trouble }, 1);
  }
  return genset;
}

const cold = { ...initialGenset(spec, 0, 10), fuelL: 150 };
const running = run(cold, { seconds: 600, soc: 20 });

test('starts on a low battery, and stops by itself when it is filled', () => {
  expect(running.phase).toBe('running');
  expect(run(running, { seconds: 120, soc: 80 }).phase).toBe('stopped');
});

test('burns what Skarstein and Uhlen say: 0.084 L/h for each kW rated and 0.246 L for each kWh', () => {
  const after = run(running, { seconds: HOUR_S, soc: 20, load: 0.75 });
  expect(running.fuelL - after.fuelL).toBeCloseTo(0.084 * 8 + 0.246 * 6, 2);
});

test('soots while it idles, which costs power and fuel, and burns clean under load', () => {
  const sooty = run(running, { seconds: 20 * HOUR_S, soc: 20, load: 0.1 });
  expect(sooty.soot).toBeCloseTo(0.5, 1);
  expect(gensetMostW(spec, sooty)).toBeLessThan(0.94 * spec.ratedW);
  expect(run(sooty, { seconds: 3 * HOUR_S, soc: 20, load: 0.7 }).soot).toBe(0);
});

describe('does not start', () => {
  test.each<[string, GensetState, Omit<Course, 'seconds' | 'soc'>]>([
    ['on an empty starter battery', { ...cold, starterCharge: 0.02, starterV: 11.4 }, { airC: -15, acAlive: false }],
    ['with gelled fuel', cold, { airC: -20, trouble: { fuelGelsC: -10 } }],
    ['with a frozen block', { ...cold, coolantC: -25 }, { airC: -25 }],
    ['where something else is wrong', cold, { trouble: { gensetFailsToStart: true } }],
  ])('%s: three tries, then it gives up', (_, from, course) => {
    const failed = run(from, { seconds: 120, soc: 20, ...course });
    expect(failed).toMatchObject({ phase: 'failed', fault: 'failedToStart', tries: 3, starts: 0 });
  });
});

test('a coolant heater keeps the block ready at −38 °C', () => {
  const warm = run(cold, { seconds: 12 * HOUR_S, soc: 60, airC: -38 });
  expect(warm.coolantC).toBeGreaterThan(10);
  const frozen = run(cold, { seconds: 12 * HOUR_S, soc: 60, airC: -38, trouble: { blockHeaterOff: true } });
  expect(frozen.coolantC).toBeLessThan(-35);
  expect(run(frozen, { seconds: 120, soc: 20, airC: -38, trouble: { blockHeaterOff: true } }).phase).toBe('failed');
});

test.each<[string, GensetTrouble, string]>([
  ['without oil', { oilLost: true }, 'lowOilPressure'],
  ['with a blocked radiator', { radiatorBlocked: true }, 'highTemperature'],
  ['for a loose wire', { gensetStops: true }, 'stopped'],
  ['when its fuel gels', { fuelGelsC: 20 }, 'stopped'],
])('stops by itself %s, and runs again when that is mended', (_, trouble, fault) => {
  const stopped = run(running, { seconds: 1800, soc: 20, trouble });
  expect(stopped).toMatchObject({ phase: 'failed', fault });
  expect(run(stopped, { seconds: 3600, soc: 20 }).phase).toBe('running');
});

test('a starter battery that nobody charges is empty within two weeks', () => {
  const orphaned = run(cold, { seconds: 10 * 24 * HOUR_S, soc: 60, trouble: { starterChargerOff: true } });
  expect(orphaned.starterV).toBeLessThan(12);
  expect(run(cold, { seconds: 10 * 24 * HOUR_S, soc: 60 }).starterCharge).toBe(1);
});

test('is filled when the lorry comes, and not while the pass is closed', () => {
  const weekly = { ...spec, refuelDays: 1 };
  const day = { seconds: 25 * HOUR_S, soc: 60, of: weekly };
  expect(run(cold, day).fuelL).toBe(spec.fuelTankL);
  expect(run(cold, { ...day, trouble: { passClosed: true } }).fuelL).toBe(cold.fuelL);
});

test('runs out of fuel, also where it is stolen', () => {
  const dry = run({ ...running, fuelL: 1 }, { seconds: HOUR_S, soc: 20 });
  expect(dry).toMatchObject({ fuelL: 0, phase: 'failed', fault: 'stopped' });
  const stolen = run(cold, { seconds: HOUR_S, soc: 60, trouble: { fuelLossLH: 40 } });
  expect(cold.fuelL - stolen.fuelL).toBeCloseTo(40, 6);
});
