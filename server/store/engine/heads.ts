// Points that are in the log only: of each series and window those that came since blocks were sealed last.
import { Columns, ordered } from '../block/columns.js';
import type { PointSink } from './log-record.js';
import { startOf, WINDOW_MS, windowOf } from './window-key.js';

export interface Head {
  readonly series: number;
  readonly window: number;
  readonly from: number;
  readonly to: number;
  /** In order of arrival. */
  readonly columns: Columns;
}

/** Memory that is kept for the next points. */
const FREE_MAX = 20_000;
const FREE_CAPACITY_MAX = 1024;

export class Heads implements PointSink {
  /** By series; the one that was written last stands first. */
  #heads: Head[][] = [];
  readonly #free: Columns[] = [];
  /** How many points there are. */
  count = 0;

  push(series: number, at: number, value: number, code: number): void {
    this.#at(series, at).columns.push(at, value, code);
    this.count += 1;
  }

  pushWord(series: number, at: number, word: string, code: number): void {
    const { columns } = this.#at(series, at);
    columns.push(at, columns.placeOf(word), code);
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
    const from = startOf(window);
    const columns = place < 0 ? (this.#free.pop() ?? new Columns()) : new Columns(0);
    const head = ofSeries[place] ?? { series, window, from, to: from + WINDOW_MS, columns };
    if (place < 0) ofSeries.unshift(head);
    else [ofSeries[0], ofSeries[place]] = [head, ofSeries[0] as Head];
    return head;
  }

  /** The points of a series with from ≤ at < to, ordered, and perhaps some around them. */
  of(series: number, from: number, to: number): Columns {
    const columns = new Columns(0);
    for (const head of this.#windows(series))
      if (head.to > from && head.from < to) columns.append(ordered(head.columns));
    return columns;
  }

  /** The start of the newest window of a series before `to`; `undefined` where there is none. */
  newestBefore(series: number, to: number): number | undefined {
    return this.#windows(series)
      .filter((head) => head.from < to)
      .at(-1)?.from;
  }

  #windows(series: number): Head[] {
    return [...(this.#heads[series] ?? [])].sort((a, b) => a.window - b.window);
  }

  /** All, by series and window. */
  *all(): Generator<Head> {
    for (let series = 0; series < this.#heads.length; series += 1)
      if (this.#heads[series] !== undefined) yield* this.#windows(series);
  }

  /** Forgets all: they are sealed. */
  clear(): void {
    for (const ofSeries of this.#heads)
      for (const { columns } of ofSeries ?? []) {
        if (this.#free.length >= FREE_MAX || columns.times.length > FREE_CAPACITY_MAX) continue;
        columns.clear();
        this.#free.push(columns);
      }
    this.#heads = [];
    this.count = 0;
  }
}
