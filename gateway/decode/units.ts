// From a profile's units and decimal scales to exact factors.
import { DEVICE_UNITS, type DeviceUnit, type Rational, rationalOf } from '#domain/quantity.js';

export const ONE: Rational = { numerator: 1, denominator: 1 };
export const ZERO: Rational = { numerator: 0, denominator: 1 };

/** The factor from a device's unit to the vocabulary's. A profile's unit has passed the schema. */
export function factorOf(unit: string | undefined): Rational {
  if (unit === undefined) return ONE;
  const fact = DEVICE_UNITS[unit as DeviceUnit];
  if (fact === undefined) throw new Error(`no such unit "${unit}"`);
  return fact;
}

/** `left × right`, reduced, so that 0.1 × 1000 becomes 100 and not 1000 / 10. */
export function multiply(left: Rational, right: Rational): Rational {
  return reduce(left.numerator * right.numerator, left.denominator * right.denominator);
}

/** 10^exponent. */
export function powerOfTen(exponent: number): Rational {
  return exponent >= 0 ? { numerator: 10 ** exponent, denominator: 1 } : { numerator: 1, denominator: 10 ** -exponent };
}

/** A decimal number in a device's unit, as a number in the vocabulary's: 100000 kWh → 100000000. */
export function convertDecimal(value: number, unit: string | undefined): number {
  const exact = multiply(rationalOf(value), factorOf(unit));
  return exact.numerator / exact.denominator;
}

/** `raw × factor + offset`, rounded once, so that 123 × 0.1 gives 12.3 and 2^60 × 0.1 the nearest number there is. */
export function scaleExactly(raw: number | bigint, factor: Rational, offset: Rational): number {
  const shift = (offset.numerator * factor.denominator) / offset.denominator;
  const numerator = Number(raw) * factor.numerator + shift;
  if (Number.isSafeInteger(shift) && Number.isSafeInteger(numerator)) return numerator / factor.denominator;
  const exact =
    BigInt(raw) * BigInt(factor.numerator) * BigInt(offset.denominator) +
    BigInt(offset.numerator) * BigInt(factor.denominator);
  return quotient(exact, factor.denominator * offset.denominator);
}

/** Rounded once where the denominator is a power of ten: the text of a decimal is read exactly. */
function quotient(numerator: bigint, denominator: number): number {
  const exponent = Math.round(Math.log10(denominator));
  if (10 ** exponent === denominator) return Number(`${numerator}e-${exponent}`);
  return Number(numerator) / denominator;
}

function reduce(numerator: number, denominator: number): Rational {
  const divisor = greatestCommonDivisor(Math.abs(numerator), denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

function greatestCommonDivisor(left: number, right: number): number {
  let [a, b] = [left, right];
  while (b !== 0) [a, b] = [b, a % b];
  return a === 0 ? 1 : a;
}
