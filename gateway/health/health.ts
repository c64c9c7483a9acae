// The gateway watches itself, as a device like any other.
import type { BirthDevice } from '#contract/session.js';
import type { ClockQuality } from '#domain/clock.js';
import { metricOf } from '#domain/metric.js';
import { goodReading } from '#domain/reading.js';
import { defaultDeadbandOf, HEARTBEAT_MS } from '../defaults.js';
import type { OutboxStatus } from '../outbox/outbox.js';
import type { PollResult } from '../ports.js';
import type { DeclaredMetric } from '../uplink/birth.js';

export const GATEWAY_DEVICE = 'gateway';
export const HEALTH_PERIOD_MS = 60_000;

export interface HealthFacts {
  readonly upMs: number;
  readonly memoryBytes: number;
  readonly clockQuality: ClockQuality;
  readonly outbox: OutboxStatus;
  readonly bytesSent: number;
  readonly connects: number;
}

/** One look at the gateway, at `at` epoch ms. */
export function readHealth(facts: HealthFacts, at: number): PollResult {
  const values: Record<(typeof METRICS)[number], number | string> = {
    'gateway.uptime': Math.floor(facts.upMs / 1000),
    'gateway.memory': facts.memoryBytes,
    'gateway.clockQuality': facts.clockQuality,
    'gateway.outboxRecords': facts.outbox.pendingRecords,
    'gateway.outboxBytes': facts.outbox.bytes,
    'gateway.outboxFill': Math.min(100, Math.round((facts.outbox.bytes / facts.outbox.bytesMax) * 1000) / 10),
    'gateway.recordsExpired': facts.outbox.expired,
    'gateway.recordsAggregated': facts.outbox.aggregated,
    'gateway.recordsRefused': facts.outbox.refused,
    'gateway.bytesSent': facts.bytesSent,
    'gateway.connects': facts.connects,
  };
  const readings = Object.entries(values).map(([metric, value]) => goodReading(metric, value, at));
  return { device: GATEWAY_DEVICE, at, readings };
}

const METRICS = [
  'gateway.uptime',
  'gateway.memory',
  'gateway.clockQuality',
  'gateway.outboxRecords',
  'gateway.outboxBytes',
  'gateway.outboxFill',
  'gateway.recordsExpired',
  'gateway.recordsAggregated',
  'gateway.recordsRefused',
  'gateway.bytesSent',
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
