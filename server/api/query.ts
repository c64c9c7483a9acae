import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ErrorSchema } from '#contract/http.js';
import { QUERY_VALUES_MAX, type QueryResponse, QueryResponseSchema, QuerySchema } from '#contract/query.js';
import type { ChartSeries } from '../query/chart-reader.js';
import { gapsOf, pointColumns, wholeOf, windowColumns } from '../query/columns.js';
import { chooseLayout, type Layout, layoutOf } from '../query/layout.js';
import { type RawPage, readPage } from '../query/raw-reader.js';
import type { ApiDeps } from './deps.js';
import { orUnavailable, Problem } from './problem.js';
import { type KnownSeries, type QueryRequest, readQuery, type Words } from './query-request.js';
import { takeTurn } from './turns.js';

/** `GET /query?posts=&metrics=&series=&from=&to=&points=&resolution=` */
export async function queryRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  app.get<{ Querystring: Words }>(
    '/query',
    {
      schema: {
        summary: 'Series of several posts and metrics: points, or windows as fine as a screen can show',
        description:
          'Gauges have min, max and mean; counters their increase; states the time in each. Coverage stands beside every window and gaps are told. An answer whose windows are all over has an ETag.',
        querystring: QuerySchema,
        response: { 200: QueryResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
      // The request is read here, so that all its faults are told at once.
      validatorCompiler: () => (value) => ({ value }),
    },
    async (request, reply) => {
      const query = await readQuery(request.query, factsOf(deps));
      const done = await takeTurn(deps);
      try {
        return send(reply, request.headers['if-none-match'], await answer(deps, query));
      } finally {
        done();
      }
    },
  );
}

/** What a question is read against. */
export function factsOf({ clock, ingest, posts, store }: ApiDeps): Parameters<typeof readQuery>[1] {
  const known = new Set([...posts.map(({ id }) => id), ...ingest.directory.posts().map(({ id }) => id)]);
  return {
    now: clock.now(),
    posts: [...known],
    birthOf: (post) => ingest.directory.post(post)?.birth,
    hasData: async (series) => orUnavailable(await store.lastBefore(series, Number.MAX_SAFE_INTEGER)) !== undefined,
  };
}

async function answer(deps: ApiDeps, query: QueryRequest): Promise<QueryResponse> {
  if (query.resolution === 'raw') return rawAnswer(deps, query, query.limit);
  if (query.resolution !== 'auto') return windowAnswer(deps, query, layoutOf(query.resolution));
  const layout = chooseLayout(query, query.points);
  if (layout.span === 'points') {
    const raw = await rawIfItFits(deps, query);
    if (raw !== undefined) return raw;
  }
  return windowAnswer(deps, query, layout);
}

/** Two points for each pixel are what windows with their extremes have too. */
async function rawIfItFits(deps: ApiDeps, query: QueryRequest): Promise<QueryResponse | undefined> {
  const most = 2 * query.points;
  if (most * query.series.length > QUERY_VALUES_MAX) return undefined;
  for (const series of query.series) {
    const read = orUnavailable(await deps.charts.readWhole(series, query));
    if ((read?.whole?.count ?? 0) > most) return undefined;
  }
  const raw = await rawAnswer(deps, query, most);
  return raw.next === undefined ? raw : undefined;
}

async function rawAnswer(deps: ApiDeps, query: QueryRequest, limit: number): Promise<QueryResponse> {
  const from = query.cursor ?? query.from;
  const each = Math.max(1, Math.min(limit, Math.floor(QUERY_VALUES_MAX / query.series.length)));
  const page: RawPage = orUnavailable(await readPage(deps.store, query.series, { from, to: query.to }, each));
  const series: QueryResponse['series'] = [];
  for (const [index, name] of query.series.entries()) {
    const read = orUnavailable(await deps.charts.readWhole(name, { from, to: page.end }));
    series.push({
      ...headOf(deps, name),
      ...pointColumns(page.points[index] ?? []),
      whole: wholeOf(read?.whole),
      gaps: gapsOf(read?.gaps ?? []),
    });
  }
  return {
    from,
    to: page.end,
    resolution: 'raw',
    bucketMs: null,
    closed: isClosed(deps, query.series, page.end),
    series,
    ...(page.end < query.to && { next: String(page.end) }),
  };
}

async function windowAnswer(deps: ApiDeps, query: QueryRequest, layout: Layout): Promise<QueryResponse> {
  const windows = Math.ceil((query.to - query.from) / layout.aboutMs) * query.series.length;
  if (windows > QUERY_VALUES_MAX)
    throw new Problem(
      400,
      'API_POINTS_TOO_MANY',
      `about ${windows} windows asked for; at most ${QUERY_VALUES_MAX} in one answer: ask for a coarser resolution, for fewer series or for a part of the time`,
    );
  const series: QueryResponse['series'] = [];
  let end = query.to;
  for (const name of query.series) {
    const read: ChartSeries | undefined = orUnavailable(await deps.charts.read(name, layout, query));
    const { frames = [], gaps = [], whole, windows: found = [] } = read ?? {};
    const kind = deps.windows.about(name)?.spec.kind ?? 'gauge';
    series.push({
      ...headOf(deps, name),
      ...windowColumns(kind, frames, found),
      whole: wholeOf(whole),
      gaps: gapsOf(gaps),
    });
    end = Math.max(end, frames.at(-1)?.to ?? end);
  }
  const isOneSpan = layout.times === 1 && layout.span !== 'points';
  return {
    from: query.from,
    to: query.to,
    resolution: isOneSpan ? (layout.span as 'quarter' | 'day' | 'month' | 'year') : 'bucket',
    bucketMs: layout.span === 'month' || layout.span === 'year' ? null : layout.aboutMs,
    closed: isClosed(deps, query.series, end),
    series,
  };
}

function headOf(deps: ApiDeps, series: KnownSeries): KnownSeries & { zone: string } {
  return { ...series, zone: deps.windows.about(series)?.zone ?? 'UTC' };
}

function isClosed({ windows }: ApiDeps, series: readonly KnownSeries[], to: number): boolean {
  return series.every((one) => windows.isClosed(one, to));
}

/** A closed answer is told apart by its content: late data that changes it changes its tag. */
function send(reply: FastifyReply, known: string | undefined, response: QueryResponse): FastifyReply {
  const body = JSON.stringify(response);
  reply.type('application/json; charset=utf-8');
  if (!response.closed) return reply.header('cache-control', 'no-store').send(body);
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 32)}"`;
  // Kept, but asked for again each time: data of a post that was away for a month may come at any time.
  reply.header('etag', tag).header('cache-control', 'private, no-cache');
  return isAmong(known, tag) ? reply.code(304).send() : reply.send(body);
}

function isAmong(known: string | undefined, tag: string): boolean {
  const tags = (known ?? '').split(',').map((part) => part.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}
