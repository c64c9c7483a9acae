// One block: points of one series by time, in columns, with a checksum. What comes out is what went in, bit for bit.
import { deflateRawSync } from 'node:zlib';
import { BlockDamage, BlockReader, BlockWriter } from './bytes.js';
import type { Columns } from './columns.js';
import { contentOf, framed, headOf } from './frame.js';
import { readNumbers, writeNumbers } from './numbers.js';

const VERSION = 2;
const DEFLATED = 1;
const WITH_GAPS = 2;
const WITH_WORDS = 4;
/** Shorter bodies are hardly smaller when deflated. */
const DEFLATE_BYTES_MIN = 64;

// Reused: what is written is copied out of them before the next block is begun.
const body = new BlockWriter(64 * 1024);
let present = new Float64Array(1024);

/**
 * @param columns ordered
 * @param deflate makes it smaller by half, for three times the work
 * @param key under which it is kept
 */
export function encodeBlock(columns: Columns, deflate: boolean, key = 0): Uint8Array {
  const { codes, count, times, values, words } = columns;
  body.length = 0;
  body.unsigned(count);
  writeTimes(times, count);
  writeRuns(codes, count);
  const numbers = withoutGaps(values, count);
  const hasGaps = numbers.count < count;
  if (hasGaps) writeGaps(values, count);
  if (words === undefined) writeNumbers(body, numbers.values, numbers.count);
  else writeWords(words, numbers.values, numbers.count);
  const head = VERSION * 16 + (hasGaps ? WITH_GAPS : 0) + (words === undefined ? 0 : WITH_WORDS);
  const plain = body.bytes.subarray(0, body.length);
  if (deflate && plain.length >= DEFLATE_BYTES_MIN) {
    const small = deflateRawSync(plain, { level: 1 });
    if (small.length < plain.length) return framed(head + DEFLATED, small, key);
  }
  return framed(head, plain, key);
}

/** Appends the points of a block to columns. Throws {@link BlockDamage} where the bytes are not those that were written. */
export function decodeBlock(block: Uint8Array, into: Columns, key = 0): void {
  const head = headOf(block);
  if (head >> 4 !== VERSION) throw new BlockDamage('a block of an unknown version');
  const reader = new BlockReader(contentOf(block, (head & DEFLATED) !== 0, key));
  const count = reader.unsigned();
  const start = into.count;
  into.reserve(count);
  readTimes(reader, into, count);
  readRuns(reader, into.codes, start, count);
  const missing = (head & WITH_GAPS) === 0 ? undefined : readGaps(reader, count);
  const numbers = count - (missing?.count ?? 0);
  if ((head & WITH_WORDS) === 0) readNumbers(reader, into.values, start, numbers);
  else readWords(reader, into, numbers);
  if (!reader.isDone) throw new BlockDamage('a block goes on behind its end');
  into.count = start + count;
  if (missing !== undefined) spread(into.values, start, count, missing.runs);
}

/** The first time, then steps, each with how often it repeats. */
function writeTimes(times: Float64Array, count: number): void {
  body.unsigned(times[0] ?? 0);
  for (let place = 1; place < count; ) {
    const step = (times[place] as number) - (times[place - 1] as number);
    const first = place;
    while (place < count && (times[place] as number) - (times[place - 1] as number) === step) place += 1;
    body.unsigned(step);
    body.unsigned(place - first);
  }
}

function readTimes(reader: BlockReader, into: Columns, count: number): void {
  const { count: start, times } = into;
  let at = reader.unsigned();
  if (count === 0) return;
  if (start > 0 && at <= (times[start - 1] as number)) into.isOrdered = false;
  times[start] = at;
  for (let place = start + 1; place < start + count; ) {
    const step = reader.unsigned();
    const run = reader.unsigned();
    if (run < 1 || run > start + count - place) throw new BlockDamage('a run that does not fit');
    for (const end = place + run; place < end; place += 1) {
      at += step;
      times[place] = at;
    }
  }
}

function writeRuns(values: ArrayLike<number>, count: number): void {
  for (let place = 0; place < count; ) {
    const first = place;
    const value = values[place] as number;
    while (place < count && values[place] === value) place += 1;
    body.unsigned(value);
    body.unsigned(place - first);
  }
}

function readRuns(reader: BlockReader, into: Uint8Array | Float64Array, start: number, count: number): void {
  for (let place = start; place < start + count; ) {
    const value = reader.unsigned();
    const run = reader.unsigned();
    if (run < 1 || run > start + count - place) throw new BlockDamage('a run that does not fit');
    into.fill(value, place, place + run);
    place += run;
  }
}

function withoutGaps(values: Float64Array, count: number): { values: Float64Array; count: number } {
  let place = 0;
  while (place < count && !Number.isNaN(values[place])) place += 1;
  if (place === count) return { values, count };
  if (present.length < count) present = new Float64Array(count);
  present.set(values.subarray(0, place));
  let found = place;
  for (; place < count; place += 1) {
    const value = values[place] as number;
    if (!Number.isNaN(value)) present[found++] = value;
  }
  return { values: present, count: found };
}

/** How many values there are, then how many are missing, in turn. */
function writeGaps(values: Float64Array, count: number): void {
  let missing = false;
  for (let place = 0; place < count; missing = !missing) {
    const first = place;
    while (place < count && Number.isNaN(values[place]) === missing) place += 1;
    body.unsigned(place - first);
  }
}

function readGaps(reader: BlockReader, count: number): { runs: readonly number[]; count: number } {
  const runs: number[] = [];
  let missing = 0;
  for (let place = 0; place < count; ) {
    const run = reader.unsigned();
    if (run > count - place || (run === 0 && runs.length > 0)) throw new BlockDamage('a run that does not fit');
    if (runs.length % 2 === 1) missing += run;
    runs.push(run);
    place += run;
  }
  return { runs, count: missing };
}

/** Moves values to their places, from the last one on, and puts NaN between them. */
function spread(values: Float64Array, start: number, count: number, runs: readonly number[]): void {
  let to = start + count;
  let from = to;
  for (let i = 1; i < runs.length; i += 2) from -= runs[i] as number;
  for (let i = runs.length - 1; i >= 0; i -= 1) {
    const run = runs[i] as number;
    if (i % 2 === 1) values.fill(Number.NaN, to - run, to);
    else {
      values.copyWithin(to - run, from - run, from);
      from -= run;
    }
    to -= run;
  }
}

/** The words that are used, in order of first use, then places among them as runs. */
function writeWords(words: readonly string[], places: Float64Array, count: number): void {
  const used = new Map<number, number>();
  const renumbered = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    const place = places[i] as number;
    const known = used.get(place);
    renumbered[i] = known ?? used.size;
    if (known === undefined) used.set(place, used.size);
  }
  body.unsigned(used.size);
  for (const place of used.keys()) body.text(words[place] as string);
  writeRuns(renumbered, count);
}

function readWords(reader: BlockReader, into: Columns, count: number): void {
  const size = reader.unsigned();
  if (size > count) throw new BlockDamage('more words than values');
  const list = into.wordList();
  const places = Array.from({ length: size }, () => list.placeOf(reader.text()));
  const { values, count: start } = into;
  readRuns(reader, values, start, count);
  for (let place = start; place < start + count; place += 1) {
    const word = places[values[place] as number];
    if (word === undefined) throw new BlockDamage('a word that is not there');
    values[place] = word;
  }
}
