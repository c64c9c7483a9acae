// Which metrics a configured device has, under the names that its role gives them, and the exception rule of each.
import { type MetricKind, metricOf } from '#domain/metric.js';
import type { Unit } from '#domain/quantity.js';
import type { Profile } from '#profiles/profile.js';
import type { DeviceConfig } from './config.js';
import { namesIn } from './decode/decode.js';
import { convertDecimal } from './decode/units.js';
import {
  defaultDeadbandOf,
  defaultWatchOf,
  HEARTBEAT_MS,
  POLL_CLASS_MS,
  POLL_COUNTS_MS,
  TEXT_HEARTBEAT_MS,
  type WatchLimits,
} from './defaults.js';
import { metricNameAt } from './map/map.js';
import { type PollClass, pollClassesOf } from './poll/poll-class.js';

export interface DeviceMetric {
  readonly metric: string;
  readonly kind: MetricKind;
  readonly unit?: Unit;
  readonly pollPeriodMs: number;
  /** Gauges: how far it may move from its last sample unrecorded. */
  readonly deadband?: number;
  readonly heartbeatMs: number;
  readonly watch?: WatchLimits;
  /** Counters: starts again from zero here, in the metric's unit. */
  readonly modulus?: number;
}

/** The gateway's own record of each device. */
export const POLL_METRICS = [
  'poll.state',
  'poll.expected',
  'poll.good',
  'poll.timeouts',
  'poll.exceptions',
  'poll.garbled',
  'poll.latency',
] as const;

interface Source {
  readonly metric: string;
  readonly pollClass: PollClass;
  readonly modulus?: number;
}

/**
 * Every metric that a device can give at this place, each once: those of its profile with all variants, then `poll.*`.
 * A metric that the device's own variant lacks is never sampled.
 */
export function metricsOfDevice(device: DeviceConfig, profile: Profile): readonly DeviceMetric[] {
  const metrics = new Map<string, DeviceMetric>();
  for (const source of sourcesOf(profile)) {
    const metric = metricNameAt(device, source.metric);
    if (!metrics.has(metric)) metrics.set(metric, ruleOf(device, profile, metric, source));
  }
  for (const metric of POLL_METRICS) metrics.set(metric, pollRuleOf(device, profile, metric));
  return [...metrics.values()];
}

function sourcesOf(profile: Profile): Source[] {
  const replaced = (profile.variants ?? []).flatMap((variant) => variant.replace ?? []);
  const registers = [...profile.registers, ...replaced];
  const classes = pollClassesOf({ registers, ...(profile.derived && { derived: profile.derived }) });
  const direct = registers.flatMap((register): Source[] => {
    if (register.metric === undefined) return [];
    const modulus = register.modulus === undefined ? undefined : convertDecimal(register.modulus, register.unit);
    return [
      {
        metric: register.metric,
        pollClass: classes.get(register) ?? 'fast',
        ...(modulus !== undefined && { modulus }),
      },
    ];
  });
  const derived = (profile.derived ?? []).map((value): Source => {
    const part = registers.find((register) => register.name !== undefined && namesIn(value).includes(register.name));
    return { metric: value.metric, pollClass: (part && classes.get(part)) ?? 'fast' };
  });
  return [...direct, ...derived];
}

/** What is told of the polling itself: the state at every poll, the counts behind it now and then. */
function pollRuleOf(device: DeviceConfig, profile: Profile, metric: string): DeviceMetric {
  const rule = ruleOf(device, profile, metric, { metric, pollClass: 'fast' });
  if (metric === 'poll.state') return rule;
  const pollPeriodMs = Math.max(rule.pollPeriodMs, POLL_COUNTS_MS);
  return { ...rule, pollPeriodMs, heartbeatMs: Math.max(rule.heartbeatMs, pollPeriodMs) };
}

function ruleOf(device: DeviceConfig, profile: Profile, id: string, source: Source): DeviceMetric {
  const metric = metricOf(id);
  if (metric === undefined) throw new Error(`profile "${profile.id}" has a metric "${id}" that the vocabulary lacks`);
  const pollPeriodMs = Math.max(device.pollPeriodMs, POLL_CLASS_MS[source.pollClass]);
  const heartbeatMs = device.heartbeatMs ?? (metric.kind === 'text' ? TEXT_HEARTBEAT_MS : HEARTBEAT_MS);
  const deadband = metric.kind === 'gauge' ? (device.deadbands[id] ?? defaultDeadbandOf(metric)) : undefined;
  const watch = device.watch[id] ?? defaultWatchOf(profile.kind, id);
  return {
    metric: id,
    kind: metric.kind,
    ...(metric.unit !== undefined && { unit: metric.unit }),
    pollPeriodMs,
    ...(deadband !== undefined && { deadband }),
    heartbeatMs: Math.max(heartbeatMs, pollPeriodMs),
    ...(watch !== undefined && { watch }),
    ...(source.modulus !== undefined && { modulus: source.modulus }),
  };
}
