// A short chart of a gauge, from its points.
import type { GapCause, Series } from '#contract/http.js';
import type { BirthMetric } from '#contract/session.js';
import { REASONS } from '#domain/quality.js';
import { bucketGauge, gapPartsOf, gapsOf, type SeriesPoint } from '#domain/rollup.js';
import { alignDown, type Window } from '#domain/window.js';
import type { Point, SeriesName } from '../ports.js';
import { reasonOfGap } from '../query/columns.js';
import { DAY_MS } from '../query/layout.js';
import type { ApiDeps } from './deps.js';
import { orUnavailable } from './problem.js';

/** So far before a chart the point is looked for that says why its begin is empty. */
const LOOK_BACK_MS = 35 * DAY_MS;

/** How long an unmoved gauge may be silent: its heartbeat, and a batch on top. */
function expectedEveryMs(metric: BirthMetric, batchPeriodMs: number): number {
  return metric.heartbeatS * 1000 + batchPeriodMs;
}

/** Reads day by day, so that a month of a busy gauge is never in memory at once. */
export async function readSeries(
  deps: Pick<ApiDeps, 'store' | 'clock'>,
  post: string,
  metric: BirthMetric,
  batchPeriodMs: number,
  window: Window,
  bucketMs: number,
): Promise<Series> {
  const name = { post, device: metric.device, metric: metric.metric };
  const everyMs = expectedEveryMs(metric, batchPeriodMs);
  const series: Series & { aggregated: number } = { ...emptySeries(metric), aggregated: 0 };
  // What has not happened yet is not missing.
  const known = { from: window.from, to: Math.min(window.to, Math.max(window.from, deps.clock.now())) };
  let carried = await readBefore(deps.store, name, window.from);
  let coveredMs = 0;
  const partMs = Math.max(bucketMs, alignDown(DAY_MS, bucketMs));
  for (let from = window.from; from < known.to; from += partMs) {
    const part = { from, to: Math.min(from + partMs, known.to) };
    const read = orUnavailable(await deps.store.read(name, part.from, part.to + everyMs)).map(pointOf);
    const points = [...carried, ...read];
    for (const { at, rollup } of bucketGauge(points, part, bucketMs, everyMs)) {
      series.at.push(at);
      series.mean.push(rollup.mean);
      series.min.push(rollup.min);
      series.max.push(rollup.max);
      coveredMs += rollup.coverage * (Math.min(at + bucketMs, part.to) - at);
    }
    for (const gap of gapsOf(points, part, everyMs)) pushGap(series.gaps, gap);
    for (const { from, to, code } of gapPartsOf(points, part, everyMs))
      pushCause(series.gapCauses, { from, to, reason: reasonOfGap(code) });
    series.aggregated += read.filter(({ at, code }) => at < part.to && code === REASONS.aggregated.code).length;
    carried = points.filter((point) => point.at < part.to).slice(-1);
  }
  series.coverage = known.to > known.from ? Math.min(1, coveredMs / (known.to - known.from)) : 0;
  return series;
}

/** A series of which nothing is known yet. */
export function emptySeries({ device, metric, unit }: BirthMetric): Series {
  const columns = { at: [], mean: [], min: [], max: [] };
  return { device, metric, ...(unit !== undefined && { unit }), ...columns, coverage: 0, gaps: [], gapCauses: [] };
}

export function pushGap(gaps: [number, number][], gap: [number, number]): void {
  const last = gaps.at(-1);
  if (last !== undefined && last[1] === gap[0]) last[1] = gap[1];
  else gaps.push(gap);
}

export function pushCause(causes: GapCause[], cause: GapCause): void {
  const last = causes.at(-1);
  if (last !== undefined && last.to === cause.from && last.reason === cause.reason) last.to = cause.to;
  else causes.push(cause);
}

/** The last point before a window: a value that may still hold, or why there is none. */
async function readBefore(store: ApiDeps['store'], name: SeriesName, at: number): Promise<SeriesPoint[]> {
  const value = orUnavailable(await store.lastBefore(name, at));
  // Behind the last value there are only points without one.
  const from = Math.max((value?.at ?? 0) + 1, at - LOOK_BACK_MS);
  const without = orUnavailable(await store.read(name, from, at));
  return [...(value === undefined ? [] : [value]), ...without].slice(-1).map(pointOf);
}

function pointOf(point: Point): SeriesPoint {
  return { at: point.at, value: typeof point.value === 'number' ? point.value : null, code: point.code };
}
