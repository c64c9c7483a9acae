// How long each value of a series is known to have held, cut where windows end: the one rule behind coverage, means and times
// in states of rollups.
import { isMeasured } from './quality.js';
import { GAP_FACTOR } from './rollup.js';
import { QUARTER_MS, type RollupJob, type SeriesColumns } from './series-rollup.js';
import type { Window } from './window.js';

type Layout = Pick<RollupJob, 'from' | 'to' | 'bucketMs'>;

/** The window with this number; the last one may be shorter. */
export function windowAt({ bucketMs, from, to }: Layout, window: number): Window {
  const start = from + window * bucketMs;
  return { from: start, to: Math.min(start + bucketMs, to) };
}

/** What is summed up of each window, made when it is first asked for. */
export interface WindowSums<T> {
  of(window: number): T;
  /** By window. */
  all(): [window: number, sums: T][];
}

export function createWindowSums<T>(fresh: () => T): WindowSums<T> {
  const sums = new Map<number, T>();
  // Points come window by window: the last one is nearly always the one that is asked for.
  let last: T | undefined;
  let lastWindow = -1;
  return {
    of(window) {
      if (last !== undefined && window === lastWindow) return last;
      last = sums.get(window) ?? fresh();
      sums.set(window, last);
      lastWindow = window;
      return last;
    },
    all: () => [...sums].sort(([a], [b]) => a - b),
  };
}

/** Takes what held in windows of equal length, numbered from the start of the job. */
export interface SpanSink {
  /** A measured point inside the job. */
  point(window: number, place: number): void;
  /** The value at `place` held for so long in the window; in order of time. */
  held(window: number, place: number, ms: number): void;
  /** The same of measured points at `first` ≤ place < `end`, all inside the window, each of which held until the next one. */
  run(window: number, first: number, end: number): void;
}

/**
 * A point holds until the next one, or as long as it promised where that comes later: `expectedEveryMs`. One sample may be lost
 * on the way and the next come late by half a period, but only within a quarter: across its end a value holds as it promised, so
 * that what is known of one quarter does not depend on what comes in the next.
 */
export function followSpans(
  columns: SeriesColumns,
  { bucketMs, expectedEveryMs, from, kind, to }: RollupJob,
  sink: SpanSink,
): void {
  const { codes, times, values } = columns;
  const count = times.length;
  const type = kind === 'state' ? 'string' : 'number';
  const lateMs = GAP_FACTOR * expectedEveryMs;
  let window = 0;
  let windowEnd = Math.min(from + bucketMs, to);
  for (let place = 0; place < count; place += 1) {
    const at = times[place] as number;
    if (at >= to) return;
    if (typeof values[place] !== type || !isMeasured(codes[place] as number)) continue;
    if (at >= from) {
      while (at >= windowEnd) {
        window += 1;
        windowEnd = Math.min(from + (window + 1) * bucketMs, to);
      }
      const end = endOfRun(columns, place, type, windowEnd, expectedEveryMs);
      if (end > place) {
        sink.run(window, place, end);
        place = end - 1;
        continue;
      }
      sink.point(window, place);
    }
    const next = place + 1 < count ? (times[place + 1] as number) : Number.POSITIVE_INFINITY;
    let until = at + expectedEveryMs;
    if (next < until || (next - at <= lateMs && next <= quarterEnd(at))) until = next;
    if (until > to) until = to;
    let start = at < from ? from : at;
    while (start < until) {
      while (start >= windowEnd) {
        window += 1;
        windowEnd = Math.min(from + (window + 1) * bucketMs, to);
      }
      const end = Math.min(until, windowEnd);
      sink.held(window, place, end - start);
      start = end;
    }
  }
}

/** Past the last of the measured points from `first` on that hold until the next one, not beyond `until`: nearly all do. */
function endOfRun(
  { codes, times, values }: SeriesColumns,
  first: number,
  type: 'string' | 'number',
  until: number,
  expectedEveryMs: number,
): number {
  const last = times.length - 1;
  const isNumbers = type === 'number' && values instanceof Float64Array;
  let place = first;
  let at = times[first] as number;
  while (place < last && (isNumbers || typeof values[place] === type) && isMeasured(codes[place] as number)) {
    const next = times[place + 1] as number;
    if (next > until || next - at > expectedEveryMs) break;
    at = next;
    place += 1;
  }
  return place;
}

function quarterEnd(at: number): number {
  return (Math.floor(at / QUARTER_MS) + 1) * QUARTER_MS;
}
