import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import type { DeviceFault } from '../fault/device-fault.js';
import { parseScenario } from '../scenarios/scenario.js';
import { createSimulation, type PostSimulation } from '../simulation.js';
import { spoil, wrapOf } from './spoil.js';

const { profiles: catalog } = loadCatalog();
const meter = catalog.get('eastron/sdm630')!.profile;
const then = {
  'ac.power': 100,
  'ac.energyImport': 5000,
  'ac.energyExport': 7,
  'device.clock': '2026-01-01T00:00:00',
  'device.uptime': 50,
};
const now = {
  'ac.power': 250,
  'ac.energyImport': 5600,
  'ac.energyExport': 7,
  'device.clock': '2026-01-01T01:00:00',
  'device.uptime': 3650,
};

function shown(fault: DeviceFault, metric: keyof typeof now, grown = 1): unknown {
  return spoil(meter, metric, now, [{ fault, grown, then }]);
}
const at = { fromS: 0, device: 'meter' } as const;

describe('a device that', () => {
  test('is frozen shows what it showed, but its clock and uptime go on', () => {
    const frozen: DeviceFault = { kind: 'frozen', ...at };
    expect(shown(frozen, 'ac.power')).toBe(100);
    expect(shown(frozen, 'device.clock')).toBe('2026-01-01T01:00:00');
    expect(shown(frozen, 'device.uptime')).toBe(3650);
  });

  test('has its clamps the wrong way round counts import as export', () => {
    const reversed: DeviceFault = { kind: 'reversedCt', ...at };
    expect([
      shown(reversed, 'ac.power'),
      shown(reversed, 'ac.energyImport'),
      shown(reversed, 'ac.energyExport'),
    ]).toEqual([-250, 5000, 607]);
  });

  test('was set to another unit shows other numbers', () => {
    expect(shown({ kind: 'unitChange', ...at, factor: 1000 }, 'ac.power')).toBe(250_000);
    expect(shown({ kind: 'unitChange', ...at, factor: 10, metrics: ['ac.energyImport'] }, 'ac.power')).toBe(250);
  });

  test('drifts as far as the fault has grown', () => {
    const drift: DeviceFault = { kind: 'drift', ...at, metrics: ['ac.power'], factor: 1.2, offset: 8 };
    expect([0, 0.5, 1].map((grown) => shown(drift, 'ac.power', grown))).toEqual([250, 279, 308]);
    expect(shown(drift, 'ac.energyImport')).toBe(5600);
  });

  test('has lost its clock shows another time, never one before its years begin', () => {
    expect(shown({ kind: 'clockWrong', ...at, seconds: -3600 }, 'device.clock')).toBe('2026-01-01T00:00:00');
    expect(shown({ kind: 'clockWrong', ...at, seconds: -3e9 }, 'device.clock')).toBe('2000-01-01T00:00:00');
  });
});

function postWith(device: object, faults: readonly object[] = []): PostSimulation {
  const parsed = parseScenario({
    name: 'one',
    summary: 'One device',
    seed: 3,
    posts: [{ id: 'post', name: 'Post', world: {}, devices: [{ id: 'one', unit: 1, ...device }], faults }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return createSimulation(parsed.value, { startAt: 0, catalog }).posts.get('post')!;
}

function number(post: PostSimulation, at: number): number {
  const words = post.devices[0]!.device.image().holding;
  const { order } = post.devices[0]!.device.profile.protocol;
  const [low, high] = order === 'big' ? [at + 1, at] : [at, at + 1];
  return (words.get(high) ?? 0) * 65_536 + (words.get(low) ?? 0);
}

test('a counter near the end of its register starts again from zero, as the register makes it', () => {
  const profile = catalog.get('victron/gx-battery')!.profile;
  expect(wrapOf(profile, 'battery.dischargeEnergy')).toBe(6_553_600);
  expect(wrapOf(meter, 'ac.energyImport')).toBeUndefined();
  const post = postWith({ profile: 'victron/gx-battery' }, [
    { kind: 'rollover', fromS: 0, device: 'one', headroom: 3000 },
  ]);
  const seen: number[] = [];
  for (let hour = 0; hour < 48; hour += 1) {
    post.stepTo(hour * 3_600_000);
    seen.push(post.devices[0]!.device.image().holding.get(301)!);
  }
  const steps = seen.slice(1).map((value, index) => value - seen[index]!);
  expect(seen[0]).toBeGreaterThan(65_500);
  expect(steps.filter((step) => step < 0)).toHaveLength(1);
  expect(Math.min(...seen)).toBeLessThan(100);
});

test('a dongle that asks its device only each five minutes is as old as that, whoever reads and when', () => {
  const stale = postWith({ profile: 'deye/sg04lp3', refreshS: 300 });
  const direct = postWith({ profile: 'deye/sg04lp3' });
  const SOLD_TODAY = 653;
  const changes = (post: PostSimulation): number => {
    let last = Number.NaN;
    let count = 0;
    for (let second = 0; second <= 1800; second += 10) {
      post.stepTo(second * 1000);
      const load = post.devices[0]!.device.image().holding.get(SOLD_TODAY)!;
      if (load !== last) count += 1;
      last = load;
    }
    return count;
  };
  expect(changes(direct)).toBeGreaterThan(60);
  expect(changes(stale)).toBeLessThanOrEqual(7);
  expect(number(stale, 0)).toBe(number(postWith({ profile: 'deye/sg04lp3', refreshS: 300 }), 0));
});
