// Values of one metric in a payload. Numbers travel as scaled integers in steps where that is exact, else as float32 or
// float64 with their bytes sorted by place, which deflate likes; words travel by dictionary.
import { hasValue, reasonOf } from '#domain/quality.js';
import type { ByteReader, ByteWriter } from './varint.js';

/** 0 to 10 are decimals of so many places: the finest scale in any manual is 10^-4; sums of two scales stay below this. */
const DECIMALS_MAX = 10;
const FLOAT32 = 11;
const FLOAT64 = 12;
const WORDS = 13;
/** Quality codes stand before the values; the encoding stands before the codes. */
const WITH_CODES = 14;

/** Longest word: a list of all faults that an inverter knows stays far below. */
export const WORD_LENGTH_MAX = 2000;

export interface Cell {
  readonly value: number | string | null;
  readonly code: number;
}

/** A column, ready to be written: its encoding stands with its index, apart from its body. */
export interface PackedCells {
  readonly encoding: number;
  /** How the values are encoded; another than `encoding` where codes stand before them. */
  readonly valueEncoding: number;
  readonly values: readonly (number | string)[];
  readonly cells: readonly Cell[];
}

/** Chooses how cells are best written. */
export function packCells(cells: readonly Cell[]): PackedCells {
  const all = cells.map(({ value }) => value);
  const values = all.includes(null) ? all.filter((value) => value !== null) : (all as (number | string)[]);
  const valueEncoding = encodingOf(values);
  return { encoding: haveCodes(cells) ? WITH_CODES : valueEncoding, valueEncoding, values, cells };
}

/** Writes the body of a column. */
export function writeCells(writer: ByteWriter, { encoding, valueEncoding, values, cells }: PackedCells): void {
  if (encoding === WITH_CODES) {
    writer.unsigned(valueEncoding);
    for (const { code } of cells) writer.unsigned(code);
  }
  if (valueEncoding === WORDS) writeWords(writer, values.map(String));
  else if (valueEncoding <= DECIMALS_MAX) writeSteps(writer, values as readonly number[], 10 ** valueEncoding);
  else if (valueEncoding === FLOAT32) writer.raw(shuffle(Float32Array.from(values as readonly number[]), 4));
  else writer.raw(shuffle(Float64Array.from(values as readonly number[]), 8));
}

// Plain loops from here on: a live payload has thousands of columns of one cell each, and a function made for each of them
// would be most of its garbage.

function haveCodes(cells: readonly Cell[]): boolean {
  for (const { code } of cells) if (code !== 0) return true;
  return false;
}

function encodingOf(values: readonly (number | string)[]): number {
  for (const value of values) if (typeof value === 'string') return WORDS;
  const numbers = values as readonly number[];
  for (let places = 0; places <= DECIMALS_MAX; places += 1) if (haveSteps(numbers, 10 ** places)) return places;
  for (const value of numbers) if (!Object.is(Math.fround(value), value)) return FLOAT64;
  return FLOAT32;
}

/** True where the factor makes integers of all numbers, and of the steps between them. */
function haveSteps(numbers: readonly number[], factor: number): boolean {
  let last = 0;
  for (const value of numbers) {
    const integer = Math.round(value * factor);
    if (!isScaled(value, integer, factor) || !Number.isSafeInteger(integer - last)) return false;
    last = integer;
  }
  return true;
}

/** An integer, and the same number again after division. -0 is none: steps cannot tell it from 0. */
function isScaled(value: number, integer: number, factor: number): boolean {
  return Number.isSafeInteger(integer) && Object.is(integer / factor, value) && !Object.is(value, -0);
}

/** First value, then the step to each next one. */
function writeSteps(writer: ByteWriter, numbers: readonly number[], factor: number): void {
  let last = 0;
  for (const value of numbers) {
    const integer = Math.round(value * factor);
    writer.signed(integer - last);
    last = integer;
  }
}

function writeWords(writer: ByteWriter, words: readonly string[]): void {
  const places = new Map<string, number>();
  for (const word of words) if (!places.has(word)) places.set(word, places.size);
  writer.unsigned(places.size);
  for (const word of places.keys()) {
    const bytes = Buffer.from(word, 'utf8');
    writer.unsigned(bytes.length);
    writer.raw(bytes);
  }
  // One word needs no telling which.
  if (places.size > 1) for (const word of words) writer.unsigned(places.get(word) ?? 0);
}

/** Bytes of equal significance side by side: signs and exponents change little from sample to sample. */
function shuffle(numbers: Float32Array | Float64Array, width: number): Uint8Array {
  const bytes = new Uint8Array(numbers.buffer);
  const count = numbers.length;
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < count; i += 1)
    for (let place = 0; place < width; place += 1) result[place * count + i] = bytes[i * width + place] as number;
  return result;
}

function unshuffle(bytes: Uint8Array, width: number): number[] {
  const count = bytes.length / width;
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < count; i += 1)
    for (let place = 0; place < width; place += 1) result[i * width + place] = bytes[place * count + i] as number;
  return Array.from(width === 4 ? new Float32Array(result.buffer) : new Float64Array(result.buffer));
}

/** The inverse of {@link packCells}; `undefined` when anything about it is not as that makes it. */
export function readCells(reader: ByteReader, encoding: number, count: number): Cell[] | undefined {
  if (encoding !== WITH_CODES) {
    const values = readValues(reader, encoding, count);
    return values?.map((value) => ({ value, code: 0 }));
  }
  const inner = reader.unsigned();
  const codes: number[] = [];
  let filled = 0;
  for (let i = 0; i < count; i += 1) {
    const code = reader.unsigned();
    const reason = code === undefined ? undefined : reasonOf(code);
    if (code === undefined || reason === undefined) return undefined;
    codes.push(hasValue(reason) ? code : -code);
    if (hasValue(reason)) filled += 1;
  }
  const values = inner === undefined ? undefined : readValues(reader, inner, filled);
  if (values === undefined) return undefined;
  let next = 0;
  return codes.map((code) => (code < 0 ? { value: null, code: -code } : { value: values[next++] ?? 0, code }));
}

function readValues(reader: ByteReader, encoding: number, count: number): readonly (number | string)[] | undefined {
  if (encoding <= DECIMALS_MAX) return readDecimals(reader, 10 ** encoding, count);
  if (encoding === WORDS) return readWords(reader, count);
  if (encoding !== FLOAT32 && encoding !== FLOAT64) return undefined;
  const width = encoding === FLOAT32 ? 4 : 8;
  const bytes = reader.raw(count * width);
  const numbers = bytes === undefined ? undefined : unshuffle(bytes, width);
  return numbers?.every(Number.isFinite) ? numbers : undefined;
}

function readDecimals(reader: ByteReader, factor: number, count: number): number[] | undefined {
  // Each takes a byte at least: what was announced cannot cost more than what is there.
  if (count > reader.left) return undefined;
  const values: number[] = [];
  let sum = 0;
  for (let i = 0; i < count; i += 1) {
    const step = reader.signed();
    if (step === undefined) return undefined;
    sum += step;
    if (!Number.isSafeInteger(sum)) return undefined;
    values.push(sum / factor);
  }
  return values;
}

function readWords(reader: ByteReader, count: number): string[] | undefined {
  const size = reader.unsigned();
  if (size === undefined || size > count || size > reader.left) return undefined;
  const dictionary: string[] = [];
  for (let i = 0; i < size; i += 1) {
    const length = reader.unsigned();
    // No character of a word takes more than three bytes.
    const bytes = length === undefined || length > WORD_LENGTH_MAX * 3 ? undefined : reader.raw(length);
    const word = bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    if (word === undefined || word.length > WORD_LENGTH_MAX) return undefined;
    dictionary.push(word);
  }
  const words: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const word = dictionary[size === 1 ? 0 : (reader.unsigned() ?? -1)];
    if (word === undefined) return undefined;
    words.push(word);
  }
  return words;
}
