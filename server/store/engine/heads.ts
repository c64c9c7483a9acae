// Points that are in the log only: of each series and window those that came since blocks were sealed last.
import { Columns } from '../block/columns.js';
import { WordList } from '../block/word-list.js';
import { CHUNK_POINTS, ChunkPool, isEnd, NO_ROOM } from './chunk-pool.js';
import type { PointSink } from './log-record.js';
import { startOf, WINDOW_MS, windowOf } from './window-key.js';

export interface Head {
  readonly series: number;
  readonly window: number;
  /** Where the chunks of its points begin; all but the last are full. */
  readonly chunks: number[];
  /** Where the next point goes, unless the head is the current one of its series. */
  next: number;
  /** Where they are there, values are places among them. */
  words: WordList | undefined;
}

/** A chunk for a single point is still memory: so many times as much room as points counts as points. */
const ROOM_FACTOR = 2;

export class Heads implements PointSink {
  readonly #pool = new ChunkPool();
  /** By series; the current one, which was written last, stands first. */
  #heads: (Head[] | undefined)[] = [];
  // Of the current head of each series where its window begins, and where the next point goes. Points of thousands of series
  // come in turns, and each place in memory that a point touches is one that the processor waits for.
  #from = new Float64Array(0);
  #next = new Uint32Array(0);
  /** How many points there are. */
  count = 0;

  push(series: number, at: number, value: number, code: number): void {
    if (!this.#isCurrent(series, at)) this.#enter(series, windowOf(at));
    let place = this.#next[series] as number;
    if (isEnd(place)) place = this.#grow(series);
    this.#pool.put(place, at, value, code);
    this.#next[series] = place + 2;
    this.count += 1;
  }

  pushWord(series: number, at: number, word: string, code: number): void {
    if (!this.#isCurrent(series, at)) this.#enter(series, windowOf(at));
    const head = this.#current(series);
    head.words ??= new WordList();
    this.push(series, at, head.words.placeOf(word), code);
  }

  /** The points, or what takes as much memory. */
  get load(): number {
    return Math.max(this.count, (this.#pool.taken * CHUNK_POINTS) / ROOM_FACTOR);
  }

  #isCurrent(series: number, at: number): boolean {
    if (series >= this.#from.length) return false;
    const from = this.#from[series] as number;
    return at >= from && at < from + WINDOW_MS;
  }

  #current(series: number): Head {
    return this.#heads[series]?.[0] as Head;
  }

  /** Makes the head of a window the current one of its series. */
  #enter(series: number, window: number): void {
    if (series >= this.#from.length) this.#makeRoomFor(series);
    const ofSeries = this.#heads[series] ?? [];
    this.#heads[series] = ofSeries;
    const [last] = ofSeries;
    if (last !== undefined) last.next = this.#next[series] as number;
    const place = ofSeries.findIndex((head) => head.window === window);
    const head = ofSeries[place] ?? { series, window, chunks: [], next: NO_ROOM, words: undefined };
    if (place < 0) ofSeries.unshift(head);
    else [ofSeries[0], ofSeries[place]] = [head, last as Head];
    this.#from[series] = startOf(window);
    this.#next[series] = head.next;
  }

  #makeRoomFor(series: number): void {
    const capacity = Math.max(2 * this.#from.length, series + 1, 256);
    const from = new Float64Array(capacity).fill(Number.NaN);
    const next = new Uint32Array(capacity);
    from.set(this.#from);
    next.set(this.#next);
    this.#from = from;
    this.#next = next;
  }

  /** Gives the current head another chunk. */
  #grow(series: number): number {
    const start = this.#pool.take();
    this.#current(series).chunks.push(start);
    return start;
  }

  /** Appends the points of a head, as they came. */
  copy(head: Head, into: Columns): void {
    const { chunks, series, words } = head;
    const last = chunks.length - 1;
    const next = this.#current(series) === head ? (this.#next[series] as number) : head.next;
    const start = into.count;
    into.reserve(chunks.length * CHUNK_POINTS);
    chunks.forEach((chunk, i) => {
      this.#pool.copy(chunk, i < last ? CHUNK_POINTS : (next - chunk) / 2, into);
    });
    if (words !== undefined) into.translate(words.words, start);
  }

  /** The points of a series with from ≤ at < to, ordered, and perhaps some around them. */
  of(series: number, from: number, to: number): Columns {
    const columns = new Columns(0);
    for (const head of this.#windows(series)) {
      const start = startOf(head.window);
      if (start + WINDOW_MS <= from || start >= to) continue;
      const ofHead = new Columns(0);
      this.copy(head, ofHead);
      columns.append(ofHead.ordered());
    }
    return columns;
  }

  /** The start of the newest window of a series before `to`; `undefined` where there is none. */
  newestBefore(series: number, to: number): number | undefined {
    const newest = this.#windows(series).findLast(({ window }) => startOf(window) < to);
    return newest === undefined ? undefined : startOf(newest.window);
  }

  #windows(series: number): Head[] {
    const ofSeries = this.#heads[series] ?? [];
    return ofSeries.length < 2 ? ofSeries : [...ofSeries].sort((a, b) => a.window - b.window);
  }

  /** All, by series and window. */
  *all(): Generator<Head> {
    for (let series = 0; series < this.#heads.length; series += 1)
      if (this.#heads[series] !== undefined) yield* this.#windows(series);
  }

  /** Forgets all: they are sealed. */
  clear(): void {
    this.#heads = [];
    this.#from.fill(Number.NaN);
    this.#pool.takeBackAll();
    this.count = 0;
  }
}
