// The gateway watches itself, as a device like any other.
import type { BirthDevice } from '#contract/session.js';
import type { ClockQuality } from '#domain/clock.js';
import { metricOf } from '#domain/metric.js';
import { goodReading, invalidReading } from '#domain/reading.js';
import { defaultDeadbandOf, HEARTBEAT_MS } from '../defaults.js';
import type { OutboxStatus } from '../outbox/outbox.js';
import type { PollResult } from '../ports.js';
import type { DeclaredMetric } from '../uplink/birth.js';

export const GATEWAY_DEVICE = 'gateway';
export const HEALTH_PERIOD_MS = 300_000;

export interface HealthFacts {
  readonly upMs: number;
  readonly memoryBytes: number;
  readonly clockQuality: ClockQuality;
  readonly outbox: OutboxStatus;
  readonly bytesSent: number;
  /** Per cent of the day's bytes. */
  readonly budgetUsed: number;
  readonly connects: number;
}

/** One look at the gateway, at `at` epoch ms. */
export function readHealth(facts: HealthFacts, at: number): PollResult {
  const values: Record<(typeof METRICS)[number], number | string | undefined> = {
    'gateway.uptime': Math.floor(facts.upMs / 1000),
    'gateway.memory': facts.memoryBytes,
    'gateway.clockQuality': facts.clockQuality,
    'gateway.outboxRecords': facts.outbox.pendingRecords,
    'gateway.outboxBytes': facts.outbox.bytes,
    'gateway.outboxFill': Math.min(100, Math.round((facts.outbox.pendingBytes / facts.outbox.bytesMax) * 1000) / 10),
    'gateway.outboxCapacity': seconds(facts.outbox.capacityMs),
    'gateway.recordsExpired': facts.outbox.expired,
    'gateway.samplesExpired': facts.outbox.expiredSamples,
    'gateway.recordsAggregated': facts.outbox.aggregated,
    'gateway.samplesAggregated': facts.outbox.aggregatedSamples,
    'gateway.recordsRefused': facts.outbox.refused,
    'gateway.recordsReplayed': facts.outbox.replayed,
    'gateway.bytesSent': facts.bytesSent,
    'gateway.budgetUsed': facts.budgetUsed,
    'gateway.connects': facts.connects,
  };
  // What is not known yet lacks a part that it is made of: a day of recording.
  const readings = Object.entries(values).map(([metric, value]) =>
    value === undefined ? invalidReading(metric, 'incomplete', at) : goodReading(metric, value, at),
  );
  return { device: GATEWAY_DEVICE, at, readings };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 1000);
}

const METRICS = [
  'gateway.uptime',
  'gateway.memory',
  'gateway.clockQuality',
  'gateway.outboxRecords',
  'gateway.outboxBytes',
  'gateway.outboxFill',
  'gateway.outboxCapacity',
  'gateway.recordsExpired',
  'gateway.samplesExpired',
  'gateway.recordsAggregated',
  'gateway.samplesAggregated',
  'gateway.recordsRefused',
  'gateway.recordsReplayed',
  'gateway.bytesSent',
  'gateway.budgetUsed',
  'gateway.connects',
] as const;

export const healthDevice: BirthDevice = {
  id: GATEWAY_DEVICE,
  kind: 'gateway',
  pollPeriodMs: HEALTH_PERIOD_MS,
};

/** The metrics of {@link readHealth}, as the birth tells them. */
export function healthMetrics(): DeclaredMetric[] {
  return METRICS.map((id) => {
    const metric = metricOf(id);
    if (metric === undefined) throw new Error(`the vocabulary lacks ${id}`);
    const deadband = defaultDeadbandOf(metric);
    return {
      device: GATEWAY_DEVICE,
      metric: id,
      kind: metric.kind,
      pollPeriodMs: HEALTH_PERIOD_MS,
      heartbeatS: HEARTBEAT_MS / 1000,
      ...(metric.unit === undefined ? {} : { unit: metric.unit }),
      ...(deadband === undefined ? {} : { deadband }),
    };
  });
}
