// Rollups of one series and span in columns, for the disk and for the way between threads. What comes out is what went in.
import type { CounterWindow, GaugeWindow, StateWindow, WindowRollup } from '#domain/series-rollup.js';
import { BlockDamage, BlockReader, BlockWriter } from './bytes.js';
import { contentOf, framed, headOf } from './frame.js';
import { readNumbers, writeNumbers } from './numbers.js';
import { WordList } from './word-list.js';

/** Deflated, blocks would be a third smaller: less than a twentieth of the points that they are made of, at twice the time. */
const FORM = 5;
const KINDS = ['gauge', 'counter', 'state'] as const;

// Reused: what is written is copied out of them before the next block is begun.
const writer = new BlockWriter(16 * 1024);
const columns: Float64Array[] = [];

/** Memory for a column of so many numbers. */
function columnFor(number: number, count: number): Float64Array {
  const known = columns[number];
  if (known !== undefined && known.length >= count) return known;
  const fresh = new Float64Array(Math.max(2 * count, 256));
  columns[number] = fresh;
  return fresh;
}

/** A block and the key under which it is kept; 0 on the way between threads. */
export interface RollupBlock {
  readonly key: number;
  readonly bytes: Uint8Array;
}

/** @param windows by start; of one kind, except where a metric changed its kind */
export function encodeRollups(windows: readonly WindowRollup[], key = 0): Uint8Array {
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
  return framed(FORM, writer.bytes.subarray(0, writer.length), key);
}

/** The inverse of {@link encodeRollups}, by start. Throws {@link BlockDamage} on other bytes. */
export function decodeRollups(bytes: Uint8Array, key = 0): WindowRollup[] {
  const windows: WindowRollup[] = [];
  appendRollups({ key, bytes }, windows);
  return windows;
}

function appendRollups({ bytes, key }: RollupBlock, into: WindowRollup[]): void {
  if (headOf(bytes) !== FORM) throw new BlockDamage('rollups of an unknown form');
  const reader = new BlockReader(contentOf(bytes, false, key));
  const start = into.length;
  let kinds = 0;
  while (!reader.isDone) {
    const kind = KINDS[reader.byte()];
    const count = reader.unsigned();
    if (kind === 'gauge') readGauges(reader, count, into);
    else if (kind === 'counter') readCounters(reader, count, into);
    else if (kind === 'state') readStates(reader, count, into);
    else throw new BlockDamage('rollups of an unknown kind');
    kinds += 1;
  }
  if (kinds > 1) into.push(...into.splice(start).sort((a, b) => a.from - b.from));
}

/** The windows with from ≤ start < to in blocks, by time. */
export function windowsIn(blocks: readonly RollupBlock[], from: number, to: number): WindowRollup[] {
  const windows: WindowRollup[] = [];
  for (const block of blocks) appendRollups(block, windows);
  return windows.filter((window) => window.from >= from && window.from < to);
}

/** One number of each row; null where there is none. */
function writeColumn<T>(rows: readonly T[], of: (row: T) => number | null): void {
  const values = columnFor(0, rows.length);
  let known = 0;
  for (let i = 0; i < rows.length; i += 1) {
    const value = of(rows[i] as T);
    if (value !== null) values[known++] = value;
  }
  const isWhole = known === rows.length;
  writer.byte(isWhole ? 1 : 0);
  if (!isWhole) for (const row of rows) writer.byte(of(row) === null ? 0 : 1);
  writeNumbers(writer, values, known);
}

/** NaN where nothing was. The column with the same number takes its place. */
function readColumn(reader: BlockReader, count: number, number: number): Float64Array {
  const values = columnFor(number, count);
  if (reader.byte() === 1) {
    readNumbers(reader, values, 0, count);
    return values;
  }
  const there = reader.raw(count);
  let known = 0;
  for (let place = 0; place < count; place += 1) known += there[place] as number;
  readNumbers(reader, values, 0, known);
  for (let place = count - 1; place >= 0; place -= 1)
    values[place] = there[place] === 1 ? (values[--known] as number) : Number.NaN;
  return values;
}

const orNull = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value;

function writeBase(windows: readonly WindowRollup[]): void {
  writeColumn(windows, ({ from }) => from);
  writeColumn(windows, ({ from, to }) => to - from);
  writeColumn(windows, ({ count }) => count);
  writeColumn(windows, ({ coverage }) => coverage);
}

interface Base {
  readonly from: Float64Array;
  readonly length: Float64Array;
  readonly count: Float64Array;
  readonly coverage: Float64Array;
}

function readBase(reader: BlockReader, count: number): Base {
  const column = (number: number) => readColumn(reader, count, number);
  return { from: column(0), length: column(1), count: column(2), coverage: column(3) };
}

function writeGauges(windows: readonly GaugeWindow[]): void {
  writeColumn(windows, ({ min }) => min);
  writeColumn(windows, ({ max }) => max);
  writeColumn(windows, ({ mean }) => mean);
  writeColumn(windows, ({ first }) => first);
  writeColumn(windows, ({ last }) => last);
}

function readGauges(reader: BlockReader, count: number, into: WindowRollup[]): void {
  const base = readBase(reader, count);
  const column = (number: number) => readColumn(reader, count, number);
  const [min, max, mean, first, last] = [column(4), column(5), column(6), column(7), column(8)];
  for (let i = 0; i < count; i += 1) {
    const from = base.from[i] as number;
    into.push({
      kind: 'gauge',
      from,
      to: from + (base.length[i] as number),
      count: base.count[i] as number,
      coverage: base.coverage[i] as number,
      min: orNull(min[i]),
      max: orNull(max[i]),
      mean: orNull(mean[i]),
      first: orNull(first[i]),
      last: orNull(last[i]),
    });
  }
}

function writeCounters(windows: readonly CounterWindow[]): void {
  writeColumn(windows, ({ increase }) => increase);
  writeColumn(windows, ({ first }) => first);
  writeColumn(windows, ({ last }) => last);
  writeColumn(windows, ({ estimated }) => (estimated ? 1 : 0));
}

function readCounters(reader: BlockReader, count: number, into: WindowRollup[]): void {
  const base = readBase(reader, count);
  const column = (number: number) => readColumn(reader, count, number);
  const [increase, first, last, estimated] = [column(4), column(5), column(6), column(7)];
  for (let i = 0; i < count; i += 1) {
    const from = base.from[i] as number;
    into.push({
      kind: 'counter',
      from,
      to: from + (base.length[i] as number),
      count: base.count[i] as number,
      coverage: base.coverage[i] as number,
      increase: orNull(increase[i]),
      estimated: estimated[i] === 1,
      first: orNull(first[i]),
      last: orNull(last[i]),
    });
  }
}

/** Words once; of each a column of the time in it. */
function writeStates(windows: readonly StateWindow[]): void {
  const list = new WordList();
  const { words } = list;
  const first = windows.map(({ first }) => (first === null ? null : list.placeOf(first)));
  const last = windows.map(({ last }) => (last === null ? null : list.placeOf(last)));
  for (const { timeInMs } of windows) for (const word of Object.keys(timeInMs)) list.placeOf(word);
  writer.unsigned(words.length);
  for (const word of words) writer.text(word);
  writeColumn(first, (place) => place);
  writeColumn(last, (place) => place);
  for (const word of words)
    writeColumn(windows, ({ timeInMs }) => (Object.hasOwn(timeInMs, word) ? (timeInMs[word] ?? null) : null));
}

function readStates(reader: BlockReader, count: number, into: WindowRollup[]): void {
  const base = readBase(reader, count);
  const words = Array.from({ length: reader.unsigned() }, () => reader.text());
  const first = readColumn(reader, count, 4);
  const last = readColumn(reader, count, 5);
  const times = words.map((_, place) => readColumn(reader, count, 6 + place));
  const wordAt = (place: number | undefined): string | null =>
    place === undefined || Number.isNaN(place) ? null : (words[place] ?? null);
  for (let i = 0; i < count; i += 1) {
    const from = base.from[i] as number;
    const known = words.flatMap((word, place) => {
      const ms = orNull(times[place]?.[i]);
      return ms === null ? [] : [[word, ms] as const];
    });
    into.push({
      kind: 'state',
      from,
      to: from + (base.length[i] as number),
      count: base.count[i] as number,
      coverage: base.coverage[i] as number,
      timeInMs: Object.fromEntries(known),
      first: wordAt(first[i]),
      last: wordAt(last[i]),
    });
  }
}
