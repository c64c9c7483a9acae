// Sets of records as ranges of their numbers. What is sent and receipted comes nearly in order, so there are few ranges, and a
// receipt costs one small row instead of one change per record.
import { placeOf } from '../uplink/id-ranges.js';
import type { FactKind, Facts } from './facts.js';

export interface SeqRange {
  readonly first: number;
  readonly last: number;
  /** When it happened: the latest of what was joined. */
  readonly at: number;
}

/** Sorted, never overlapping; kept as facts of one kind. */
export class SeqRanges {
  readonly #facts: Facts;
  readonly #kind: FactKind;
  /** Neighbours are joined when their times are no further apart. */
  readonly #joinMs: number;
  #ranges: SeqRange[] = [];

  constructor(facts: Facts, kind: FactKind, joinMs = Number.POSITIVE_INFINITY) {
    this.#facts = facts;
    this.#kind = kind;
    this.#joinMs = joinMs;
    this.reload();
  }

  /** Takes over what the facts say. */
  reload(): void {
    this.#ranges = this.#facts
      .entries<[number, number]>(this.#kind)
      .map(([first, [last, at]]) => ({ first: Number(first), last, at }))
      .sort((a, b) => a.first - b.first);
  }

  list(): readonly SeqRange[] {
    return this.#ranges;
  }

  /** Index of the first range that ends at `seq` or later. */
  #indexAt(seq: number): number {
    return placeOf(this.#ranges, ({ last }) => last, seq);
  }

  has(seq: number): boolean {
    const range = this.#ranges[this.#indexAt(seq)];
    return range !== undefined && range.first <= seq;
  }

  /** The end of the last range below `seq`; 0 where there is none. */
  endBelow(seq: number): number {
    return this.#ranges[this.#indexAt(seq) - 1]?.last ?? 0;
  }

  /** What of [first, last] is not in the set. */
  gaps(first: number, last: number): [number, number][] {
    const gaps: [number, number][] = [];
    let from = first;
    for (let i = this.#indexAt(first); from <= last; i += 1) {
      const range = this.#ranges[i];
      if (range === undefined || range.first > last) {
        gaps.push([from, last]);
        break;
      }
      if (range.first > from) gaps.push([from, range.first - 1]);
      from = range.last + 1;
    }
    return gaps;
  }

  add(first: number, last: number, at = 0): void {
    if (first > last) return;
    this.remove(first, last);
    let merged: SeqRange = { first, last, at };
    let index = this.#indexAt(first);
    const joins = (other: SeqRange | undefined) => other !== undefined && Math.abs(other.at - at) <= this.#joinMs;
    const before = this.#ranges[index - 1];
    const after = this.#ranges[index];
    let count = 0;
    if (before !== undefined && before.last === first - 1 && joins(before)) {
      merged = { first: before.first, last: merged.last, at: Math.max(before.at, at) };
      index -= 1;
      count += 1;
    }
    if (after !== undefined && after.first === last + 1 && joins(after)) {
      merged = { first: merged.first, last: after.last, at: Math.max(after.at, merged.at) };
      count += 1;
    }
    this.#replace(index, count, [merged]);
  }

  remove(first: number, last: number): void {
    const index = this.#indexAt(first);
    let count = 0;
    const left: SeqRange[] = [];
    for (let range = this.#ranges[index]; range !== undefined && range.first <= last; ) {
      if (range.first < first) left.push({ ...range, last: first - 1 });
      if (range.last > last) left.push({ ...range, first: last + 1 });
      count += 1;
      range = this.#ranges[index + count];
    }
    if (count > 0) this.#replace(index, count, left);
  }

  #replace(index: number, count: number, ranges: readonly SeqRange[]): void {
    const old = this.#ranges.splice(index, count, ...ranges);
    for (const { first } of old)
      if (!ranges.some((range) => range.first === first)) this.#facts.delete(this.#kind, String(first));
    for (const { first, last, at } of ranges) this.#facts.set(this.#kind, String(first), [last, at]);
  }
}
