// Rollups of one series and span in columns, for the disk and for the way between threads. What comes out is what went in.
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { CounterWindow, GaugeWindow, StateWindow, WindowRollup } from '#domain/series-rollup.js';
import { BlockDamage, BlockReader, BlockWriter } from './bytes.js';
import { readNumbers, writeNumbers } from './numbers.js';

const VERSION = 1;
const DEFLATED = 1;
const HEAD_BYTES = 5;
const INFLATED_BYTES_MAX = 16 * 1024 * 1024;
const KINDS = ['gauge', 'counter', 'state'] as const;

const writer = new BlockWriter(16 * 1024);

/**
 * @param windows by start; of one kind, except where a metric changed its kind
 * @param deflate for the disk; not worth its time on the way between threads
 */
export function encodeRollups(windows: readonly WindowRollup[], deflate: boolean): Uint8Array {
  writer.length = 0;
  KINDS.forEach((kind, number) => {
    const ofKind = windows.filter((window) => window.kind === kind);
    if (ofKind.length === 0) return;
    writer.byte(number);
    writer.unsigned(ofKind.length);
    writeBase(ofKind);
    if (kind === 'gauge') writeGauges(ofKind as GaugeWindow[]);
    else if (kind === 'counter') writeCounters(ofKind as CounterWindow[]);
    else writeStates(ofKind as StateWindow[]);
  });
  const plain = writer.bytes.subarray(0, writer.length);
  const content = deflate ? deflateRawSync(plain, { level: 1 }) : plain;
  const block = new Uint8Array(HEAD_BYTES + content.length);
  block[0] = VERSION * 2 + (deflate ? DEFLATED : 0);
  block.set(content, HEAD_BYTES);
  new DataView(block.buffer).setUint32(1, crc32(content, block[0]));
  return block;
}

/** Whether the bytes are those that were written. */
export function isIntact(block: Uint8Array): boolean {
  const head = block[0] ?? 0;
  if (head >> 1 !== VERSION || block.length < HEAD_BYTES) return false;
  return new DataView(block.buffer, block.byteOffset).getUint32(1) === crc32(block.subarray(HEAD_BYTES), head);
}

/** The inverse of {@link encodeRollups}, by start. Throws {@link BlockDamage} on other bytes. */
export function decodeRollups(block: Uint8Array): WindowRollup[] {
  if (!isIntact(block)) throw new BlockDamage('rollups of an unknown version, or with a wrong checksum');
  const content = block.subarray(HEAD_BYTES);
  const options = { maxOutputLength: INFLATED_BYTES_MAX, finishFlush: constants.Z_FINISH };
  const isDeflated = ((block[0] ?? 0) & DEFLATED) !== 0;
  const reader = new BlockReader(isDeflated ? inflateRawSync(content, options) : content);
  const windows: WindowRollup[] = [];
  let kinds = 0;
  while (!reader.isDone) {
    const kind = KINDS[reader.byte()];
    const count = reader.unsigned();
    if (kind === 'gauge') readGauges(reader, count, windows);
    else if (kind === 'counter') readCounters(reader, count, windows);
    else if (kind === 'state') readStates(reader, count, windows);
    else throw new BlockDamage('rollups of an unknown kind');
    kinds += 1;
  }
  return kinds > 1 ? windows.sort((a, b) => a.from - b.from) : windows;
}

function writeColumn(values: readonly (number | null)[]): void {
  const numbers = Float64Array.from(values.filter((value) => value !== null));
  const isWhole = numbers.length === values.length;
  writer.byte(isWhole ? 1 : 0);
  if (!isWhole) for (const value of values) writer.byte(value === null ? 0 : 1);
  writeNumbers(writer, numbers, numbers.length);
}

function readColumn(reader: BlockReader, count: number): (number | null)[] {
  if (reader.byte() === 1) return Array.from(readWhole(reader, count));
  const there = reader.raw(count);
  const numbers = readWhole(
    reader,
    there.reduce((sum, one) => sum + one, 0),
  );
  let next = 0;
  return Array.from(there, (one) => (one === 1 ? (numbers[next++] ?? null) : null));
}

/** Numbers that are never null. */
function readNumberColumn(reader: BlockReader, count: number): ArrayLike<number> {
  if (reader.byte() !== 1) throw new BlockDamage('rollups without a number that they need');
  return readWhole(reader, count);
}

function readWhole(reader: BlockReader, count: number): Float64Array {
  const numbers = new Float64Array(count);
  readNumbers(reader, numbers, 0, count);
  return numbers;
}

function writeBase(windows: readonly WindowRollup[]): void {
  writeColumn(windows.map(({ from }) => from));
  writeColumn(windows.map(({ from, to }) => to - from));
  writeColumn(windows.map(({ count }) => count));
  writeColumn(windows.map(({ coverage }) => coverage));
}

interface Base {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly coverage: number;
}

function readBase(reader: BlockReader, count: number): Base[] {
  const from = readNumberColumn(reader, count);
  const length = readNumberColumn(reader, count);
  const counts = readNumberColumn(reader, count);
  const coverage = readNumberColumn(reader, count);
  return Array.from({ length: count }, (_, i) => {
    const start = from[i] as number;
    return {
      from: start,
      to: start + (length[i] as number),
      count: counts[i] as number,
      coverage: coverage[i] as number,
    };
  });
}

function writeGauges(windows: readonly GaugeWindow[]): void {
  writeColumn(windows.map(({ min }) => min));
  writeColumn(windows.map(({ max }) => max));
  writeColumn(windows.map(({ mean }) => mean));
  writeColumn(windows.map(({ first }) => first));
  writeColumn(windows.map(({ last }) => last));
}

function readGauges(reader: BlockReader, count: number, into: WindowRollup[]): void {
  const base = readBase(reader, count);
  const [min, max, mean, first, last] = Array.from({ length: 5 }, () => readColumn(reader, count)) as Column[];
  for (let i = 0; i < count; i += 1) {
    const { coverage, from, to, count } = base[i] as Base;
    into.push({
      kind: 'gauge',
      from,
      to,
      count,
      coverage,
      min: min?.[i] ?? null,
      max: max?.[i] ?? null,
      mean: mean?.[i] ?? null,
      first: first?.[i] ?? null,
      last: last?.[i] ?? null,
    });
  }
}

type Column = readonly (number | null)[];

function writeCounters(windows: readonly CounterWindow[]): void {
  writeColumn(windows.map(({ increase }) => increase));
  writeColumn(windows.map(({ first }) => first));
  writeColumn(windows.map(({ last }) => last));
  writeColumn(windows.map(({ estimated }) => (estimated ? 1 : 0)));
}

function readCounters(reader: BlockReader, count: number, into: WindowRollup[]): void {
  const base = readBase(reader, count);
  const [increase, first, last, estimated] = Array.from({ length: 4 }, () => readColumn(reader, count)) as Column[];
  for (let i = 0; i < count; i += 1) {
    const { coverage, from, to, count } = base[i] as Base;
    into.push({
      kind: 'counter',
      from,
      to,
      count,
      coverage,
      increase: increase?.[i] ?? null,
      estimated: estimated?.[i] === 1,
      first: first?.[i] ?? null,
      last: last?.[i] ?? null,
    });
  }
}

/** Words once; of each a column of the time in it. */
function writeStates(windows: readonly StateWindow[]): void {
  const words = new Map<string, number>();
  const placeOf = (word: string): number => {
    const known = words.get(word) ?? words.size;
    words.set(word, known);
    return known;
  };
  const first = windows.map(({ first }) => (first === null ? null : placeOf(first)));
  const last = windows.map(({ last }) => (last === null ? null : placeOf(last)));
  for (const { timeInMs } of windows) for (const word of Object.keys(timeInMs)) placeOf(word);
  writer.unsigned(words.size);
  for (const word of words.keys()) writer.text(word);
  writeColumn(first);
  writeColumn(last);
  for (const word of words.keys())
    writeColumn(windows.map(({ timeInMs }) => (Object.hasOwn(timeInMs, word) ? (timeInMs[word] ?? null) : null)));
}

function readStates(reader: BlockReader, count: number, into: WindowRollup[]): void {
  const base = readBase(reader, count);
  const words = Array.from({ length: reader.unsigned() }, () => reader.text());
  const first = readColumn(reader, count);
  const last = readColumn(reader, count);
  const times = words.map(() => readColumn(reader, count));
  const wordAt = (place: number | null | undefined): string | null =>
    place === null || place === undefined ? null : (words[place] ?? null);
  for (let i = 0; i < count; i += 1) {
    const { coverage, from, to, count } = base[i] as Base;
    const timeInMs: Record<string, number> = Object.fromEntries(
      words.flatMap((word, place) => {
        const time = times[place]?.[i] ?? null;
        return time === null ? [] : [[word, time]];
      }),
    );
    into.push({ kind: 'state', from, to, count, coverage, timeInMs, first: wordAt(first[i]), last: wordAt(last[i]) });
  }
}
