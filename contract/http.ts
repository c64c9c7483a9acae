// Requests and responses of the API. The server validates with them, OpenAPI is made of them, the browser is typed by them.
import { type Static, Type } from 'typebox';
import { COUNTER_EVENT_KINDS } from '#domain/counter-event.js';
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
  /** null where nothing was received at all, or where points are kept no longer. */
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
  /** Measured samples in the span that are means of several, made when the post's outbox ran full; absent where buckets do not tell. */
  aggregated: Type.Optional(Type.Integer()),
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

const person = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' });
const timeMs = Type.Integer({ minimum: 0, maximum: 8.64e15 });

/** To send again: what was receipted since `since`, the records that were refused, or both. */
export const ReplayCommandSchema = Type.Object({
  /** Source time, epoch ms. */
  since: Type.Optional(timeMs),
  /** The records that the server refused, once the cause is mended. */
  deadLetters: Type.Optional(Type.Boolean()),
  by: person,
});
export type ReplayCommand = Static<typeof ReplayCommandSchema>;
export const ReplayResponseSchema = Type.Object({
  /** When it was asked for, by the server's clock: the name of the request. */
  at: Type.Number(),
  /** `waiting`: the post is not there; it is told when it comes, within a week. */
  state: literals(['sent', 'waiting'] as const),
});
export type ReplayResponse = Static<typeof ReplayResponseSchema>;

/** A person has looked who speaks for a post, and takes it as it is. */
export const IdentityAcceptSchema = Type.Object({ by: person });
export type IdentityAccept = Static<typeof IdentityAcceptSchema>;
export const IdentityAcceptResponseSchema = Type.Object({
  /** What stood, and stands no longer. */
  cleared: Type.Array(literals(['keyChanged', 'restored', 'twoGateways'] as const)),
});
export type IdentityAcceptResponse = Static<typeof IdentityAcceptResponseSchema>;

/** An event of a counter that its readings do not tell: a swapped meter, a register that was set. */
export const CounterEventCommandSchema = Type.Object({
  device: Type.String({ pattern: IDENTIFIER_PATTERN }),
  metric: Type.String({ minLength: 1, maxLength: 80 }),
  /** Source time, epoch ms. */
  at: timeMs,
  kind: literals(COUNTER_EVENT_KINDS),
  /** The register's last reading before, in the metric's unit; null where nobody read it. */
  closing: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  /** Its first reading behind it. */
  opening: Type.Number({ minimum: 0 }),
  /** The event never was. It is shown still. */
  withdrawn: Type.Optional(Type.Boolean()),
  comment: Type.Optional(Type.String({ maxLength: 500 })),
  by: person,
});
export type CounterEventCommand = Static<typeof CounterEventCommandSchema>;
export const CounterEventParamsSchema = Type.Object({
  post: Type.String({ pattern: IDENTIFIER_PATTERN }),
  id: Type.Integer({ minimum: 1 }),
});
export const CounterEventSchema = Type.Object({
  id: Type.Integer(),
  device: Type.String(),
  metric: Type.String(),
  at: Type.Number(),
  kind: literals(COUNTER_EVENT_KINDS),
  closing: Type.Union([Type.Number(), Type.Null()]),
  opening: Type.Number(),
  withdrawn: Type.Boolean(),
  comment: Type.Union([Type.String(), Type.Null()]),
  /** Who said so last, and when by the server's clock. What was said before is in the journal. */
  by: Type.String(),
  enteredAt: Type.Number(),
});
export type CounterEventView = Static<typeof CounterEventSchema>;
export const CounterEventResponseSchema = Type.Object({ event: CounterEventSchema });
export type CounterEventResponse = Static<typeof CounterEventResponseSchema>;
export const CounterEventsResponseSchema = Type.Object({ events: Type.Array(CounterEventSchema) });
export type CounterEventsResponse = Static<typeof CounterEventsResponseSchema>;

export const DEAD_LETTERS_MAX = 500;
export const DeadLettersQuerySchema = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: DEAD_LETTERS_MAX })),
});
/** What could not be used: a message that does not parse, with its head; or the samples of a record that can never be stored. */
export const DeadLetterSchema = Type.Object({
  at: Type.Number(),
  /** Why: see docs/operations.md. */
  code: Type.String(),
  /** Of a message. `bytes`: how long it was; `head`: how it begins, base64. */
  topic: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
  bytes: Type.Optional(Type.Number()),
  head: Type.Optional(Type.String()),
  /** Of a record. */
  post: Type.Optional(Type.String()),
  epoch: Type.Optional(Type.String()),
  record: Type.Optional(Type.Number()),
  samples: Type.Optional(
    Type.Array(
      Type.Object({
        /** Where its birth tells it; else `index`, which its birth does not. */
        device: Type.Optional(Type.String()),
        metric: Type.Optional(Type.String()),
        index: Type.Optional(Type.Number()),
        at: Type.Number(),
        value: Type.Union([Type.Number(), Type.String(), Type.Null()]),
        code: Type.Number(),
        refused: Type.String(),
      }),
    ),
  ),
  /** Samples of the record beyond those that are listed. */
  samplesLeftOut: Type.Optional(Type.Number()),
});
export type DeadLetter = Static<typeof DeadLetterSchema>;
export const DeadLettersResponseSchema = Type.Object({ letters: Type.Array(DeadLetterSchema) });
export type DeadLettersResponse = Static<typeof DeadLettersResponseSchema>;

/** Largest file of carried data that is taken. */
export const IMPORT_BYTES_MAX = 1024 ** 3;
/** What a file of carried data held, and what became of it. What was there already counts as stored: it is there once. */
export const ImportResponseSchema = Type.Object({
  records: Type.Number(),
  samples: Type.Number(),
  /** Samples that the store holds now. */
  stored: Type.Number(),
  /** Samples that it does not, and never will: see the dead letters. */
  refused: Type.Number(),
});
export type ImportResponse = Static<typeof ImportResponseSchema>;

export const BackupResponseSchema = Type.Object({
  /** On the server's machine. */
  folder: Type.String(),
  files: Type.Array(Type.Object({ name: Type.String(), bytes: Type.Number() })),
});
export type BackupResponse = Static<typeof BackupResponseSchema>;

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
