// Words into what they spell: numbers, codes, texts. Pure; knows nothing of units, limits or metrics.
import type { Register } from '#profiles/profile.js';

/** How a profile's defaults apply to a register. */
export interface CodecDefaults {
  readonly order: 'big' | 'little';
}

/** The words of one register: its own in the order of their addresses, and the high word that is kept apart. */
export interface RegisterWords {
  readonly own: readonly number[];
  readonly high?: number;
}

/** An unsigned number and how many bits it has. Up to 48 bits are plain numbers. */
export interface RawBits {
  readonly unsigned: number | bigint;
  readonly bits: number;
}

/** The raw number of any register but texts, masked, before sign, scale and unit. */
export function rawBitsOf(register: Register, words: RegisterWords, defaults: CodecDefaults): RawBits {
  const ordered = words.own.map((word) => byteOrdered(register, word));
  if ((register.order ?? defaults.order) === 'little') ordered.reverse();
  const high = words.high === undefined ? undefined : byteOrdered(register, words.high);
  const all = high !== undefined && highWordCounts(register, high, ordered[0] ?? 0) ? [high, ...ordered] : ordered;
  const bits = all.length * 16;
  const unsigned =
    bits <= 48
      ? all.reduce((number, word) => number * 65_536 + word, 0)
      : all.reduce((number, word) => (number << 16n) | BigInt(word), 0n);
  return { unsigned: masked(register, unsigned), bits };
}

/**
 * Firmware that does not know the high word leaves it at 0; then the low word stands alone, with its own sign. A high word
 * of ones that only continues the sign says the same as the low word alone.
 */
function highWordCounts(register: Register, high: number, low: number): boolean {
  if (high === 0) return false;
  return !(register.type === 's16' && high === 0xffff && low >= 0x8000);
}

function byteOrdered(register: Register, word: number): number {
  return register.swapBytes === true ? ((word & 0xff) << 8) | (word >> 8) : word;
}

function masked(register: Register, unsigned: number | bigint): number | bigint {
  if (register.mask === undefined) return unsigned;
  const kept = BigInt(unsigned) & BigInt(register.mask);
  return typeof unsigned === 'bigint' ? kept : Number(kept);
}

/** Two's complement. */
export function signedOf(raw: RawBits): number | bigint {
  if (typeof raw.unsigned === 'bigint') return BigInt.asIntN(raw.bits, raw.unsigned);
  const half = 2 ** (raw.bits - 1);
  return raw.unsigned >= half ? raw.unsigned - 2 * half : raw.unsigned;
}

/**
 * IEEE 754. A 32-bit float that has no short decimal of its own comes out as the shortest that stands for it (230.1, not
 * 230.10000610351562): what the device meant and what any program in 32 bits would show.
 */
export function floatOf(raw: RawBits): number {
  const view = new DataView(new ArrayBuffer(8));
  if (raw.bits === 64) {
    view.setBigUint64(0, BigInt(raw.unsigned));
    return view.getFloat64(0);
  }
  view.setUint32(0, Number(raw.unsigned));
  return shortestDecimal(view.getFloat32(0));
}

/** A float that is exact in so many digits (229.8046875) is one that was meant. */
const EXACT_DIGITS = 10;

function shortestDecimal(single: number): number {
  if (!Number.isFinite(single) || Number(single.toPrecision(EXACT_DIGITS)) === single) return single;
  for (let digits = 6; digits < 9; digits += 1) {
    const decimal = Number(single.toPrecision(digits));
    if (Math.fround(decimal) === single) return decimal;
  }
  return Number(single.toPrecision(9));
}

/** Places of the bits that are set, lowest first. */
export function setBitsOf(raw: RawBits): number[] {
  const set: number[] = [];
  let rest = raw.unsigned;
  for (let bit = 0; rest > 0; bit += 1) {
    if (typeof rest === 'bigint') {
      if (rest & 1n) set.push(bit);
      rest >>= 1n;
    } else {
      if (rest % 2 === 1) set.push(bit);
      rest = Math.floor(rest / 2);
    }
  }
  return set;
}

/** The text up to the first zero byte, without spaces at its end; `undefined` where a byte is no printable character. */
export function textOf(register: Register, words: readonly number[]): string | undefined {
  const bytes = words
    .map((word) => byteOrdered(register, word))
    .flatMap((word) => (register.charPerWord === true ? [word & 0xff] : [word >> 8, word & 0xff]));
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.slice(0, end);
  if (used.some((byte) => byte < 0x20 || byte > 0x7e)) return undefined;
  return String.fromCharCode(...used).trimEnd();
}

/** The device's own time as `2026-06-21T12:34:56`; `undefined` for one that no calendar has. */
export function clockOf(register: Register, words: readonly number[]): string | undefined {
  const ordered = words.map((word) => byteOrdered(register, word));
  const fields = ordered.length === 6 ? ordered : ordered.flatMap((word) => [word >> 8, word & 0xff]);
  const [shortYear = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const year = shortYear < 100 ? 2000 + shortYear : shortYear;
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const whole =
    time.getUTCFullYear() === year &&
    time.getUTCMonth() === month - 1 &&
    time.getUTCDate() === day &&
    time.getUTCHours() === hour &&
    time.getUTCMinutes() === minute &&
    time.getUTCSeconds() === second;
  return whole ? time.toISOString().slice(0, 19) : undefined;
}
