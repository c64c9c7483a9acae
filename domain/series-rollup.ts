// What equal windows, side by side, say about one series, from its points in columns. The columns come as a store holds them,
// so that a month of a busy series need not become a million objects.
import type { CounterSpec } from './counter.js';
import type { Value } from './reading.js';
import { bucketGauge, type GapPart, gapPartsOf, rollCounter, type SeriesPoint } from './rollup.js';

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

/** So far back a point may stand that still says something about the first window of a job. */
export function lookBackMs({ expectedEveryMs }: Pick<RollupJob, 'expectedEveryMs'>): number {
  return 3 * expectedEveryMs;
}

/** @param columns from `from` − {@link lookBackMs} on (and the last point with a value before `from`), until `to` */
export function rollUpSeries(columns: SeriesColumns, job: RollupJob): SeriesRollup {
  const points = pointsOf(columns);
  const window = { from: job.from, to: job.to };
  const windows =
    job.kind === 'gauge' ? gaugeWindows(points, job) : job.kind === 'counter' ? counterWindows(points, job) : [];
  return { windows, gaps: job.withGaps === true ? gapPartsOf(points, window, job.expectedEveryMs) : [] };
}

function pointsOf({ times, values, codes }: SeriesColumns): SeriesPoint[] {
  return Array.from({ length: times.length }, (_, i) => {
    const value = values[i];
    return { at: times[i] ?? 0, value: typeof value === 'number' ? value : null, code: codes[i] ?? 0 };
  });
}

function gaugeWindows(points: readonly SeriesPoint[], job: RollupJob): GaugeWindow[] {
  return bucketGauge(points, job, job.bucketMs, job.expectedEveryMs)
    .filter(({ rollup }) => rollup.count > 0 || rollup.coverage > 0)
    .map(({ at, rollup }) => ({ kind: 'gauge', from: at, to: Math.min(at + job.bucketMs, job.to), ...rollup }));
}

function counterWindows(points: readonly SeriesPoint[], job: RollupJob): CounterWindow[] {
  const windows: CounterWindow[] = [];
  for (let from = job.from; from < job.to; from += job.bucketMs) {
    const window = { from, to: Math.min(from + job.bucketMs, job.to) };
    const inside = points.filter(({ at, value }) => value !== null && at >= window.from && at < window.to);
    const { increase, coverage, estimated } = rollCounter(points, window, job.counter ?? {}, job.expectedEveryMs);
    if (inside.length === 0 && coverage === 0) continue;
    const [first, last] = [inside[0]?.value ?? null, inside.at(-1)?.value ?? null];
    windows.push({ kind: 'counter', ...window, count: inside.length, coverage, increase, estimated, first, last });
  }
  return windows;
}
