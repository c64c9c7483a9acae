// What the post tells about itself: devices, metrics, and the indexes that data payloads call them by.
import type { Birth, BirthDevice, BirthMetric } from '#contract/session.js';
import { BIRTH_JSON_BYTES_MAX, encodeBirth, encodeJson, SESSION_BYTES_MAX } from '#contract/session.js';
import type { ClockQuality } from '#domain/clock.js';
import type { CatalogueEntry } from '../outbox/outbox.js';
import type { BirthIndex } from './payload.js';

/** A metric as the configuration and its profile tell it. */
export type DeclaredMetric = Omit<BirthMetric, 'index' | 'retired'>;

export interface BirthFacts {
  readonly version: string;
  /** Ed25519, SPKI, base64. */
  readonly publicKey: string;
  /** Of this start of the gateway: its epoch, and its number by the outbox's count. */
  readonly epoch: string;
  readonly start: number;
  readonly batchPeriodMs: number;
  readonly devices: readonly BirthDevice[];
  readonly metrics: readonly DeclaredMetric[];
}

export interface NumberedBirth extends BirthIndex {
  readonly clock: ClockQuality;
  readonly bytes: Uint8Array;
  /** The broker lets it through. */
  readonly fits: boolean;
}

/** Everything that is to be known of a metric when it is measured no longer. */
interface Description {
  readonly device: BirthDevice;
  readonly metric: DeclaredMetric;
}

/** What the outbox keeps of each metric, to tell it as long as records of it exist. */
export function catalogueOf(facts: Pick<BirthFacts, 'devices' | 'metrics'>): CatalogueEntry[] {
  const devices = new Map(facts.devices.map((device) => [device.id, device]));
  return facts.metrics.flatMap((metric) => {
    const device = devices.get(metric.device);
    if (device === undefined) return [];
    const description: Description = { device, metric };
    return [{ device: metric.device, metric: metric.metric, description: JSON.stringify(description) }];
  });
}

/**
 * Makes a birth. Indexes are places in its list.
 * @param retired what {@link catalogueOf} once gave and the post measures no longer
 */
export function makeBirth(
  facts: BirthFacts,
  retired: readonly CatalogueEntry[],
  now: { readonly number: number; readonly at: number; readonly clock: ClockQuality },
): NumberedBirth {
  const old = retired.map((entry) => JSON.parse(entry.description) as Description);
  const devices = new Map([...old.map(({ device }) => device), ...facts.devices].map((device) => [device.id, device]));
  const metrics = [...facts.metrics, ...old.map(({ metric }) => ({ ...metric, retired: true }))].map(
    (metric, index): BirthMetric => ({ index, ...metric }),
  );
  const birth: Birth = {
    birth: now.number,
    at: now.at,
    clock: now.clock,
    gateway: { version: facts.version, publicKey: facts.publicKey, epoch: facts.epoch, start: facts.start },
    batchPeriodMs: facts.batchPeriodMs,
    devices: [...devices.values()],
    metrics,
  };
  const bytes = encodeBirth(birth);
  const jsonBytes = encodeJson(birth).length;
  const indexes = new Map<string, Map<string, number>>();
  for (const { device, metric, index } of metrics) {
    const ofDevice = indexes.get(device) ?? new Map();
    indexes.set(device, ofDevice.set(metric, index));
  }
  return {
    number: now.number,
    clock: now.clock,
    bytes,
    fits: bytes.length <= SESSION_BYTES_MAX - 1024 && jsonBytes <= BIRTH_JSON_BYTES_MAX,
    indexOf: (device, metric) => indexes.get(device)?.get(metric),
  };
}
