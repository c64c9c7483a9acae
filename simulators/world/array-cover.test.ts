import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArrayCover, CLEAN_ARRAY, stepArrayCover, throughCover } from './array-cover.js';
import type { WeatherState } from './weather.js';

const panels = { tiltDeg: 40, dustPerDay: 0.001 };
const weather = (airC: number, precipitationMmH = 0): WeatherState => ({
  airC,
  windMS: 3,
  precipitationMmH,
  snows: airC < 1,
  airDrift: 0,
  windDrift: 0,
  front: 0,
});
const HOUR_S = 3600;

function pass(from: ArrayCover, hours: number, airC: number, onPlane: number, mmH = 0): ArrayCover {
  let cover = from;
  for (let step = 0; step < hours * 360; step += 1)
    cover = stepArrayCover(cover, weather(airC, mmH), panels, onPlane, 10, {});
  return cover;
}

const covered = pass(CLEAN_ARRAY, 2, -5, 0, 1);

describe('snow', () => {
  test('covers the panels once a centimetre lies on them, and takes nearly all light', () => {
    expect(pass(CLEAN_ARRAY, 0.5, -5, 0, 1).snowShare).toBeCloseTo(0.5, 2);
    expect(covered.snowShare).toBe(1);
    expect(throughCover(covered)).toBeCloseTo(0.05, 3);
  });

  test('slides as Marion measured it: 0.197 of the height in an hour, times the sine of the tilt', () => {
    const slope = Math.sin((40 * Math.PI) / 180);
    expect(pass(covered, 1, 2, 400).snowShare).toBeCloseTo(1 - 0.197 * slope, 6);
    expect(pass(covered, 1 / (0.197 * slope) + 0.01, 2, 400).snowShare).toBe(0);
  });

  test.each([
    [-5, 380, true],
    [-5, 420, false],
    [-20, 1000, true],
    [2, 0, true],
  ])('at %d °C and %d W/m² it stays: %s', (airC, onPlane, stays) => {
    expect(pass(covered, 1, airC, onPlane).snowShare === 1).toBe(stays);
  });
});

describe('dust', () => {
  test('takes so much a day, and rain washes it away', () => {
    const dusty = pass(CLEAN_ARRAY, 240, 20, 0);
    expect(dusty.dustShare).toBeCloseTo(0.01, 6);
    expect(pass(dusty, 1, 20, 0, 30).dustShare).toBeLessThan(0.0002);
  });

  test('goes with the snow that slides', () => {
    const dusty = { ...covered, dustShare: 0.1 };
    expect(pass(dusty, 9, 2, 400).dustShare).toBeLessThan(0.06);
  });
});

test('whatever falls, what comes through is a share of the light', () => {
  const step = fc.tuple(
    fc.double({ min: -45, max: 40, noNaN: true }),
    fc.double({ min: 0, max: 1300, noNaN: true }),
    fc.double({ min: 0, max: 50, noNaN: true }),
    fc.integer({ min: 1, max: 24 * HOUR_S }),
    fc.option(fc.double({ min: 0, max: 20, noNaN: true }), { nil: undefined }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let cover = CLEAN_ARRAY;
      for (const [airC, onPlane, mmH, dtS, snowfallCmH] of steps) {
        cover = stepArrayCover(cover, weather(airC, mmH), panels, onPlane, dtS, { snowfallCmH, dustPerDay: 0.2 });
        expect(throughCover(cover)).toBeGreaterThan(0);
        expect(throughCover(cover)).toBeLessThanOrEqual(1);
      }
    }),
  );
});
