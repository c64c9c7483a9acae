// What the browser knows: the last of everything it was told. Messages only add or replace; a broken link takes nothing away.
import type { Delta, Snapshot } from '#contract/live.js';
import type { AlarmView, DeviceView, Figure, MetricView, PostFacts, PostSummary } from '#contract/view.js';
import { extendTraces, type Traces } from './trace.js';

/** What a post's own page needs beyond its summary. */
export interface PostDetail {
  readonly post: string;
  readonly devices: readonly DeviceView[];
  readonly metrics: readonly MetricView[];
  readonly facts: PostFacts | null;
  readonly values: ReadonlyMap<number, Figure>;
  /** What the post's figures did since it was opened. */
  readonly traces: Traces;
}

export interface LiveState {
  readonly posts: ReadonlyMap<string, PostSummary>;
  /** Everything but `normal`. */
  readonly alarms: ReadonlyMap<string, AlarmView>;
  /** False until the whole fleet was told once. */
  readonly knowsFleet: boolean;
  /** The post that was looked at last. */
  readonly detail: PostDetail | null;
  /** Where simulated posts can be broken; null where the posts are real. */
  readonly playground: string | null;
}

export const NOTHING_KNOWN: LiveState = {
  posts: new Map(),
  alarms: new Map(),
  knowsFleet: false,
  detail: null,
  playground: null,
};

/** The state after a message. Parts that did not change keep their identity. */
export function applyMessage(state: LiveState, message: Snapshot | Delta): LiveState {
  return message.t === 'snapshot' ? applySnapshot(state, message) : applyDelta(state, message);
}

function applySnapshot(state: LiveState, snapshot: Snapshot): LiveState {
  const { view, playground = null } = snapshot;
  if (view.page !== 'post')
    return {
      posts: byId(snapshot.posts),
      alarms: byId(snapshot.alarms.filter(isShown)),
      knowsFleet: true,
      detail: state.detail,
      playground,
    };
  const others = [...state.alarms.values()].filter((alarm) => alarm.post !== view.post);
  return {
    posts: merged(state.posts, snapshot.posts),
    alarms: byId([...others, ...snapshot.alarms.filter(isShown)]),
    knowsFleet: state.knowsFleet,
    playground,
    detail: {
      post: view.post,
      devices: snapshot.devices,
      metrics: snapshot.metrics,
      facts: snapshot.facts,
      values: mergedValues(new Map(), snapshot.values),
      traces: tracesOf(state.detail?.post === view.post ? state.detail.traces : {}, view.post, snapshot.posts),
    },
  };
}

function applyDelta(state: LiveState, delta: Delta): LiveState {
  return {
    ...state,
    posts: merged(state.posts, delta.posts),
    alarms: mergedAlarms(state.alarms, delta.alarms),
    detail: state.detail === null ? null : updateDetail(state.detail, delta),
  };
}

function updateDetail(detail: PostDetail, delta: Delta): PostDetail {
  return {
    ...detail,
    values: delta.values.length === 0 ? detail.values : mergedValues(detail.values, delta.values),
    traces: tracesOf(detail.traces, detail.post, delta.posts),
  };
}

function tracesOf(traces: Traces, post: string, posts: readonly PostSummary[]): Traces {
  const summary = posts.find(({ id }) => id === post);
  return summary === undefined ? traces : extendTraces(traces, summary.flows);
}

/** An alarm as the answer to an order brings it, before the live channel does. */
export function applyAlarm(state: LiveState, alarm: AlarmView): LiveState {
  return { ...state, alarms: mergedAlarms(state.alarms, [alarm]) };
}

const isShown = (alarm: AlarmView): boolean => alarm.state !== 'normal';

function byId<T extends { readonly id: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}

function merged<T extends { readonly id: string }>(
  known: ReadonlyMap<string, T>,
  changed: readonly T[],
): ReadonlyMap<string, T> {
  if (changed.length === 0) return known;
  const result = new Map(known);
  for (const item of changed) result.set(item.id, item);
  return result;
}

function mergedAlarms(
  known: ReadonlyMap<string, AlarmView>,
  changed: readonly AlarmView[],
): ReadonlyMap<string, AlarmView> {
  if (changed.length === 0) return known;
  const result = new Map(known);
  for (const alarm of changed)
    if (isShown(alarm)) result.set(alarm.id, alarm);
    else result.delete(alarm.id);
  return result;
}

function mergedValues(known: ReadonlyMap<number, Figure>, changed: Delta['values']): ReadonlyMap<number, Figure> {
  const result = new Map(known);
  for (const [id, value, code, at] of changed) result.set(id, { value, code, at });
  return result;
}
