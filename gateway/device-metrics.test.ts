import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import type { Profile } from '#profiles/profile.js';
import type { DeviceConfig } from './config.js';
import { metricsOfDevice, POLL_METRICS } from './device-metrics.js';

const { profiles } = loadCatalog();

function configured(profile: Profile, more: Partial<DeviceConfig> = {}): DeviceConfig {
  const { id } = profile;
  return {
    id: 'device',
    bus: 'bus',
    profile: id,
    unit: 1,
    reversed: false,
    pollPeriodMs: 10_000,
    deadbands: {},
    watch: {},
    ...more,
  };
}

function metricsOf(id: string, more: Partial<DeviceConfig> = {}) {
  const { profile } = profiles.get(id)!;
  return new Map(metricsOfDevice(configured(profile, more), profile).map((one) => [one.metric, one]));
}

describe('the metrics of a device', () => {
  test('have the names of its role, and the gateway’s own record of it', () => {
    const metrics = metricsOf('eastron/sdm630', { role: 'load' });
    expect(metrics.get('load.power')).toEqual({
      metric: 'load.power',
      kind: 'gauge',
      unit: 'W',
      pollPeriodMs: 10_000,
      deadband: 50,
      heartbeatMs: 300_000,
    });
    expect(metrics.has('ac.power')).toBe(false);
    expect(metrics.get('load.energy')).toMatchObject({ kind: 'counter', unit: 'Wh' });
    for (const metric of POLL_METRICS) expect(metrics.has(metric)).toBe(true);
  });

  test('are polled as often as their class, and never less often sampled than that', () => {
    const metrics = metricsOf('eastron/sdm630');
    expect(metrics.get('ac.l1.energyImport')).toMatchObject({ pollPeriodMs: 60_000, heartbeatMs: 300_000 });
    const rare = metricsOf('deye/sg04lp3').get('device.clock');
    expect(rare).toMatchObject({ kind: 'text', pollPeriodMs: 3_600_000, heartbeatMs: 21_600_000 });
    for (const { pollPeriodMs, heartbeatMs } of metrics.values())
      expect(heartbeatMs).toBeGreaterThanOrEqual(pollPeriodMs);
  });

  test('tell the counts of polls now and then, their state always', () => {
    const metrics = metricsOf('eastron/sdm630', { heartbeatMs: 60_000 });
    expect(metrics.get('poll.state')).toMatchObject({ pollPeriodMs: 10_000, heartbeatMs: 60_000 });
    for (const metric of POLL_METRICS.filter((one) => one !== 'poll.state'))
      expect(metrics.get(metric)).toMatchObject({ pollPeriodMs: 300_000, heartbeatMs: 300_000 });
  });

  test('take their rule from the configuration before the defaults', () => {
    const ruled = metricsOf('victron/gx', {
      deadbands: { 'battery.soc': 2 },
      watch: { 'battery.soc': { low: 40 } },
      heartbeatMs: 60_000,
    });
    expect(ruled.get('battery.soc')).toMatchObject({ deadband: 2, watch: { low: 40 }, heartbeatMs: 60_000 });
    expect(metricsOf('victron/gx').get('battery.soc')).toMatchObject({ deadband: 0.5, watch: { low: 30 } });
  });

  test('only gauges have deadbands', () => {
    for (const id of profiles.keys())
      for (const { kind, deadband, metric } of metricsOf(id).values())
        if (kind !== 'gauge') expect(deadband, `${id} ${metric}`).toBeUndefined();
        else if (metric !== 'battery.consumedCharge') expect(deadband, `${id} ${metric}`).toBeGreaterThan(0);
  });

  test('know where a counter starts again, in the metric’s unit', () => {
    const { profile } = profiles.get('eastron/sdm630')!;
    const registers = profile.registers.map((register) =>
      register.metric === 'ac.energyImport' ? { ...register, modulus: 6553.6 } : register,
    );
    const metrics = metricsOfDevice(configured(profile), { ...profile, registers });
    expect(metrics.find(({ metric }) => metric === 'ac.energyImport')?.modulus).toBe(6_553_600);
  });
});
