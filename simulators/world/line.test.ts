import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import type { WaterTrouble } from './disturbance.js';
import { FULL_WELL, frictionOf, initialLine, isShut, type LineState, lostM3h, stepLine, stepWell } from './line.js';
import { LineSchema, type PostSpec, PumpSchema } from './post-spec.js';

const specOf = (special: object = {}): PostSpec['line'] =>
  Value.Parse(LineSchema, Value.Default(LineSchema, { exposedM: 20, ...special })) as PostSpec['line'];
const MINUTE_S = 60;
const HOUR_S = 3600;

interface Condition {
  readonly airC: number;
  readonly flowM3h?: number;
  readonly trouble?: WaterTrouble;
}

function pass(
  spec: PostSpec['line'],
  from: LineState,
  seconds: number,
  { airC, flowM3h = 0, trouble = {} }: Condition,
): LineState {
  let line = from;
  for (let second = 0; second < seconds; second += 10) line = stepLine(spec, line, flowM3h, airC, 10, trouble);
  return line;
}

/** Seconds until something holds. */
function until(spec: PostSpec['line'], from: LineState, airC: number, holds: (line: LineState) => boolean): number {
  let line = from;
  let seconds = 0;
  for (; !holds(line) && seconds < 48 * HOUR_S; seconds += 10) line = stepLine(spec, line, 0, airC, 10, {});
  return seconds;
}

const at4C: LineState = { ...initialLine(specOf(), 4), waterC: 4 };

describe('water that stands in the frost', () => {
  test.each([
    [0.317, -10, 62, 4.9],
    [0.317, -25, 27, 2.0],
    [0.317, -40, 17, 1.2],
    [0.176, -25, 49, 3.5],
    [0.176, -40, 32, 2.2],
  ])('with %f W/mK at %d °C is at zero after %d min, and a fifth ice %f h later', (lossWMK, airC, minutes, hours) => {
    const spec = specOf({ lossWMK });
    const toZero = until(spec, at4C, airC, ({ iceShare }) => iceShare > 0);
    expect(Math.abs(toZero / MINUTE_S - minutes)).toBeLessThan(1);
    const toFifth = until(spec, at4C, airC, ({ iceShare }) => iceShare >= 0.2) - toZero;
    expect(Math.abs(toFifth / HOUR_S - hours)).toBeLessThan(0.06 * hours);
  });

  test('narrows the line with the fifth power of its bore, and shuts it', () => {
    const half = pass(specOf(), at4C, 4.9 * HOUR_S, { airC: -25 });
    expect(frictionOf(half, {})).toBeCloseTo((1 - half.iceShare) ** -2.5, 9);
    const solid = pass(specOf(), half, 8 * HOUR_S, { airC: -25 });
    expect(isShut(solid)).toBe(true);
    expect(solid.waterC).toBeLessThan(-1);
  });

  test('splits a pipe that may split, which shows when it thaws', () => {
    const spec = specOf({ splits: true });
    const solid = pass(spec, at4C, 14 * HOUR_S, { airC: -25 });
    expect(solid.isSplit).toBe(false);
    const thawed = pass(spec, solid, 60 * HOUR_S, { airC: 10 });
    expect(thawed).toMatchObject({ isSplit: true, iceShare: 0 });
    expect(lostM3h(thawed, 20, 2.8, {})).toBeGreaterThan(1.5);
    expect(pass(specOf(), pass(specOf(), at4C, 14 * HOUR_S, { airC: -25 }), 60 * HOUR_S, { airC: 10 }).isSplit).toBe(
      false,
    );
  });

  test('is kept alive by trace heating, at −40 °C too', () => {
    const spec = specOf({ traceHeatingW: 300 });
    const heated = pass(spec, at4C, 48 * HOUR_S, { airC: -40 });
    expect(heated).toMatchObject({ iceShare: 0 });
    expect(heated.waterC).toBeGreaterThan(0.5);
    expect(pass(spec, at4C, 48 * HOUR_S, { airC: -40, trouble: { traceHeatingOff: true } }).iceShare).toBe(1);
  });

  test('is kept alive by its flow, and thaws with it', () => {
    expect(pass(specOf(), at4C, 12 * HOUR_S, { airC: -40, flowM3h: 2.8 })).toMatchObject({ iceShare: 0 });
    const icy = pass(specOf(), at4C, 6 * HOUR_S, { airC: -25 });
    expect(pass(specOf(), icy, HOUR_S, { airC: -25, flowM3h: 1 }).iceShare).toBeLessThan(icy.iceShare);
  });

  test('does not freeze in the ground', () => {
    expect(
      pass(specOf({ exposedM: 0 }), initialLine(specOf({ exposedM: 0 }), -40), 48 * HOUR_S, { airC: -40 }).waterC,
    ).toBeCloseTo(2, 9);
  });
});

describe('holes', () => {
  test('lose with the root of the pressure, weeping joints with more than it, and never more than flows', () => {
    const lost = (headM: number, exponent: number): number =>
      lostM3h(at4C, headM, 3, { lineHole: { flowM3h: 0.1, exponent } });
    expect(lost(40, 0.5) / lost(10, 0.5)).toBeCloseTo(2, 9);
    expect(lost(40, 1.5) / lost(10, 1.5)).toBeCloseTo(8, 9);
    expect(lostM3h(at4C, 100, 3, { lineHole: { flowM3h: 50, exponent: 0.5 } })).toBe(3);
  });

  test('empty the column that stands behind the check valve', () => {
    const trouble = { lineHole: { flowM3h: 0.1, exponent: 0.5 } };
    expect(pass(specOf(), at4C, 600, { airC: 10, trouble }).columnShare).toBeLessThan(0.2);
    expect(pass(specOf(), at4C, 600, { airC: 10 }).columnShare).toBe(1);
  });
});

test('a well that gives little runs dry, fills again, and runs dry', () => {
  const pump = Value.Parse(PumpSchema, Value.Default(PumpSchema, {})) as PostSpec['pump'];
  let well = FULL_WELL;
  let changes = 0;
  for (let second = 0; second < 6 * HOUR_S; second += 10) {
    const next = stepWell(pump, well, well.isDry ? 0 : 2.8, 10, 0.004);
    if (next.isDry !== well.isDry) changes += 1;
    well = next;
  }
  expect(changes).toBeGreaterThan(6);
  expect(stepWell(pump, FULL_WELL, 2.8, HOUR_S).drawdownM).toBeLessThan(0.12);
});
