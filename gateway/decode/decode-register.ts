// One register's words into one value in the vocabulary's unit and sign, or the reason why there is none.
import { metricOf } from '#domain/metric.js';
import type { Reason } from '#domain/quality.js';
import type { Rational } from '#domain/quantity.js';
import { rationalOf } from '#domain/quantity.js';
import type { Register } from '#profiles/profile.js';
import { clockOf, floatOf, type RawBits, type RegisterWords, rawBitsOf, setBitsOf, signedOf, textOf } from './codec.js';
import { factorOf, multiply, ONE, powerOfTen, scaleExactly, ZERO } from './units.js';

/** A value with the reason of its quality: `good`, questionable with a value, invalid with null. */
export interface Decoded {
  readonly value: number | string | null;
  readonly reason: Reason;
}

export interface DecodeContext {
  readonly order: 'big' | 'little';
  /** Power of ten from the register named by `scaleFrom`; its own fault where it has none. */
  readonly exponent?: Decoded;
}

/** What a scale factor can reasonably be; SunSpec allows -10 to 10. */
export const EXPONENT_MAX = 10;

export function missing(reason: Reason): Decoded {
  return { value: null, reason };
}

const good = (value: number | string): Decoded => ({ value, reason: 'good' });

/** Decodes one register. Every fault is a reason, never an exception. */
export function decodeRegister(register: Register, words: RegisterWords, context: DecodeContext): Decoded {
  if (register.type === 'string') return textValue(textOf(register, words.own));
  if (register.type === 'clock') return textValue(clockOf(register, words.own));
  const raw = rawBitsOf(register, words, context);
  const none = patternReason(register, raw);
  if (none !== undefined) return missing(none);
  switch (register.type) {
    case 'enum':
      return codeValue(register, String(raw.unsigned));
    case 'bit':
      return register.states === undefined
        ? good(raw.unsigned === 0 ? 'off' : 'on')
        : codeValue(register, String(raw.unsigned));
    case 'bits':
      return bitsValue(register, raw);
    default:
      return numberValue(register, raw, context);
  }
}

/** The raw number that conditions and scale factors speak of; `null` for texts and for what is no number. */
export function rawNumberOf(register: Register, words: RegisterWords, order: 'big' | 'little'): number | bigint | null {
  if (register.type === 'string' || register.type === 'clock') return null;
  const raw = rawBitsOf(register, words, { order });
  const number = rawNumber(register, raw);
  return typeof number === 'number' && !Number.isFinite(number) ? null : number;
}

function textValue(text: string | undefined): Decoded {
  if (text === undefined) return missing('impossible');
  return text === '' ? missing('sentinel') : good(text);
}

function patternReason(register: Register, raw: RawBits): Reason | undefined {
  if (register.invalid === undefined && register.asleep === undefined) return undefined;
  const { asleep, invalid, hasNaN } = remembered(patterns, register, patternsOf);
  if (asleep.has(raw.unsigned)) return 'asleep';
  return invalid.has(raw.unsigned) || (hasNaN && Number.isNaN(floatOf(raw))) ? 'sentinel' : undefined;
}

interface Patterns {
  readonly asleep: ReadonlySet<number | bigint>;
  readonly invalid: ReadonlySet<number | bigint>;
  readonly hasNaN: boolean;
}

/** Each pattern as both kinds of number that raw bits come as. */
function patternsOf({ asleep = [], invalid = [] }: Register): Patterns {
  const bothKinds = (known: readonly (number | string)[]) =>
    new Set(known.filter((pattern) => pattern !== 'NaN').flatMap((pattern) => [BigInt(pattern), Number(pattern)]));
  return { asleep: bothKinds(asleep), invalid: bothKinds(invalid), hasNaN: invalid.includes('NaN') };
}

function codeValue(register: Register, code: string): Decoded {
  const word = register.states?.[code];
  if (word !== undefined) return good(word);
  return register.prefix === undefined ? missing('impossible') : good(`${register.prefix}${code}`);
}

function bitsValue(register: Register, raw: RawBits): Decoded {
  const codes = setBitsOf(raw).map((bit) => register.bits?.[String(bit)] ?? `bit${bit}`);
  return good(codes.length === 0 ? 'none' : codes.join(' '));
}

function rawNumber(register: Register, raw: RawBits): number | bigint {
  switch (register.type) {
    case 's16':
    case 's32':
    case 's64':
      return signedOf(raw);
    case 'f32':
    case 'f64':
      return floatOf(raw);
    default:
      return raw.unsigned;
  }
}

function numberValue(register: Register, raw: RawBits, { exponent }: DecodeContext): Decoded {
  const number = rawNumber(register, raw);
  if (typeof number === 'number' && !Number.isFinite(number)) return missing('impossible');
  const own = remembered(scalings, register, scalingOf);
  const power = register.scaleFrom === undefined ? undefined : powerFrom(exponent);
  if (power !== undefined && 'reason' in power) return power;
  const factors =
    power === undefined ? own : { ...own, scale: multiply(own.scale, power), inUnit: multiply(own.inUnit, power) };
  const deviceValue = scaled(number, factors.scale, factors.offset);
  const inUnit = own.isOwnUnit ? deviceValue : scaled(number, factors.inUnit, factors.offsetInUnit);
  return judge(register, deviceValue, register.sign === -1 ? 0 - inUnit : inUnit);
}

function powerFrom(exponent: Decoded | undefined): Rational | Decoded {
  if (exponent === undefined || exponent.value === null) return missing(exponent?.reason ?? 'incomplete');
  const power = Number(exponent.value);
  return Number.isInteger(power) && Math.abs(power) <= EXPONENT_MAX ? powerOfTen(power) : missing('impossible');
}

/** Floats go through the decimal they stand for, so that 12345.6 kWh are 12345600 Wh. */
function scaled(number: number | bigint, factor: Rational, offset: Rational): number {
  if (factor.numerator === factor.denominator && offset.numerator === 0) return Number(number);
  if (typeof number === 'bigint' || Number.isSafeInteger(number)) return scaleExactly(number, factor, offset);
  const decimal = rationalOf(number);
  const combined = multiply(
    { numerator: factor.numerator, denominator: factor.denominator },
    { ...ONE, denominator: decimal.denominator },
  );
  // Very large and very small floats have no exact decimal within range; their last digit means nothing anyway.
  if (!Number.isSafeInteger(decimal.numerator) || !Number.isSafeInteger(combined.denominator))
    return (number * factor.numerator) / factor.denominator + offset.numerator / offset.denominator;
  return scaleExactly(decimal.numerator, combined, offset);
}

/** True for a number that the quantity cannot have, whatever the device says. A counter above 2^53 would no longer count. */
export function impossibleFor(id: string, value: number): boolean {
  const metric = metricOf(id);
  if (metric?.kind === 'counter' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return true;
  return metric?.range !== undefined && (value < metric.range[0] || value > metric.range[1]);
}

function judge(register: Register, deviceValue: number, value: number): Decoded {
  if (register.metric !== undefined && impossibleFor(register.metric, value)) return missing('impossible');
  const outside =
    (register.min !== undefined && deviceValue < register.min) ||
    (register.max !== undefined && deviceValue > register.max);
  return { value, reason: outside ? 'outOfRange' : 'good' };
}

/** What a register's raw number is multiplied with and moved by: in the device's unit, and in the vocabulary's. */
interface Scaling {
  readonly scale: Rational;
  readonly offset: Rational;
  readonly inUnit: Rational;
  readonly offsetInUnit: Rational;
  /** The device speaks in the vocabulary's unit. */
  readonly isOwnUnit: boolean;
}

function scalingOf(register: Register): Scaling {
  const scale = register.scale === undefined ? ONE : rationalOf(register.scale);
  const offset = register.offset === undefined ? ZERO : rationalOf(register.offset);
  const unit = factorOf(register.unit);
  return {
    scale,
    offset,
    inUnit: multiply(scale, unit),
    offsetInUnit: multiply(offset, unit),
    isOwnUnit: unit.numerator === unit.denominator,
  };
}

const scalings = new WeakMap<Register, Scaling>();
const patterns = new WeakMap<Register, Patterns>();

/** What follows from a register alone is worked out once. */
function remembered<T>(memory: WeakMap<Register, T>, register: Register, make: (register: Register) => T): T {
  const known = memory.get(register);
  if (known !== undefined) return known;
  const made = make(register);
  memory.set(register, made);
  return made;
}
