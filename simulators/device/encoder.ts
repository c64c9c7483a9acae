// One value into the words of one register: the inverse of what a profile says about reading it.
import { metricOf } from '#domain/metric.js';
import { DEVICE_UNITS } from '#domain/quantity.js';
import { addressesOf, wordCountOf } from '#profiles/extent.js';
import type { Register } from '#profiles/profile.js';

/**
 * A value in the product's unit and sign. Words for states: several are alternatives in order of preference for an
 * `enum`, and all that hold for `bits`. null: the device has no value.
 */
export type MetricValue = number | string | readonly string[] | null;

/** How a profile's defaults apply to a register. */
export interface EncodingDefaults {
  readonly order: 'big' | 'little';
  /** The device has its words the wrong way round: a fault. */
  readonly swapWords?: boolean;
}

/** A word at an address. */
export interface PlacedWord {
  readonly at: number;
  readonly word: number;
}

/**
 * Encodes one value. Numbers that the type cannot hold are clamped for gauges and wrap for counters, as devices do it;
 * a missing value becomes the first sentinel of the profile, or 0 where the device has none.
 * @param scaleExponent power of ten that the register named by `scaleFrom` holds
 */
export function encodeRegister(
  register: Register,
  value: MetricValue,
  defaults: EncodingDefaults,
  scaleExponent = 0,
): readonly PlacedWord[] {
  const words = value === null ? sentinelWords(register) : valueWords(register, value, scaleExponent);
  return place(register, words, defaults);
}

/** Encodes a raw unsigned number as it stands, without scale or unit: for identities and named helpers. */
export function encodeRaw(register: Register, raw: number, defaults: EncodingDefaults): readonly PlacedWord[] {
  const words = isFloat(register)
    ? floatWords(register, raw)
    : integerWords(BigInt(Math.trunc(raw)), wordsIn(register));
  return place(register, words, defaults);
}

/** The value in the device's unit and sign, before offset and scale. */
export function toDeviceUnit(register: Register, value: number): number {
  const unit = register.unit === undefined ? undefined : DEVICE_UNITS[register.unit as keyof typeof DEVICE_UNITS];
  const inUnit = unit === undefined ? value : (value * unit.denominator) / unit.numerator;
  return register.sign === -1 ? -inUnit : inUnit;
}

function isFloat(register: Register): boolean {
  return register.type === 'f32' || register.type === 'f64';
}

/** Words of the number itself: a high word kept apart belongs to it. */
function wordsIn(register: Register): number {
  return wordCountOf(register) + (register.highWordAt === undefined ? 0 : 1);
}

function valueWords(register: Register, value: MetricValue, scaleExponent: number): number[] {
  switch (register.type) {
    case 'string':
      return textWords(register, String(value));
    case 'clock':
      return clockWords(register, String(value));
    case 'enum':
      return integerWords(BigInt(codeOf(register, value)), wordsIn(register));
    case 'bits':
      return integerWords(bitsOf(register, value), wordsIn(register));
    case 'bit':
      return [bitOf(register, value)];
    default:
      return numberWords(register, Number(value), scaleExponent);
  }
}

function numberWords(register: Register, value: number, scaleExponent: number): number[] {
  const metric = register.metric === undefined ? undefined : metricOf(register.metric);
  const counts = metric?.kind === 'counter';
  let device = toDeviceUnit(register, value);
  if (counts && register.modulus !== undefined) device %= register.modulus;
  const raw = (device - (register.offset ?? 0)) / ((register.scale ?? 1) * 10 ** scaleExponent);
  if (isFloat(register)) return floatWords(register, raw);
  if (!Number.isFinite(raw)) return sentinelWords(register);
  return integerWords(fitInteger(register, Math.round(raw), counts), wordsIn(register));
}

function isSigned(register: Register): boolean {
  return register.type === 's16' || register.type === 's32' || register.type === 's64';
}

function fitInteger(register: Register, rounded: number, wraps: boolean): bigint {
  const bits = BigInt(16 * wordsIn(register));
  let raw = BigInt(rounded);
  if (!wraps) {
    const highest = isSigned(register) ? 2n ** (bits - 1n) - 1n : 2n ** bits - 1n;
    const lowest = isSigned(register) ? -(2n ** (bits - 1n)) : 0n;
    raw = raw > highest ? highest : raw < lowest ? lowest : raw;
    // A value must not be taken for the sentinel beside it: real devices stop one short of it.
    if (patternsOf(register).includes(BigInt.asUintN(Number(bits), raw))) raw = raw > 0n ? raw - 1n : raw + 1n;
  }
  if (register.mask !== undefined) raw &= BigInt(register.mask);
  return raw;
}

function patternsOf(register: Register): readonly bigint[] {
  return (register.invalid ?? []).filter((pattern) => pattern !== 'NaN').map((pattern) => BigInt(pattern));
}

function sentinelWords(register: Register): number[] {
  const pattern = register.invalid?.[0];
  if (register.type === 'string' || register.type === 'clock') return new Array<number>(wordCountOf(register)).fill(0);
  if (pattern === 'NaN' || (pattern === undefined && isFloat(register))) return floatWords(register, Number.NaN);
  return integerWords(BigInt(pattern ?? 0), wordsIn(register));
}

function floatWords(register: Register, value: number): number[] {
  const bytes = register.type === 'f32' ? 4 : 8;
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 4) view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return Array.from({ length: bytes / 2 }, (_, index) => view.getUint16(index * 2));
}

/** Most significant word first. */
function integerWords(raw: bigint, words: number): number[] {
  const unsigned = BigInt.asUintN(16 * words, raw);
  return Array.from({ length: words }, (_, index) => Number((unsigned >> BigInt(16 * (words - 1 - index))) & 0xffffn));
}

function textWords(register: Register, text: string): number[] {
  const words = wordCountOf(register);
  const code = (index: number): number => (text.codePointAt(index) ?? 0) & 0xff;
  return Array.from({ length: words }, (_, index) =>
    register.charPerWord === true ? code(index) : (code(index * 2) << 8) | code(index * 2 + 1),
  );
}

/** Three words of two bytes (year and month, day and hour, minute and second), or six words of one field each. */
function clockWords(register: Register, iso: string): number[] {
  const [year = 2000, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (iso.match(/\d+/g) ?? []).map(Number);
  const fields = [year - 2000, month, day, hour, minute, second];
  if (wordCountOf(register) === 6) return fields;
  return [0, 2, 4].map((index) => ((fields[index] ?? 0) << 8) | (fields[index + 1] ?? 0));
}

function bitOf(register: Register, value: MetricValue): number {
  if (register.states !== undefined) return codeOf(register, value) & 1;
  return value === 1 || value === 'on' || value === 'true' ? 1 : 0;
}

function codeOf(register: Register, value: MetricValue): number {
  if (typeof value === 'number') return value;
  const alternatives = typeof value === 'string' ? [value] : (value ?? []);
  const states = Object.entries(register.states ?? {});
  for (const word of alternatives) {
    const found = states.find(([, state]) => state === word);
    if (found) return Number(found[0]);
    const unlisted = register.prefix !== undefined && word.startsWith(register.prefix);
    if (unlisted && /^\d+$/.test(word.slice(register.prefix?.length)))
      return Number(word.slice(register.prefix?.length));
  }
  return 0;
}

function bitsOf(register: Register, value: MetricValue): bigint {
  if (typeof value === 'number') return BigInt(value);
  const words = new Set(typeof value === 'string' ? value.split(/[\s,;+|]+/) : (value ?? []));
  let raw = 0n;
  for (const [bit, code] of Object.entries(register.bits ?? {})) if (words.has(code)) raw |= 1n << BigInt(bit);
  for (const word of words) {
    const unnamed = /^bit(\d+)$/.exec(word);
    if (unnamed) raw |= 1n << BigInt(unnamed[1] ?? 0);
  }
  return raw;
}

/** Puts words, most significant first, where and in the order in which the register keeps them. */
function place(register: Register, words: readonly number[], defaults: EncodingDefaults): readonly PlacedWord[] {
  const swap = register.swapBytes === true;
  const final = (word: number): number => (swap ? ((word & 0xff) << 8) | (word >> 8) : word);
  if (register.type === 'string' || register.type === 'clock')
    return words.map((word, index) => ({ at: register.at + index, word: final(word) }));
  let own = words;
  const apart: PlacedWord[] = [];
  if (register.highWordAt !== undefined) {
    apart.push({ at: register.highWordAt, word: final(words[0] ?? 0) });
    own = words.slice(1);
  }
  const bigFirst = ((register.order ?? defaults.order) === 'big') !== (defaults.swapWords === true);
  const ordered = bigFirst ? own : [...own].reverse();
  const addresses = addressesOf(register);
  return [
    ...ordered.map((word, index) => ({ at: addresses[index] ?? register.at + index, word: final(word) })),
    ...apart,
  ];
}
