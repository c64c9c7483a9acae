// How a series is rolled up: by what its post last told of it, and by the vocabulary where it tells nothing any more.
import type { Birth } from '#contract/session.js';
import { metricOf } from '#domain/metric.js';
import type { RollupJob } from '#domain/series-rollup.js';

export type SeriesSpec = Pick<RollupJob, 'kind' | 'expectedEveryMs' | 'counter'>;

/** A counter that is told more often than this (short batches, attention) is no less complete when it falls back to it. */
export const STEP_MS_MIN = 60_000;
/** What a gateway promises where nothing else is known: a value each ten minutes, and a batch on top. */
const EVERY_MS_UNTOLD = 660_000;

/** `undefined` for a metric that neither the post nor the vocabulary knows. */
export function specOf(birth: Birth | undefined, device: string, metric: string): SeriesSpec | undefined {
  const told = birth?.metrics.find((known) => known.device === device && known.metric === metric);
  const kind = told?.kind ?? metricOf(metric)?.kind;
  if (kind === undefined) return undefined;
  const shown = kind === 'text' ? 'state' : kind;
  if (birth === undefined || told === undefined) return { kind: shown, expectedEveryMs: EVERY_MS_UNTOLD };
  if (kind !== 'counter')
    return { kind: shown, expectedEveryMs: Math.max(told.heartbeatS * 1000 + birth.batchPeriodMs, STEP_MS_MIN) };
  return {
    kind,
    expectedEveryMs: Math.max(birth.batchPeriodMs, told.pollPeriodMs, STEP_MS_MIN),
    counter: told.modulus === undefined ? {} : { modulus: told.modulus },
  };
}
