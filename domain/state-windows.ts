// What equal windows say about a state or a text: how long it was what.
import type { RollupJob, SeriesColumns, StateWindow } from './series-rollup.js';
import { createWindowSums, followSpans, windowAt } from './value-spans.js';

interface StateSums {
  count: number;
  heldMs: number;
  readonly timeInMs: Map<string, number>;
  first: string | null;
  last: string | null;
}

/** Windows of a job in which something is known, in order. */
export function stateWindows(columns: SeriesColumns, job: RollupJob): StateWindow[] {
  const sums = createWindowSums<StateSums>(() => ({
    count: 0,
    heldMs: 0,
    timeInMs: new Map(),
    first: null,
    last: null,
  }));
  const held = (window: number, place: number, ms: number): void => {
    const state = String(columns.values[place]);
    const ofWindow = sums.of(window);
    ofWindow.heldMs += ms;
    ofWindow.timeInMs.set(state, (ofWindow.timeInMs.get(state) ?? 0) + ms);
    ofWindow.first ??= state;
    ofWindow.last = state;
  };
  followSpans(columns, job, {
    point(window) {
      sums.of(window).count += 1;
    },
    held,
    run(window, first, end) {
      sums.of(window).count += end - first;
      for (let place = first; place < end; place += 1)
        held(window, place, (columns.times[place + 1] as number) - (columns.times[place] as number));
    },
  });
  return sums.all().map(([window, { count, first, heldMs, last, timeInMs }]) => {
    const { from, to } = windowAt(job, window);
    const coverage = heldMs / (to - from);
    return { kind: 'state', from, to, count, coverage, timeInMs: Object.fromEntries(timeInMs), first, last };
  });
}
