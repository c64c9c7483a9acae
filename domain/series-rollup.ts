// What equal windows, side by side, say about one series, from its points in columns. The columns come as a store holds them,
// so that a month of a busy series need not become a million objects.
import type { CounterSpec } from './counter.js';
import { counterWindows } from './counter-windows.js';
import { gaugeWindows } from './gauge-windows.js';
import type { Value } from './reading.js';
import { type GapPart, gapPartsOf } from './rollup.js';
import { stateWindows } from './state-windows.js';

/** Points of one series by time, no time twice; all three equally long. */
export interface SeriesColumns {
  /** Source times, epoch ms. */
  readonly times: ArrayLike<number>;
  /** null exactly where the code says that there is no value. */
  readonly values: ArrayLike<Value>;
  /** Reason codes of `quality.ts`. */
  readonly codes: ArrayLike<number>;
}

/** What is kept of each window, longest last. `quarter` is 15 minutes. */
export const ROLLUP_SPANS = ['quarter', 'day', 'month', 'year'] as const;
export type RollupSpan = (typeof ROLLUP_SPANS)[number];
export const QUARTER_MS = 900_000;

interface WindowBase {
  readonly from: number;
  readonly to: number;
  /** Measured points inside. */
  readonly count: number;
  /** 0..1, the time of the window in which the value is known. */
  readonly coverage: number;
}

export interface GaugeWindow extends WindowBase {
  readonly kind: 'gauge';
  readonly min: number | null;
  readonly max: number | null;
  /** Weighted by the time that each value held. */
  readonly mean: number | null;
  readonly first: number | null;
  readonly last: number | null;
}

export interface CounterWindow extends WindowBase {
  readonly kind: 'counter';
  /** null where no step ended in the window. Increases of windows side by side add up to that of the whole. */
  readonly increase: number | null;
  /** The true increase may be larger, or part of it belong to a window before. */
  readonly estimated: boolean;
  /** Register readings. */
  readonly first: number | null;
  readonly last: number | null;
}

export interface StateWindow extends WindowBase {
  readonly kind: 'state';
  /** Milliseconds in each state. */
  readonly timeInMs: Readonly<Record<string, number>>;
  readonly first: string | null;
  readonly last: string | null;
}

export type WindowRollup = GaugeWindow | CounterWindow | StateWindow;

/** A question about one series. */
export interface RollupJob {
  /** `text` metrics are asked for as states. */
  readonly kind: WindowRollup['kind'];
  /** Whole windows of `bucketMs` from here; the last may be shorter. */
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  /** The longest time between two points while all is well. */
  readonly expectedEveryMs: number;
  /** Counters only. */
  readonly counter?: CounterSpec;
  /** Also say where nothing is known, and why. */
  readonly withGaps?: boolean;
}

export interface SeriesRollup {
  /** One for each window in which something is known; none where nothing is. */
  readonly windows: readonly WindowRollup[];
  /** Of the whole job; empty unless asked for. */
  readonly gaps: readonly GapPart[];
}

/** Of a counter a reading in doubt is believed or not by those around it: so much of its past tells which. */
const COUNTER_LOOK_BACK_MS = 6 * 3_600_000;

/** So far back a point may stand that still says something about the first window of a job. */
export function lookBackMs({ expectedEveryMs, kind }: Pick<RollupJob, 'expectedEveryMs' | 'kind'>): number {
  return Math.max(3 * expectedEveryMs, kind === 'counter' ? COUNTER_LOOK_BACK_MS : 0);
}

/**
 * Jobs side by side whose bounds lie on quarters give what one job over all of them gives, as far as doubts of a counter settle
 * within six hours.
 * @param columns from `from` − {@link lookBackMs} on (and the last measured point before that), until `to`
 */
export function rollUpSeries(columns: SeriesColumns, job: RollupJob): SeriesRollup {
  return { windows: windowsOf(columns, job), gaps: job.withGaps === true ? gapsIn(columns, job) : [] };
}

function windowsOf(columns: SeriesColumns, job: RollupJob): readonly WindowRollup[] {
  if (job.kind === 'gauge') return gaugeWindows(columns, job);
  return job.kind === 'counter' ? counterWindows(columns, job) : stateWindows(columns, job);
}

function gapsIn({ codes, times, values }: SeriesColumns, job: RollupJob): readonly GapPart[] {
  const points = Array.from(times, (at, place) => {
    const value = values[place] ?? null;
    // A state that is known is no gap either.
    return { at, value: typeof value === 'string' ? 0 : value, code: codes[place] ?? 0 };
  });
  return gapPartsOf(points, { from: job.from, to: job.to }, job.expectedEveryMs);
}
