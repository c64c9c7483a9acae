// What one line of the fleet page says about a post. Pure.
import type { AlarmView, DeviceView, MetricView, PostFacts, PostSummary, Totals } from '#contract/view.js';
import { chooseFlows, type FlowValue } from '#domain/flow.js';
import { REASONS } from '#domain/quality.js';
import type { PostConfig } from '../config.js';
import type { KnownPost } from '../ingest/directory.js';
import type { LatestValues } from '../ingest/latest.js';

/** A post that is configured but was never heard of. */
export function unheardPost(id: string): KnownPost {
  return { id, birth: undefined, link: 'unknown', lastContactAt: null, lastSampleAt: null, backfilling: false };
}

/** An alarm counts in its priority until it is normal again, unless it has been set aside. */
export function countAlarms(alarms: readonly AlarmView[]): PostSummary['alarms'] {
  const counts = { p1: 0, p2: 0, p3: 0, unacknowledged: 0 };
  for (const alarm of alarms) {
    if (!isShown(alarm)) continue;
    counts[`p${alarm.priority}`] += 1;
    if (waitsForPerson(alarm)) counts.unacknowledged += 1;
  }
  return counts;
}

function isShown(alarm: AlarmView): boolean {
  return (
    alarm.state !== 'normal' &&
    alarm.state !== 'suppressed' &&
    alarm.state !== 'shelved' &&
    alarm.state !== 'outOfService'
  );
}

function waitsForPerson(alarm: AlarmView): boolean {
  return alarm.state === 'unacknowledged' || alarm.state === 'returned' || alarm.state === 'latchedUnacknowledged';
}

/** The line of a post, from what memory holds. Figures keep their quality and source time; nothing missing becomes zero. */
export function summarisePost(
  post: KnownPost,
  config: PostConfig | undefined,
  latest: LatestValues,
  alarms: readonly AlarmView[],
  today: Totals | null,
): PostSummary {
  return {
    id: post.id,
    name: config?.name ?? post.id,
    link: post.link,
    lastSampleAt: post.lastSampleAt,
    lastContactAt: post.lastContactAt,
    backfilling: post.backfilling,
    registered: config !== undefined,
    ...identityOf(post),
    flows: withFill(flowsOf(post, latest), config?.tankHeightM),
    today,
    alarms: countAlarms(alarms),
  };
}

function identityOf({ identity }: KnownPost): Pick<PostSummary, 'identity'> {
  if (identity === undefined) return {};
  const { kinds, since, lastAt, keys } = identity;
  return { identity: { kinds: [...kinds], since, lastAt, keys: keys.length } };
}

/** A metric that the post has and has not told yet gives no value, with a reason: a sum without it would pass for the whole. */
function flowsOf(post: KnownPost, latest: LatestValues): PostSummary['flows'] {
  const { birth } = post;
  if (birth === undefined) return {};
  const has = new Set(birth.metrics.filter(({ retired }) => retired !== true).map((m) => `${m.device}/${m.metric}`));
  return chooseFlows(birth.devices, (device, metric): FlowValue | undefined => {
    if (!has.has(`${device}/${metric}`)) return undefined;
    const known = latest.get(post.id, device, metric);
    if (known === undefined) return { value: null, code: REASONS.incomplete.code, at: birth.at };
    if (typeof known.value === 'string') return { value: null, code: REASONS.impossible.code, at: known.at };
    return { value: known.value, code: known.code, at: known.at };
  });
}

/** A level becomes a share of the tank where the post's facts tell its height and no device tells it already. */
function withFill(flows: PostSummary['flows'], tankHeightM: number | undefined): PostSummary['flows'] {
  const level = flows.tankLevel;
  if (flows.tankFill !== undefined || level === undefined || tankHeightM === undefined) return flows;
  const value = typeof level.value === 'number' ? Math.min(100, Math.max(0, (100 * level.value) / tankHeightM)) : null;
  return { ...flows, tankFill: { ...level, value } };
}

/** What a person may see of a post's facts. Coordinates stay here. */
export function factsOf(config: PostConfig | undefined): PostFacts {
  return {
    zone: config?.zone ?? 'UTC',
    ...(config?.altitudeM !== undefined && { altitudeM: config.altitudeM }),
    ...(config?.pvCapacityW !== undefined && { pvCapacityW: config.pvCapacityW }),
    ...(config?.batteryCapacityWh !== undefined && { batteryCapacityWh: config.batteryCapacityWh }),
    ...(config?.tankVolumeM3 !== undefined && { tankVolumeM3: config.tankVolumeM3 }),
  };
}

export function devicesOf(post: KnownPost | undefined): DeviceView[] {
  return (post?.birth?.devices ?? []).map((device) => ({
    id: device.id,
    kind: device.kind,
    pollPeriodMs: device.pollPeriodMs,
    ...(device.name !== undefined && { name: device.name }),
    ...(device.role !== undefined && { role: device.role }),
    ...(device.profile !== undefined && { profile: device.profile }),
    ...(device.model !== undefined && { model: device.model }),
  }));
}

/** Metrics of a post's birth, with the small numbers that `idOf` gives them. Retired ones are left out. */
export function metricsOf(post: KnownPost | undefined, idOf: (device: string, metric: string) => number): MetricView[] {
  const birth = post?.birth;
  if (birth === undefined) return [];
  return birth.metrics
    .filter((metric) => metric.retired !== true)
    .map((metric) => ({
      id: idOf(metric.device, metric.metric),
      device: metric.device,
      metric: metric.metric,
      kind: metric.kind,
      ...(metric.unit !== undefined && { unit: metric.unit }),
      staleAfterMs: staleAfterMs(metric.heartbeatS, birth.batchPeriodMs),
    }));
}

/** A value is renewed at its heartbeat, and may wait for a batch at both ends. */
export function staleAfterMs(heartbeatS: number, batchPeriodMs: number): number {
  return heartbeatS * 1000 + 2 * batchPeriodMs;
}
