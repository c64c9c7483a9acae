import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  ErrorSchema,
  type GapCause,
  POINTS_MAX,
  PostParamsSchema,
  SERIES_MAX,
  type Series,
  type SeriesQuery,
  SeriesQuerySchema,
  type SeriesResponse,
  SeriesResponseSchema,
} from '#contract/http.js';
import type { Birth, BirthMetric } from '#contract/session.js';
import { REASONS, reasonOf } from '#domain/quality.js';
import { bucketGauge, gapPartsOf, gapsOf, type SeriesPoint } from '#domain/rollup.js';
import { clearSkyPower } from '#domain/sun.js';
import { alignDown, type Window } from '#domain/window.js';
import type { PostConfig } from '../config.js';
import type { Point } from '../ports.js';
import type { AppDeps } from './deps.js';
import { Problem, postUnknown } from './problem.js';

const DAY_MS = 86_400_000;
const RANGE_MS_MAX = 35 * DAY_MS;
const POINTS_DEFAULT = 300;
/** Requests that may read the store at the same time, and that may wait for it. */
const READERS_MAX = 4;
const WAITING_MAX = 40;
const BUCKETS_S = [1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

type SeriesRequest = { Params: Static<typeof PostParamsSchema>; Querystring: SeriesQuery };

/** `GET /posts/:post/series?metrics=device/metric,…&from=&to=&points=` */
export async function seriesRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  const turn = createTurns(READERS_MAX, WAITING_MAX);
  app.get<SeriesRequest>(
    '/posts/:post/series',
    {
      schema: {
        summary: 'Gauges of a post in equal buckets, with their gaps, and what a cloudless sky would have given',
        params: PostParamsSchema,
        querystring: SeriesQuerySchema,
        response: { 200: SeriesResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request): Promise<SeriesResponse> => {
      const { post } = request.params;
      if (!deps.board.knows(post)) throw postUnknown(post);
      const wanted = parseNames(request.query.metrics);
      const birth = deps.ingest.directory.post(post)?.birth;
      const metrics = wanted.map((name) => gaugeOf(birth, name));
      const { window, bucketMs } = layOut(request.query);
      const done = await turn.take();
      if (done === undefined) {
        deps.count('apiSeriesBusy');
        throw new Problem(503, 'API_BUSY', 'too many charts are being read; try again in a moment');
      }
      try {
        const series: Series[] = [];
        for (const metric of metrics)
          series.push(await readSeries(deps, post, metric, birth?.batchPeriodMs ?? 0, window, bucketMs));
        return {
          ...window,
          bucketMs,
          series,
          ...clearSkyOf(
            deps.posts.find(({ id }) => id === post),
            window,
            bucketMs,
          ),
        };
      } finally {
        done();
      }
    },
  );
}

interface SeriesName {
  readonly device: string;
  readonly metric: string;
}

function parseNames(text: string): SeriesName[] {
  const names = [...new Set(text.split(','))];
  if (names.length > SERIES_MAX)
    throw new Problem(
      400,
      'API_SERIES_TOO_MANY',
      `${names.length} series asked for; at most ${SERIES_MAX} in one request`,
    );
  return names.map((name) => {
    const slash = name.indexOf('/');
    if (slash < 1 || slash === name.length - 1)
      throw new Problem(400, 'API_INVALID', `"${name}" is not device/metric, as in meter-1/load.power`);
    return { device: name.slice(0, slash), metric: name.slice(slash + 1) };
  });
}

function gaugeOf(birth: Birth | undefined, name: SeriesName): BirthMetric {
  const metric = birth?.metrics.find(
    (candidate) => candidate.device === name.device && candidate.metric === name.metric,
  );
  if (metric === undefined)
    throw new Problem(
      404,
      'API_METRIC_UNKNOWN',
      `this post has no "${name.device}/${name.metric}"; GET /posts/:post lists its metrics`,
    );
  if (metric.kind !== 'gauge')
    throw new Problem(
      400,
      'API_METRIC_KIND',
      `"${name.device}/${name.metric}" is a ${metric.kind}; only gauges have a mean`,
    );
  return metric;
}

/** A bucket of a round length, so that two requests for the same day get the same buckets. */
function layOut(query: SeriesQuery): { window: Window; bucketMs: number } {
  const { from, to } = query;
  const points = query.points ?? POINTS_DEFAULT;
  if (to <= from) throw new Problem(400, 'API_RANGE', '"to" must be later than "from"');
  if (to - from > RANGE_MS_MAX)
    throw new Problem(400, 'API_RANGE', `at most ${RANGE_MS_MAX / DAY_MS} days in one request; ask for parts`);
  const bucketMs =
    1000 * (BUCKETS_S.find((seconds) => (to - from) / (seconds * 1000) <= Math.min(points, POINTS_MAX)) ?? 86_400);
  return { window: { from: alignDown(from, bucketMs), to: alignDown(to - 1, bucketMs) + bucketMs }, bucketMs };
}

/** How long an unmoved gauge may be silent: its heartbeat, and a batch on top. */
function expectedEveryMs(metric: BirthMetric, batchPeriodMs: number): number {
  return metric.heartbeatS * 1000 + batchPeriodMs;
}

/** Reads day by day, so that a month of a busy gauge is never in memory at once. */
async function readSeries(
  deps: Pick<AppDeps, 'store' | 'clock'>,
  post: string,
  metric: BirthMetric,
  batchPeriodMs: number,
  window: Window,
  bucketMs: number,
): Promise<Series> {
  const name = { post, device: metric.device, metric: metric.metric };
  const everyMs = expectedEveryMs(metric, batchPeriodMs);
  const series: Series = {
    device: metric.device,
    metric: metric.metric,
    ...(metric.unit !== undefined && { unit: metric.unit }),
    at: [],
    mean: [],
    min: [],
    max: [],
    coverage: 0,
    gaps: [],
    gapCauses: [],
    aggregated: 0,
  };
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
      pushCause(series.gapCauses, { from, to, reason: causeOf(code) });
    series.aggregated += read.filter(({ at, code }) => at < part.to && code === REASONS.aggregated.code).length;
    carried = points.filter((point) => point.at < part.to).slice(-1);
  }
  series.coverage = known.to > known.from ? Math.min(1, coveredMs / (known.to - known.from)) : 0;
  return series;
}

function pushGap(gaps: [number, number][], gap: [number, number]): void {
  const last = gaps.at(-1);
  if (last !== undefined && last[1] === gap[0]) last[1] = gap[1];
  else gaps.push(gap);
}

function pushCause(causes: GapCause[], cause: GapCause): void {
  const last = causes.at(-1);
  if (last !== undefined && last.to === cause.from && last.reason === cause.reason) last.to = cause.to;
  else causes.push(cause);
}

/** `good` is no cause: a number that is none was stored. A reason of a later version has no name here. */
function causeOf(code: number | null): GapCause['reason'] {
  const reason = code === null ? undefined : reasonOf(code);
  return reason === undefined || reason === 'good' ? null : reason;
}

/** The last point before a window: a value that may still hold, or why there is none. */
async function readBefore(
  store: AppDeps['store'],
  name: SeriesName & { readonly post: string },
  at: number,
): Promise<SeriesPoint[]> {
  const value = orUnavailable(await store.lastBefore(name, at));
  // Behind the last value there are only points without one.
  const from = Math.max((value?.at ?? 0) + 1, at - RANGE_MS_MAX);
  const without = orUnavailable(await store.read(name, from, at));
  return [...(value === undefined ? [] : [value]), ...without].slice(-1).map(pointOf);
}

function pointOf(point: Point): SeriesPoint {
  return { at: point.at, value: typeof point.value === 'number' ? point.value : null, code: point.code };
}

function orUnavailable<T>(result: { ok: true; value: T } | { ok: false; fault: { message: string } }): T {
  if (result.ok) return result.value;
  throw new Problem(503, 'API_STORE', `the store does not answer: ${result.fault.message}; try again later`);
}

/** Power of the array under a cloudless sky at each bucket's middle; absent where a fact is missing. */
function clearSkyOf(
  config: PostConfig | undefined,
  window: Window,
  bucketMs: number,
): Pick<SeriesResponse, 'clearSky'> {
  const facts = pvFactsOf(config);
  if (facts === undefined) return {};
  const at: number[] = [];
  const power: number[] = [];
  let energyWh = 0;
  for (let start = window.from; start < window.to; start += bucketMs) {
    const watts = clearSkyPower(facts, start + bucketMs / 2);
    at.push(start);
    power.push(Math.round(watts));
    energyWh += (watts * bucketMs) / 3_600_000;
  }
  return { clearSky: { at, power, energyWh: Math.round(energyWh) } };
}

function pvFactsOf(config: PostConfig | undefined): Parameters<typeof clearSkyPower>[0] | undefined {
  if (config === undefined) return undefined;
  const { latitude, longitude, altitudeM, pvCapacityW, pvTiltDeg, pvAzimuthDeg } = config;
  if (latitude === undefined || longitude === undefined || altitudeM === undefined) return undefined;
  if (pvCapacityW === undefined || pvTiltDeg === undefined || pvAzimuthDeg === undefined) return undefined;
  return {
    latitudeDeg: latitude,
    longitudeDeg: longitude,
    altitudeM,
    pvCapacityW,
    tiltDeg: pvTiltDeg,
    azimuthDeg: pvAzimuthDeg,
  };
}

/** Lets a few in at a time; a limited number waits, the rest is turned away. */
function createTurns(runningMax: number, waitingMax: number): { take(): Promise<(() => void) | undefined> } {
  let running = 0;
  const waiting: (() => void)[] = [];
  const done = (): void => {
    running -= 1;
    waiting.shift()?.();
  };
  return {
    async take() {
      if (running >= runningMax) {
        if (waiting.length >= waitingMax) return undefined;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      running += 1;
      return done;
    },
  };
}
