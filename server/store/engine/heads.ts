// Points that are in the log only: of each series and window those that came since blocks were sealed last.
import { Columns } from '../block/columns.js';
import { WordList } from '../block/word-list.js';
import type { PointSink } from './log-record.js';
import { startOf, WINDOW_MS, windowOf } from './window-key.js';

export interface Head {
  readonly series: number;
  readonly window: number;
  readonly from: number;
  readonly to: number;
  readonly points: HeadPoints;
}

/**
 * Points in order of arrival. Time and value stand side by side and codes only where one is not zero: points of thousands of
 * series come in turns, and each place in memory that a point touches is one that the processor waits for.
 */
class HeadPoints {
  #pairs = new Float64Array(32);
  #codes: Uint8Array | undefined;
  #words: WordList | undefined;
  count = 0;

  push(at: number, value: number, code: number): void {
    const place = this.count * 2;
    if (place === this.#pairs.length) this.#grow();
    this.#pairs[place] = at;
    this.#pairs[place + 1] = value;
    if (code !== 0 || this.#codes !== undefined) this.#setCode(code);
    this.count += 1;
  }

  #grow(): void {
    const larger = new Float64Array(this.#pairs.length * 2);
    larger.set(this.#pairs);
    this.#pairs = larger;
  }

  #setCode(code: number): void {
    if (this.#codes === undefined || this.count >= this.#codes.length) {
      const larger = new Uint8Array(this.#pairs.length / 2);
      if (this.#codes !== undefined) larger.set(this.#codes);
      this.#codes = larger;
    }
    this.#codes[this.count] = code;
  }

  /** The place of a word, which is the value of a point that says it. */
  placeOf(word: string): number {
    this.#words ??= new WordList();
    return this.#words.placeOf(word);
  }

  /** Appends the points, as they came. */
  copyTo(columns: Columns): void {
    const places = this.#words?.words.map((word) => columns.placeOf(word));
    columns.reserve(this.count);
    for (let place = 0; place < this.count; place += 1) {
      const value = this.#pairs[2 * place + 1] as number;
      const translated = places === undefined || Number.isNaN(value) ? value : (places[value] as number);
      columns.push(this.#pairs[2 * place] as number, translated, this.#codes?.[place] ?? 0);
    }
  }

  clear(): void {
    this.#codes = undefined;
    this.#words = undefined;
    this.count = 0;
  }

  get capacity(): number {
    return this.#pairs.length / 2;
  }
}

/** Memory that is kept for the next points of the same series, which are likely to be as many. */
const SPARE_CAPACITY_MAX = 1024;

export class Heads implements PointSink {
  /** By series; the one that was written last stands first. */
  #heads: (Head[] | undefined)[] = [];
  readonly #spare: (HeadPoints | undefined)[] = [];
  /** How many points there are. */
  count = 0;

  push(series: number, at: number, value: number, code: number): void {
    this.#at(series, at).points.push(at, value, code);
    this.count += 1;
  }

  pushWord(series: number, at: number, word: string, code: number): void {
    const { points } = this.#at(series, at);
    points.push(at, points.placeOf(word), code);
    this.count += 1;
  }

  #at(series: number, at: number): Head {
    const head = this.#heads[series]?.[0];
    return head !== undefined && at >= head.from && at < head.to ? head : this.#find(series, at);
  }

  #find(series: number, at: number): Head {
    const ofSeries = this.#heads[series] ?? [];
    this.#heads[series] = ofSeries;
    const window = windowOf(at);
    const place = ofSeries.findIndex((head) => head.window === window);
    const known = ofSeries[place];
    if (known !== undefined) {
      [ofSeries[0], ofSeries[place]] = [known, ofSeries[0] as Head];
      return known;
    }
    const from = startOf(window);
    const head = { series, window, from, to: from + WINDOW_MS, points: this.#spare[series] ?? new HeadPoints() };
    this.#spare[series] = undefined;
    ofSeries.unshift(head);
    return head;
  }

  /** The points of a series with from ≤ at < to, ordered, and perhaps some around them. */
  of(series: number, from: number, to: number): Columns {
    const columns = new Columns(0);
    for (const head of this.#windows(series)) {
      if (head.to <= from || head.from >= to) continue;
      const ofHead = new Columns(head.points.count);
      head.points.copyTo(ofHead);
      columns.append(ofHead.ordered());
    }
    return columns;
  }

  /** The start of the newest window of a series before `to`; `undefined` where there is none. */
  newestBefore(series: number, to: number): number | undefined {
    return this.#windows(series)
      .filter((head) => head.from < to)
      .at(-1)?.from;
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
    for (const ofSeries of this.#heads) {
      const [head] = ofSeries ?? [];
      if (head === undefined || head.points.capacity > SPARE_CAPACITY_MAX) continue;
      head.points.clear();
      this.#spare[head.series] = head.points;
    }
    this.#heads = [];
    this.count = 0;
  }
}
