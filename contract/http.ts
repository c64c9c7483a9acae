// Requests and responses of the API. The server validates with them, OpenAPI is made of them, the browser is typed by them.
import { type Static, Type } from 'typebox';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { REASON_NAMES } from '#domain/quality.js';
import { UNITS } from '#domain/quantity.js';
import {
  AlarmViewSchema,
  DeviceViewSchema,
  JournalEntrySchema,
  MetricViewSchema,
  PostFactsSchema,
  PostSummarySchema,
  TotalsSchema,
} from './view.js';

const literals = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.Enum([...values]));

/** Where the API begins. */
export const API_ROOT = '/api/v1';

export const ErrorSchema = Type.Object({
  code: Type.String(),
  /** What is wrong and what to do, for a person. */
  message: Type.String(),
  faults: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
});
export type ApiError = Static<typeof ErrorSchema>;

export const FleetResponseSchema = Type.Object({
  fleet: Type.String(),
  now: Type.Number(),
  posts: Type.Array(PostSummarySchema),
  today: TotalsSchema,
  month: TotalsSchema,
});
export type FleetResponse = Static<typeof FleetResponseSchema>;

export const PostParamsSchema = Type.Object({ post: Type.String({ pattern: IDENTIFIER_PATTERN }) });

export const PostResponseSchema = Type.Object({
  now: Type.Number(),
  summary: PostSummarySchema,
  facts: PostFactsSchema,
  devices: Type.Array(DeviceViewSchema),
  metrics: Type.Array(MetricViewSchema),
  today: TotalsSchema,
  month: TotalsSchema,
});
export type PostResponse = Static<typeof PostResponseSchema>;

/** Most series and most points per series in one request. */
export const SERIES_MAX = 12;
export const POINTS_MAX = 2000;

export const SeriesQuerySchema = Type.Object({
  /** `device/metric`, separated by commas. */
  metrics: Type.String({ minLength: 3, maxLength: 1200 }),
  from: Type.Integer({ minimum: 0 }),
  to: Type.Integer({ minimum: 0 }),
  points: Type.Optional(Type.Integer({ minimum: 2, maximum: POINTS_MAX })),
});
export type SeriesQuery = Static<typeof SeriesQuerySchema>;

const nullableNumbers = Type.Array(Type.Union([Type.Number(), Type.Null()]));

export const GapCauseSchema = Type.Object({
  from: Type.Number(),
  to: Type.Number(),
  /** null where nothing was received at all. */
  reason: Type.Union([literals(REASON_NAMES), Type.Null()]),
});
export type GapCause = Static<typeof GapCauseSchema>;

export const SeriesSchema = Type.Object({
  device: Type.String(),
  metric: Type.String(),
  unit: Type.Optional(literals(UNITS)),
  /** Start of each bucket. */
  at: Type.Array(Type.Number()),
  /** null where nothing good was measured: a gap, never zero. */
  mean: nullableNumbers,
  min: nullableNumbers,
  max: nullableNumbers,
  /** Valid over expected samples, 0..1. */
  coverage: Type.Number(),
  /** Spans without a good value: [from, to]. */
  gaps: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
  /** The same, cut where the cause changes. */
  gapCauses: Type.Array(GapCauseSchema),
  /** Measured samples in the span that are means of several, made when the post's outbox ran full. */
  aggregated: Type.Integer(),
});
export type Series = Static<typeof SeriesSchema>;

export const SeriesResponseSchema = Type.Object({
  from: Type.Number(),
  to: Type.Number(),
  bucketMs: Type.Number(),
  series: Type.Array(SeriesSchema),
  /** What a cloudless sky would give the array, W; absent for a post without PV facts. */
  clearSky: Type.Optional(
    Type.Object({ at: Type.Array(Type.Number()), power: Type.Array(Type.Number()), energyWh: Type.Number() }),
  ),
});
export type SeriesResponse = Static<typeof SeriesResponseSchema>;

export const AlarmsQuerySchema = Type.Object({
  post: Type.Optional(Type.String({ pattern: IDENTIFIER_PATTERN })),
  /** `active` (default): everything but normal. */
  state: Type.Optional(literals(['active', 'all'] as const)),
});
export const AlarmsResponseSchema = Type.Object({ now: Type.Number(), alarms: Type.Array(AlarmViewSchema) });
export type AlarmsResponse = Static<typeof AlarmsResponseSchema>;

export const JournalQuerySchema = Type.Object({
  post: Type.Optional(Type.String({ pattern: IDENTIFIER_PATTERN })),
  before: Type.Optional(Type.Integer({ minimum: 1 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});
export const JournalResponseSchema = Type.Object({ entries: Type.Array(JournalEntrySchema) });
export type JournalResponse = Static<typeof JournalResponseSchema>;

/** Acknowledging and resetting need a person's name: never an automation. */
export const AlarmCommandSchema = Type.Object({
  alarm: Type.String({ minLength: 1, maxLength: 120 }),
  by: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
  comment: Type.Optional(Type.String({ maxLength: 500 })),
});
export type AlarmCommand = Static<typeof AlarmCommandSchema>;
export const AlarmCommandResponseSchema = Type.Object({ alarm: AlarmViewSchema });

export const HealthResponseSchema = Type.Object({
  version: Type.String(),
  startedAt: Type.Number(),
  now: Type.Number(),
  broker: literals(['connected', 'disconnected'] as const),
  store: literals(['ok', 'failing'] as const),
  /** Every limit of the server and how often it was reached. */
  counters: Type.Record(Type.String(), Type.Number()),
});
export type HealthResponse = Static<typeof HealthResponseSchema>;
