// What equal windows say about a state or a text: how long it was what.
import type { RollupJob, SeriesColumns, StateWindow } from './series-rollup.js';
import { followSpans } from './value-spans.js';

interface StateSums {
  count: number;
  heldMs: number;
  readonly timeInMs: Map<string, number>;
  first: string | null;
  last: string | null;
}

/** Windows of a job in which something is known, in order. */
export function stateWindows(columns: SeriesColumns, job: RollupJob): StateWindow[] {
  const sums = new Map<number, StateSums>();
  let last: StateSums | undefined;
  let lastWindow = -1;
  const sumsOf = (window: number): StateSums => {
    if (last !== undefined && window === lastWindow) return last;
    last = sums.get(window) ?? { count: 0, heldMs: 0, timeInMs: new Map(), first: null, last: null };
    sums.set(window, last);
    lastWindow = window;
    return last;
  };
  followSpans(columns, job, {
    point(window) {
      sumsOf(window).count += 1;
    },
    held(window, place, ms) {
      const state = String(columns.values[place]);
      const ofWindow = sumsOf(window);
      ofWindow.heldMs += ms;
      ofWindow.timeInMs.set(state, (ofWindow.timeInMs.get(state) ?? 0) + ms);
      ofWindow.first ??= state;
      ofWindow.last = state;
    },
  });
  return [...sums].map(([window, { count, first, heldMs, last, timeInMs }]) => {
    const from = job.from + window * job.bucketMs;
    const to = Math.min(from + job.bucketMs, job.to);
    const coverage = heldMs / (to - from);
    return { kind: 'state', from, to, count, coverage, timeInMs: Object.fromEntries(timeInMs), first, last };
  });
}
