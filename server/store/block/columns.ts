// Points of one series in columns, as the embedded store holds them: typed arrays that grow, no object for a point.
import type { Value } from '#domain/reading.js';
import type { SeriesColumns } from '#domain/series-rollup.js';
import { WordList } from './word-list.js';

/**
 * The first `count` entries of the arrays are points; the rest is room. No store takes NaN as a value, so NaN stands for none.
 * Where `words` are there, values are places among them.
 */
export class Columns {
  times: Float64Array;
  values: Float64Array;
  codes: Uint8Array;
  count = 0;
  #list: WordList | undefined;
  /** By time, and no time twice. */
  isOrdered = true;

  constructor(capacity = 64) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.codes = new Uint8Array(capacity);
  }

  /** Makes room for so many points more. */
  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.times.length) return;
    const capacity = Math.max(needed, Math.ceil(this.times.length * 1.5));
    this.times = grown(this.times, new Float64Array(capacity), this.count);
    this.values = grown(this.values, new Float64Array(capacity), this.count);
    this.codes = grown(this.codes, new Uint8Array(capacity), this.count);
  }

  /** @param value NaN for none */
  push(at: number, value: number, code: number): void {
    const place = this.count;
    if (place === this.times.length) this.reserve(1);
    if (place > 0 && at <= (this.times[place - 1] as number)) this.isOrdered = false;
    this.times[place] = at;
    this.values[place] = value;
    this.codes[place] = code;
    this.count = place + 1;
  }

  get words(): readonly string[] | undefined {
    return this.#list?.words;
  }

  /** The words, from now on there. */
  wordList(): WordList {
    this.#list ??= new WordList();
    return this.#list;
  }

  /** The place of a word, which is the value of a point that says it. */
  placeOf(word: string): number {
    return this.wordList().placeOf(word);
  }

  valueAt(place: number): Value {
    const value = this.values[place] as number;
    if (Number.isNaN(value)) return null;
    return this.words === undefined ? value : (this.words[value] as string);
  }

  /** Appends points of another one with from ≤ place < to. */
  append(other: Columns, from = 0, to = other.count): void {
    if (to <= from) return;
    this.reserve(to - from);
    const start = this.count;
    if (!other.isOrdered || (start > 0 && (other.times[from] as number) <= (this.times[start - 1] as number)))
      this.isOrdered = false;
    this.times.set(other.times.subarray(from, to), start);
    this.codes.set(other.codes.subarray(from, to), start);
    this.values.set(other.values.subarray(from, to), start);
    this.count = start + to - from;
    if (other.words !== undefined) this.translate(other.words, start);
  }

  /** Makes places among these words, from place `start` on, places among the columns' own. */
  translate(words: readonly string[], start: number): void {
    const places = words.map((word) => this.placeOf(word));
    for (let place = start; place < this.count; place += 1) {
      const value = this.values[place] as number;
      if (!Number.isNaN(value)) this.values[place] = places[value] as number;
    }
  }

  /** Of the points from place `start` on, which are ordered, keeps those with from ≤ at < to. */
  keep(start: number, from: number, to: number): void {
    const [first, end] = [placeOf(this, start, from), placeOf(this, start, to)];
    if (first > start) for (const column of [this.times, this.values, this.codes]) column.copyWithin(start, first, end);
    this.count = start + end - first;
  }

  /** The same points by time; of those at one time only the one that came last. */
  ordered(): Columns {
    if (this.isOrdered) return this;
    const { codes, count, times, values } = this;
    const places = new Uint32Array(count);
    for (let place = 0; place < count; place += 1) places[place] = place;
    places.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
    const result = new Columns(count);
    result.#list = this.#list;
    for (let i = 0; i < count; i += 1) {
      const place = places[i] as number;
      if (i + 1 < count && times[places[i + 1] as number] === times[place]) continue;
      result.push(times[place] as number, values[place] as number, codes[place] as number);
    }
    return result;
  }

  clear(): void {
    this.count = 0;
    this.#list = undefined;
    this.isOrdered = true;
  }
}

function grown<T extends Float64Array | Uint8Array>(old: T, fresh: T, count: number): T {
  fresh.set(old.subarray(0, count));
  return fresh;
}

/** How many points of ordered columns stand before `at`. */
export function countBefore(columns: Columns, at: number): number {
  return placeOf(columns, 0, at);
}

/** The first place from `start` on whose time is not before `at`. */
function placeOf({ count, times }: Columns, start: number, at: number): number {
  let low = start;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** In the shape that rollups are worked out from, without a copy where no value is missing. */
export function seriesColumns(columns: Columns): SeriesColumns {
  const { count, words } = columns;
  const times = columns.times.subarray(0, count);
  const codes = columns.codes.subarray(0, count);
  const values = columns.values.subarray(0, count);
  if (words === undefined && isWhole(values)) return { times, codes, values };
  return { times, codes, values: Array.from({ length: count }, (_, place) => columns.valueAt(place)) };
}

function isWhole(values: Float64Array): boolean {
  for (let place = 0; place < values.length; place += 1) if (Number.isNaN(values[place])) return false;
  return true;
}

/** Both ordered; of two points at one time the newer columns' one stays. */
export function merged(older: Columns, newer: Columns): Columns {
  if (newer.count === 0) return older;
  if (older.count === 0) return newer;
  const result = new Columns(older.count + newer.count);
  let from = 0;
  let next = 0;
  while (next < newer.count) {
    const at = newer.times[next] as number;
    const until = countBefore(older, at);
    result.append(older, from, until);
    from = older.times[until] === at && until < older.count ? until + 1 : until;
    const bound = from < older.count ? (older.times[from] as number) : Number.POSITIVE_INFINITY;
    const first = next;
    while (next < newer.count && (newer.times[next] as number) < bound) next += 1;
    result.append(newer, first, next);
  }
  result.append(older, from);
  return result;
}
