import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rationalOf } from '#domain/quantity.js';
import { convertDecimal, factorOf, multiply, powerOfTen, scaleExactly, ZERO } from './units.js';

describe('scaling', () => {
  test('gives what a person writes down: counts of a decimal are that decimal', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 32 }), fc.integer({ min: 0, max: 4 }), (raw, places) => {
        const scale = Number(`1e-${places}`);
        expect(scaleExactly(raw, rationalOf(scale), ZERO)).toBe(Number(`${raw}e-${places}`));
      }),
    );
  });

  test('is rounded once for numbers beyond 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }), (raw) => {
        expect(scaleExactly(raw, rationalOf(0.001), ZERO)).toBe(Number(`${raw}e-3`));
      }),
    );
  });

  test('takes an offset exactly', () => {
    expect(scaleExactly(1253, rationalOf(0.1), rationalOf(-100))).toBe(25.3);
    expect(scaleExactly(3, rationalOf(0.1), rationalOf(0.05))).toBe(0.35);
  });

  test('joins scale and unit before it divides', () => {
    expect(scaleExactly(123, multiply(rationalOf(0.1), factorOf('kWh')), ZERO)).toBe(12_300);
    expect(scaleExactly(7, multiply(powerOfTen(-3), factorOf('L')), ZERO)).toBe(0.000007);
    expect(scaleExactly(3600, factorOf('J'), ZERO)).toBe(1);
    expect(convertDecimal(6553.6, 'kWh')).toBe(6_553_600);
  });
});
