// What the configuration and the profiles say of a post, in the form that the birth tells and in the form that recording needs.
import type { BirthDevice } from '#contract/session.js';
import type { RecordingRule } from '#domain/exception-rule.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import type { DeviceConfig, GatewayConfig } from '../config.js';
import { metricsOfDevice } from '../device-metrics.js';
import { healthDevice, healthMetrics } from '../health/health.js';
import type { DeclaredMetric } from '../uplink/birth.js';

export interface PostFacts {
  readonly devices: readonly BirthDevice[];
  readonly metrics: readonly DeclaredMetric[];
}

/** All devices and metrics of a post, the gateway's own last. Throws for a device whose profile is not loaded. */
export function postFactsOf(config: GatewayConfig, profiles: ReadonlyMap<string, LoadedProfile>): PostFacts {
  const devices: BirthDevice[] = [];
  const metrics: DeclaredMetric[] = [];
  for (const device of config.devices) {
    const loaded = profiles.get(device.profile);
    if (loaded === undefined) throw new Error(`profile "${device.profile}" of device "${device.id}" is not loaded`);
    devices.push(birthDeviceOf(device, loaded));
    for (const { heartbeatMs, ...metric } of metricsOfDevice(device, loaded.profile))
      metrics.push({ device: device.id, heartbeatS: heartbeatMs / 1000, ...metric });
  }
  return { devices: [...devices, healthDevice], metrics: [...metrics, ...healthMetrics()] };
}

function birthDeviceOf(device: DeviceConfig, { profile, hash }: LoadedProfile): BirthDevice {
  return {
    id: device.id,
    kind: profile.kind,
    profile: profile.id,
    profileHash: hash,
    model: `${profile.maker} ${profile.model}`.slice(0, 80),
    pollPeriodMs: device.pollPeriodMs,
    ...(device.name !== undefined && { name: device.name }),
    ...(device.role !== undefined && { role: device.role }),
    ...(profile.protocol.sleepsAtNight !== undefined && { sleepsAtNight: profile.protocol.sleepsAtNight }),
  };
}

/** Device → metric → what decides that a reading is recorded. */
export function rulesOf(metrics: readonly DeclaredMetric[]): ReadonlyMap<string, ReadonlyMap<string, RecordingRule>> {
  const rules = new Map<string, Map<string, RecordingRule>>();
  for (const { device, metric, kind, deadband, heartbeatS, watch } of metrics) {
    const ofDevice = rules.get(device) ?? new Map<string, RecordingRule>();
    rules.set(device, ofDevice);
    ofDevice.set(metric, {
      kind,
      heartbeatMs: heartbeatS * 1000,
      ...(deadband !== undefined && { deadband }),
      ...(watch !== undefined && { watch }),
    });
  }
  return rules;
}
