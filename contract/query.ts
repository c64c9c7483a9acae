// What is asked of the store over HTTP, and what it answers. Times are epoch milliseconds in answers.
import { type Static, Type } from 'typebox';
import { REASON_NAMES } from '#domain/quality.js';
import { UNITS } from '#domain/quantity.js';

const literals = <T extends string>(values: readonly T[], options: object = {}) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], ...options });
const text = (description: string, example: string) => Type.String({ description, examples: [example] });

/** Most series of one request, and most windows or points of one answer. */
export const QUERY_SERIES_MAX = 200;
export const QUERY_VALUES_MAX = 100_000;
export const QUERY_POINTS_MAX = 4000;
export const QUERY_POINTS_DEFAULT = 300;
/** Points of a series on one page of raw data. */
export const QUERY_PAGE_DEFAULT = 5000;
export const QUERY_PAGE_MAX = 20_000;

export const RESOLUTIONS = ['auto', 'raw', 'quarter', 'day', 'month', 'year'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

const TIME = 'ISO 8601 with its zone, or epoch milliseconds; between the years 2000 and next year';

/** All are text: they stand in an address. The route reads them itself, so that it can tell all faults at once. */
export const QuerySchema = Type.Object({
  posts: Type.Optional(text('Posts, separated by commas; `*` for all that have the metrics', 'kyzyl-art,langar')),
  metrics: Type.Optional(text('`device/metric` of each of these posts, separated by commas', 'meter-1/load.power')),
  series: Type.Optional(
    Type.Array(Type.String(), {
      description: '`post/device/metric`, as often as wanted; beside or instead of `posts` and `metrics`',
      examples: [['kyzyl-art/meter-1/load.energy']],
    }),
  ),
  from: text(`Begin. ${TIME}`, '2026-06-21T00:00:00+05:00'),
  to: text(`End, not included. ${TIME}`, '2026-06-22T00:00:00+05:00'),
  points: Type.Optional(
    text(
      `How wide the chart is in pixels, 2 to ${QUERY_POINTS_MAX}; ${QUERY_POINTS_DEFAULT} if absent. \`auto\` gives at most so many windows`,
      '600',
    ),
  ),
  resolution: Type.Optional(
    literals(RESOLUTIONS, {
      description:
        '`auto` (default): points where they fit, else windows. `raw`: points, in pages. Others: windows of 15 minutes, or local days, months, years',
    }),
  ),
  limit: Type.Optional(
    text(
      `Points of each series on a page, 1 to ${QUERY_PAGE_MAX}; ${QUERY_PAGE_DEFAULT} if absent. \`raw\` only`,
      '5000',
    ),
  ),
  cursor: Type.Optional(text('`next` of the page before. `raw` only', '1782000000000')),
});

const nullable = (type: 'number' | 'string') => Type.Unsafe<number | string | null>({ type: [type, 'null'] });
const numbers = (description: string) =>
  Type.Optional(Type.Unsafe<(number | null)[]>({ type: 'array', items: { type: ['number', 'null'] }, description }));
const ends = (description: string) =>
  Type.Optional(
    Type.Unsafe<(number | string | null)[]>({
      type: 'array',
      items: { type: ['number', 'string', 'null'] },
      description,
    }),
  );

export const QueryGapSchema = Type.Object({
  from: Type.Number(),
  to: Type.Number(),
  reason: Type.Optional(
    Type.Unsafe<(typeof REASON_NAMES)[number] | null>({
      type: ['string', 'null'],
      enum: [...REASON_NAMES, null],
      description: 'null: nothing came. Absent: not looked up, because the points are gone or the gaps are many',
    }),
  ),
});
export type QueryGap = Static<typeof QueryGapSchema>;

const end = Type.Optional(Type.Unsafe<number | string | null>({ type: ['number', 'string', 'null'] }));

export const QueryWholeSchema = Type.Object({
  from: Type.Number(),
  to: Type.Number({ description: 'The end, or now where that lies before it' }),
  count: Type.Number({ description: 'Measured points' }),
  coverage: Type.Number({ description: 'Share of the time, 0 to 1, in which the value is known' }),
  min: Type.Optional(nullable('number')),
  max: Type.Optional(nullable('number')),
  mean: Type.Optional(nullable('number')),
  increase: Type.Optional(nullable('number')),
  estimated: Type.Optional(
    Type.Boolean({ description: 'The true increase may be larger, or a part of it belong before' }),
  ),
  timeInMs: Type.Optional(Type.Record(Type.String(), Type.Number(), { description: 'Milliseconds in each state' })),
  first: end,
  last: end,
});
export type QueryWhole = Static<typeof QueryWholeSchema>;

/** Columns, all equally long. Those of windows, or those of points; of windows those that the kind has. */
export const QuerySeriesSchema = Type.Object({
  post: Type.String(),
  device: Type.String(),
  metric: Type.String(),
  kind: literals(['gauge', 'counter', 'state', 'text'] as const),
  unit: Type.Optional(literals(UNITS)),
  zone: Type.String({ description: 'Days, months and years are those of this zone' }),
  at: Type.Array(Type.Number(), {
    description: 'Start of each window, which ends where the next begins; or time of each point',
  }),
  min: numbers('Gauges'),
  max: numbers('Gauges'),
  mean: numbers('Gauges, weighted by the time that each value held'),
  increase: numbers('Counters. Increases of windows side by side add up to that of the whole'),
  estimated: Type.Optional(Type.Array(Type.Boolean(), { description: 'Counters: as in `whole`' })),
  timeInMs: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.Number()), { description: 'States: milliseconds in each, by its name' }),
  ),
  first: ends('First value in the window; of a counter its reading'),
  last: ends('Last value in the window'),
  count: Type.Optional(Type.Array(Type.Number(), { description: 'Measured points in the window' })),
  coverage: Type.Optional(
    Type.Array(Type.Number(), { description: 'Share of the window in which the value is known' }),
  ),
  value: ends('Points'),
  reason: Type.Optional(
    Type.Array(Type.String(), { description: 'Points: `good`, or why the value is doubted or absent' }),
  ),
  whole: Type.Union([QueryWholeSchema, Type.Null()], { description: 'All together; null where nothing is known' }),
  gaps: Type.Array(QueryGapSchema, { description: 'Where nothing is known' }),
});
export type QuerySeries = Static<typeof QuerySeriesSchema>;

export const QueryResponseSchema = Type.Object({
  from: Type.Number({ description: 'Begin as asked for. The first window may begin before it' }),
  to: Type.Number({ description: 'End as asked for; on a page of raw data the end of the page' }),
  resolution: literals(['raw', 'bucket', 'quarter', 'day', 'month', 'year'] as const, {
    description: '`bucket`: windows of another length, told by `bucketMs`',
  }),
  bucketMs: Type.Unsafe<number | null>({
    type: ['number', 'null'],
    description: 'Length of a window, where all are about equally long',
  }),
  closed: Type.Boolean({
    description: 'All windows are over; only late data can change them. Such an answer has an ETag',
  }),
  series: Type.Array(QuerySeriesSchema),
  next: Type.Optional(Type.String({ description: '`cursor` of the next page; absent on the last one' })),
});
export type QueryResponse = Static<typeof QueryResponseSchema>;
