import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  ErrorSchema,
  PostParamsSchema,
  SERIES_MAX,
  type Series,
  type SeriesQuery,
  SeriesQuerySchema,
  type SeriesResponse,
  SeriesResponseSchema,
} from '#contract/http.js';
import type { Birth, BirthMetric } from '#contract/session.js';
import type { SeriesName } from '../ports.js';
import { chooseLayout, DAY_MS, framesOf, type Layout } from '../query/layout.js';
import { clearSkyOf } from './clear-sky.js';
import type { ApiDeps } from './deps.js';
import { Problem, postUnknown } from './problem.js';
import { timeFault } from './query-time.js';
import { readSeries } from './series-points.js';
import { readSeriesWindows } from './series-windows.js';
import { takeTurn } from './turns.js';

const POINTS_DEFAULT = 300;
const WEEK_MS = 7 * DAY_MS;

type SeriesRequest = { Params: Static<typeof PostParamsSchema>; Querystring: SeriesQuery };

/** `GET /posts/:post/series?metrics=device/metric,…&from=&to=&points=` */
export async function seriesRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
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
      const layout = layOut(request.query, deps.clock.now());
      const config = deps.posts.find(({ id }) => id === post);
      const frames = framesOf(layout, request.query, config?.zone ?? 'UTC', deps.calendar);
      const window = { from: frames[0]?.from ?? 0, to: frames.at(-1)?.to ?? 0 };
      const done = await takeTurn(deps);
      try {
        const series: Series[] = [];
        for (const metric of metrics)
          series.push(
            layout.span === 'points'
              ? await readSeries(deps, post, metric, birth?.batchPeriodMs ?? 0, window, layout.aboutMs)
              : await readSeriesWindows(deps, post, metric, layout, window),
          );
        return { ...window, bucketMs: layout.aboutMs, series, ...clearSkyOf(config, frames) };
      } finally {
        done();
      }
    },
  );
}

type MetricName = Omit<SeriesName, 'post'>;

function parseNames(text: string): MetricName[] {
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

function gaugeOf(birth: Birth | undefined, name: MetricName): BirthMetric {
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

/** Buckets of a round length, so that two requests for the same day get the same ones; none longer than a chart can weigh by it. */
function layOut(query: SeriesQuery, now: number): Layout {
  const { from, to } = query;
  for (const [name, at] of Object.entries({ from, to })) {
    const fault = timeFault(at, now);
    if (fault !== undefined) throw new Problem(400, 'API_TIME', `"${name}" ${fault}`);
  }
  if (to <= from) throw new Problem(400, 'API_RANGE', '"to" must be later than "from"');
  const points = query.points ?? POINTS_DEFAULT;
  const layout = chooseLayout(query, points);
  if (layout.span !== 'month' && layout.span !== 'year') return layout;
  const weeks = Math.ceil((to - from) / WEEK_MS / points);
  return { span: 'day', times: 7 * weeks, aboutMs: weeks * WEEK_MS };
}
