// One metric's samples in a payload. Numbers travel as scaled integers in steps where that is exact, else as float32 or
// float64 with their bytes sorted by place, which deflate likes; words travel by dictionary.
import { hasValue, reasonOf } from '#domain/quality.js';
import { stepsOf, sumsOf } from './steps.js';

/** [metric index, rows or null for every row, encoding, body, quality codes or null where all are good]. */
export type Column = [number, number[] | null, number, unknown, number[] | null];

const DECIMAL = 0;
const FLOAT32 = 1;
const FLOAT64 = 2;
const WORDS = 3;

/** Ten decimal places: the finest scale in any manual is 10^-4; sums of two scales stay below this. */
const DECIMALS_MAX = 10;
const INDEX_MAX = 65535;

interface Cell {
  readonly value: number | string | null;
  readonly code: number;
}

export interface PlacedCell extends Cell {
  readonly index: number;
  readonly row: number;
}

export function packColumn(index: number, rows: readonly number[], rowCount: number, cells: readonly Cell[]): Column {
  const values = cells.flatMap((cell) => (cell.value === null ? [] : [cell.value]));
  const [encoding, body] = packValues(values);
  const codes = cells.every((cell) => cell.code === 0) ? null : cells.map((cell) => cell.code);
  return [index, rows.length === rowCount ? null : stepsOf(rows), encoding, body, codes];
}

function packValues(values: readonly (number | string)[]): [number, unknown] {
  if (values.some((value) => typeof value === 'string')) return [WORDS, packWords(values.map(String))];
  const numbers = values as readonly number[];
  const decimal = packDecimal(numbers);
  if (decimal !== undefined) return [DECIMAL, decimal];
  return numbers.every((value) => Object.is(Math.fround(value), value))
    ? [FLOAT32, shuffle(Float32Array.from(numbers), 4)]
    : [FLOAT64, shuffle(Float64Array.from(numbers), 8)];
}

/**
 * [places, first, step, step …], or `undefined` when some value is not exactly an integer over a power of ten. Steps cannot
 * tell -0 from 0.
 */
function packDecimal(numbers: readonly number[]): number[] | undefined {
  if (numbers.some((value) => Object.is(value, -0))) return undefined;
  for (let places = 0; places <= DECIMALS_MAX; places += 1) {
    const factor = 10 ** places;
    const integers = numbers.map((value) => Math.round(value * factor));
    const exact = integers.every(
      (integer, i) => Number.isSafeInteger(integer) && Object.is(integer / factor, numbers[i]),
    );
    if (!exact) continue;
    const steps = stepsOf(integers);
    return steps.every(Number.isSafeInteger) ? [places, ...steps] : undefined;
  }
  return undefined;
}

function packWords(words: readonly string[]): [string[], number[]] {
  const dictionary = [...new Set(words)];
  return [dictionary, words.map((word) => dictionary.indexOf(word))];
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

function unshuffle(bytes: Uint8Array, width: number): Float32Array | Float64Array | undefined {
  if (bytes.length % width !== 0) return undefined;
  const count = bytes.length / width;
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < count; i += 1)
    for (let place = 0; place < width; place += 1) result[i * width + place] = bytes[place * count + i] as number;
  return width === 4 ? new Float32Array(result.buffer) : new Float64Array(result.buffer);
}

/** Checks and opens a column; `undefined` when anything about it is not as {@link packColumn} makes it. */
export function unpackColumn(column: unknown, rowCount: number, cellsMax: number): PlacedCell[] | undefined {
  if (!Array.isArray(column) || column.length !== 5) return undefined;
  const [index, packedRows, encoding, body, packedCodes] = column as unknown[];
  if (!Number.isInteger(index) || (index as number) < 0 || (index as number) > INDEX_MAX) return undefined;
  const rows = packedRows === null ? Array.from({ length: rowCount }, (_, row) => row) : sumsOf(packedRows, rowCount);
  if (rows === undefined || rows.length > cellsMax || rows.some((row) => row < 0 || row >= rowCount)) return undefined;
  const codes = packedCodes === null ? rows.map(() => 0) : packedCodes;
  if (!Array.isArray(codes) || codes.length !== rows.length || !codes.every((code) => reasonOf(code) !== undefined))
    return undefined;
  const filled = codes.filter(carriesValue).length;
  const values = unpackValues(encoding, body, filled);
  if (values === undefined) return undefined;
  let next = 0;
  return rows.map((row, i) => {
    const code = codes[i] as number;
    return {
      index: index as number,
      row,
      code,
      value: carriesValue(code) ? (values[next++] as number | string) : null,
    };
  });
}

function carriesValue(code: number): boolean {
  const reason = reasonOf(code);
  return reason !== undefined && hasValue(reason);
}

function unpackValues(encoding: unknown, body: unknown, count: number): readonly (number | string)[] | undefined {
  const values = unpackBody(encoding, body);
  if (values === undefined || values.length !== count) return undefined;
  return values.every((value) => typeof value === 'string' || Number.isFinite(value)) ? values : undefined;
}

function unpackBody(encoding: unknown, body: unknown): readonly (number | string)[] | undefined {
  if (encoding === DECIMAL) return unpackDecimal(body);
  if (encoding === WORDS) return unpackWords(body);
  if (!(body instanceof Uint8Array)) return undefined;
  if (encoding === FLOAT32 || encoding === FLOAT64) {
    const numbers = unshuffle(body, encoding === FLOAT32 ? 4 : 8);
    return numbers === undefined ? undefined : Array.from(numbers);
  }
  return undefined;
}

function unpackDecimal(body: unknown): number[] | undefined {
  if (!Array.isArray(body)) return undefined;
  const places = body[0] as unknown;
  if (!Number.isInteger(places) || (places as number) < 0 || (places as number) > DECIMALS_MAX) return undefined;
  const factor = 10 ** (places as number);
  return sumsOf(body.slice(1), body.length)?.map((integer) => integer / factor);
}

/** Longest word: a list of all faults that an inverter knows stays far below. */
export const WORD_LENGTH_MAX = 2000;

function unpackWords(body: unknown): string[] | undefined {
  if (!Array.isArray(body) || body.length !== 2) return undefined;
  const [dictionary, places] = body as unknown[];
  if (!Array.isArray(dictionary) || !Array.isArray(places)) return undefined;
  if (!dictionary.every((word) => typeof word === 'string' && word.length <= WORD_LENGTH_MAX)) return undefined;
  const words = places.map((place) => dictionary[place as number] as string | undefined);
  return words.every((word) => word !== undefined) ? (words as string[]) : undefined;
}
