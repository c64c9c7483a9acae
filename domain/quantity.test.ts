import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEVICE_UNITS, rationalOf, scaleBy, UNITS } from './quantity.js';

describe('a device’s number becomes ours', () => {
  test.each([
    [3, 0.1, 0.3],
    [2305, 0.1, 230.5],
    [49_98, 0.01, 49.98],
    [123_456, 0.001, 123.456],
    [7, 10, 70],
    [-15, 0.1, -1.5],
    [1, 1e-6, 0.000001],
  ])('%d at a scale of %d is exactly %d', (raw, scale, value) => {
    expect(scaleBy(raw, rationalOf(scale))).toBe(value);
  });

  test('every integer at every decimal scale is the decimal that a person would write', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: 0, max: 6 }), (raw, digits) => {
        expect(scaleBy(raw, rationalOf(Number(`1e-${digits}`)))).toBe(Number(`${raw}e-${digits}`));
      }),
    );
  });
});

test.each([
  [0.1, 1, 10],
  [2.5e-3, 25, 10_000],
  [100, 100, 1],
  [1e3, 1000, 1],
  [0, 0, 1],
  [-0.5, -5, 10],
  [1.25, 125, 100],
])('%d is %d / %d', (decimal, numerator, denominator) => {
  expect(rationalOf(decimal)).toEqual({ numerator, denominator });
});

test('every fraction gives its decimal back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -999_999, max: 999_999 }), fc.integer({ min: -9, max: 9 }), (mantissa, exponent) => {
      const decimal = Number(`${mantissa}e${exponent}`);
      const { numerator, denominator } = rationalOf(decimal);
      expect(numerator / denominator).toBe(decimal);
      expect(Number.isSafeInteger(numerator) && Number.isSafeInteger(denominator)).toBe(true);
    }),
  );
});

test.each([
  ['kWh', 1, 'Wh', 1000],
  ['J', 3600, 'Wh', 1],
  ['L/s', 1, 'm³/h', 3.6],
  ['L/min', 1000, 'm³/h', 60],
  ['bar', 1, 'kPa', 100],
  ['mbar', 1013, 'kPa', 101.3],
  ['hL', 1, 'm³', 0.1],
  ['‰', 5, '%', 0.5],
  ['h', 1, 's', 3600],
] as const)('%s: %d is in %s %d', (deviceUnit, raw, unit, value) => {
  expect(DEVICE_UNITS[deviceUnit].unit).toBe(unit);
  expect(scaleBy(raw, DEVICE_UNITS[deviceUnit])).toBe(value);
});

test('every unit of ours can be said by a device, unchanged', () => {
  for (const unit of UNITS) expect(DEVICE_UNITS[unit]).toEqual({ unit, numerator: 1, denominator: 1 });
});

test('every device unit leads to a unit of ours by whole numbers above zero', () => {
  for (const { unit, numerator, denominator } of Object.values(DEVICE_UNITS)) {
    expect(UNITS).toContain(unit);
    expect(Number.isSafeInteger(numerator) && numerator > 0).toBe(true);
    expect(Number.isSafeInteger(denominator) && denominator > 0).toBe(true);
  }
});
