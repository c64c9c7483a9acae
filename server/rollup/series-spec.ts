// How a series is rolled up: by what its post last told of it, and by the vocabulary where it tells nothing any more.
import type { Birth, BirthMetric } from '#contract/session.js';
import type { PossibleStep } from '#domain/counter.js';
import type { CounterEvent } from '#domain/counter-event.js';
import { type MetricKind, metricOf } from '#domain/metric.js';
import type { Unit } from '#domain/quantity.js';
import type { RollupJob } from '#domain/series-rollup.js';
import type { SeriesName } from '../ports.js';

export type SeriesSpec = Pick<RollupJob, 'kind' | 'expectedEveryMs' | 'counter'>;

/** A counter that is told more often than this (short batches, attention) is no less complete when it falls back to it. */
export const STEP_MS_MIN = 60_000;
/** What a gateway promises where nothing else is known: a value each ten minutes, and a batch on top. */
const EVERY_MS_UNTOLD = 660_000;

/**
 * What no post can count, by unit. At once: two of the coarsest registers' steps (MWh, 100 m³ of old pulse counters). Each second: a
 * megawatt, and 500 m³/h, many times what a post of this kind has.
 */
const POSSIBLE: Partial<Readonly<Record<Unit, PossibleStep>>> = {
  Wh: { step: 2_000_000, perS: 1_000_000 / 3600 },
  'm³': { step: 200, perS: 500 / 3600 },
};

/**
 * `undefined` for a metric that neither the post nor the vocabulary knows.
 * @param events what people said of this counter, by time
 */
export function specOf(
  birth: Birth | undefined,
  { device, metric }: Pick<SeriesName, 'device' | 'metric'>,
  events: readonly CounterEvent[],
): SeriesSpec | undefined {
  const told = birth?.metrics.find((known) => known.device === device && known.metric === metric);
  const kind = told?.kind ?? metricOf(metric)?.kind;
  if (kind === undefined) return undefined;
  const modulus = told?.modulus;
  const possible = POSSIBLE[told?.unit ?? metricOf(metric)?.unit ?? '1'];
  const counter = {
    ...(modulus !== undefined && { modulus }),
    ...(possible !== undefined && { possible }),
    ...(events.length > 0 && { events }),
  };
  return {
    kind: kind === 'text' ? 'state' : kind,
    expectedEveryMs: expectedEveryMs(kind, told, birth),
    ...(kind === 'counter' && { counter }),
  };
}

function expectedEveryMs(kind: MetricKind, told: BirthMetric | undefined, birth: Birth | undefined): number {
  if (birth === undefined || told === undefined) return EVERY_MS_UNTOLD;
  const promisedMs = kind === 'counter' ? told.pollPeriodMs : told.heartbeatS * 1000 + birth.batchPeriodMs;
  return Math.max(birth.batchPeriodMs, promisedMs, STEP_MS_MIN);
}
