// What the server shows of posts, devices, values and alarms: the shapes that the API and the live channel share.
import { type Static, Type } from 'typebox';
import { ALARM_STATE_NAMES } from '#domain/alarm.js';
import { DEVICE_KINDS, METER_ROLES } from '#domain/device-kind.js';
import { FLOW_NAMES, type FlowName, TOTAL_NAMES, type TotalName } from '#domain/flow.js';
import { UNITS } from '#domain/quantity.js';

const literals = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.Enum([...values]));
const timeMs = Type.Number();

/** A value with its honesty: reason code (0 = good) and source time. null with code ≥ 32 where there is none. */
export const FigureSchema = Type.Object({
  value: Type.Union([Type.Number(), Type.String(), Type.Null()]),
  code: Type.Integer(),
  at: timeMs,
});
export type Figure = Static<typeof FigureSchema>;

/** A total over a window, with how much of the window was really measured. */
export const TotalSchema = Type.Object({
  /** null where nothing is known; a missing value is never zero. */
  value: Type.Union([Type.Number(), Type.Null()]),
  unit: literals(UNITS),
  /** 0..1: share of the window that is backed by good samples. */
  coverage: Type.Number(),
  /** `counter`: difference of a device's counter. */
  method: literals(['counter'] as const),
});
export type Total = Static<typeof TotalSchema>;

export const TotalsSchema = Type.Object({
  from: timeMs,
  to: timeMs,
  /** IANA zone whose midnight starts the window. */
  zone: Type.String(),
  totals: Type.Partial(
    Type.Object(
      Object.fromEntries(TOTAL_NAMES.map((name) => [name, TotalSchema])) as Record<TotalName, typeof TotalSchema>,
    ),
  ),
});
export type Totals = Static<typeof TotalsSchema>;

/** What puts in doubt who sends for a post: another key, an outbox that is an older copy, two gateways in turn. */
export const IDENTITY_KINDS = ['keyChanged', 'restored', 'twoGateways'] as const;
export const IdentityViewSchema = Type.Object({
  /** Gravest first. */
  kinds: Type.Array(literals(IDENTITY_KINDS)),
  /** By the server's clock: since when, and when something last told of it. */
  since: timeMs,
  lastAt: timeMs,
  /** Keys heard of the post. */
  keys: Type.Integer(),
});
export type IdentityView = Static<typeof IdentityViewSchema>;

export const LINK_STATES = ['online', 'offline', 'unknown'] as const;

export const PostSummarySchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  link: literals(LINK_STATES),
  /** Source time of the newest live sample. */
  lastSampleAt: Type.Union([timeMs, Type.Null()]),
  /** When anything was last heard of it. */
  lastContactAt: Type.Union([timeMs, Type.Null()]),
  /** Historical data is arriving. */
  backfilling: Type.Boolean(),
  registered: Type.Boolean(),
  /** Absent where one gateway speaks for the post. */
  identity: Type.Optional(IdentityViewSchema),
  flows: Type.Partial(
    Type.Object(
      Object.fromEntries(FLOW_NAMES.map((name) => [name, FigureSchema])) as Record<FlowName, typeof FigureSchema>,
    ),
  ),
  today: Type.Union([TotalsSchema, Type.Null()]),
  /** Active alarms by priority 1..3, and how many of all wait for a person. */
  alarms: Type.Object({ p1: Type.Integer(), p2: Type.Integer(), p3: Type.Integer(), unacknowledged: Type.Integer() }),
});
export type PostSummary = Static<typeof PostSummarySchema>;

/** Facts of a post that an engineer may see. Coordinates are for the server only. */
export const PostFactsSchema = Type.Object({
  zone: Type.String(),
  altitudeM: Type.Optional(Type.Number()),
  pvCapacityW: Type.Optional(Type.Number()),
  batteryCapacityWh: Type.Optional(Type.Number()),
  tankVolumeM3: Type.Optional(Type.Number()),
});
export type PostFacts = Static<typeof PostFactsSchema>;

export const DeviceViewSchema = Type.Object({
  id: Type.String(),
  kind: literals(DEVICE_KINDS),
  name: Type.Optional(Type.String()),
  role: Type.Optional(literals(METER_ROLES)),
  profile: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  pollPeriodMs: Type.Integer(),
});
export type DeviceView = Static<typeof DeviceViewSchema>;

/** A metric of a post. `id` is a small number, stable for one session of the server. */
export const MetricViewSchema = Type.Object({
  id: Type.Integer(),
  device: Type.String(),
  metric: Type.String(),
  kind: literals(['gauge', 'counter', 'state', 'text'] as const),
  unit: Type.Optional(literals(UNITS)),
  /** A value older than this is stale: the heartbeat and two batch periods. */
  staleAfterMs: Type.Number(),
});
export type MetricView = Static<typeof MetricViewSchema>;

export const AlarmViewSchema = Type.Object({
  /** `post/rule/device`, unique in the fleet. */
  id: Type.String(),
  post: Type.String(),
  device: Type.Union([Type.String(), Type.Null()]),
  /** Id of the rule in the catalogue; texts are found by it. */
  rule: Type.String(),
  priority: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)]),
  state: literals(ALARM_STATE_NAMES),
  /** What the condition says now; `unknown` while its input is not good. */
  condition: literals(['true', 'false', 'unknown'] as const),
  /** The start of the present activation, in source time. */
  since: Type.Union([timeMs, Type.Null()]),
  returnedAt: Type.Union([timeMs, Type.Null()]),
  count: Type.Integer(),
  /** The value that decided, with its limit, in the metric's unit. */
  value: Type.Union([Type.Number(), Type.Null()]),
  limit: Type.Union([Type.Number(), Type.Null()]),
  unit: Type.Union([literals(UNITS), Type.Null()]),
  latching: Type.Boolean(),
  acknowledgedBy: Type.Union([Type.String(), Type.Null()]),
  acknowledgedAt: Type.Union([timeMs, Type.Null()]),
  comment: Type.Union([Type.String(), Type.Null()]),
});
export type AlarmView = Static<typeof AlarmViewSchema>;

export const JournalEntrySchema = Type.Object({
  seq: Type.Integer(),
  at: timeMs,
  alarm: Type.String(),
  post: Type.String(),
  rule: Type.String(),
  from: literals(ALARM_STATE_NAMES),
  to: literals(ALARM_STATE_NAMES),
  event: Type.String(),
  by: Type.Union([Type.String(), Type.Null()]),
  comment: Type.Union([Type.String(), Type.Null()]),
  /** Found in data that arrived late. Such entries notify nobody. */
  historical: Type.Boolean(),
});
export type JournalEntry = Static<typeof JournalEntrySchema>;
