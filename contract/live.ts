// The live channel between server and browser: one mechanism, "everything that changed since seq N". A first snapshot is
// N = 0, a resume is the N that the browser last saw, and a slow browser simply asks later: nothing queues for it.
import { type Static, Type } from 'typebox';
import { type Door, doorOf } from './door.js';
import { AlarmViewSchema, DeviceViewSchema, MetricViewSchema, PostFactsSchema, PostSummarySchema } from './view.js';

/** What is on the screen decides what is sent. */
export const LiveViewSchema = Type.Union([
  Type.Object({ page: Type.Literal('fleet') }),
  Type.Object({ page: Type.Literal('alarms') }),
  Type.Object({ page: Type.Literal('post'), post: Type.String({ maxLength: 32 }) }),
]);
export type LiveView = Static<typeof LiveViewSchema>;

/** Sent after connecting, and again when the screen changes. */
export const HelloSchema = Type.Object({
  t: Type.Literal('hello'),
  view: LiveViewSchema,
  /** Session and seq last seen of the same view; without them, or after a restart of the server, a snapshot comes. */
  session: Type.Optional(Type.String({ maxLength: 40 })),
  since: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Least time between two deltas. The saver's choice. */
  periodMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
});
export type Hello = Static<typeof HelloSchema>;
export const helloDoor: Door<Hello> = doorOf(HelloSchema);

/** [metric id, value, reason code, source time]. */
export const LiveValueSchema = Type.Tuple([
  Type.Integer(),
  Type.Union([Type.Number(), Type.String(), Type.Null()]),
  Type.Integer(),
  Type.Number(),
]);
export type LiveValue = Static<typeof LiveValueSchema>;

const changes = {
  seq: Type.Integer(),
  /** The server's time, for ages. */
  now: Type.Number(),
  posts: Type.Array(PostSummarySchema),
  alarms: Type.Array(AlarmViewSchema),
  values: Type.Array(LiveValueSchema),
};

/** Everything that a view shows. */
export const SnapshotSchema = Type.Object({
  t: Type.Literal('snapshot'),
  session: Type.String(),
  view: LiveViewSchema,
  ...changes,
  /** Post page only. */
  devices: Type.Array(DeviceViewSchema),
  metrics: Type.Array(MetricViewSchema),
  facts: Type.Union([PostFactsSchema, Type.Null()]),
  /** Where this server lets people break its simulated posts. Real ones have no such place. */
  playground: Type.Optional(Type.String({ pattern: '^/' })),
});
export type Snapshot = Static<typeof SnapshotSchema>;

/** What changed since the last message. Empty ones come as heartbeat. Posts and alarms come whole, values one by one. */
export const DeltaSchema = Type.Object({ t: Type.Literal('delta'), ...changes });
export type Delta = Static<typeof DeltaSchema>;

/** The request could not be served; the connection stays. */
export const LiveErrorSchema = Type.Object({ t: Type.Literal('error'), code: Type.String(), message: Type.String() });
export type LiveError = Static<typeof LiveErrorSchema>;

export type LiveMessage = Snapshot | Delta | LiveError;
export const liveMessageSchema = Type.Union([SnapshotSchema, DeltaSchema, LiveErrorSchema]);

/** A delta, empty or not, comes at least so often. A browser that hears nothing for twice this is offline. */
export const HEARTBEAT_MS = 15_000;
