import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { metricsOf } from '#profiles/extent.js';
import { type PostSpec, PostSpecSchema } from '../world/post-spec.js';
import { FAULT_KINDS } from './fault.js';
import { faultsByChance, groupsAt, kindsAt, USUAL_FAULTS, usualFault } from './usual-faults.js';

const specOf = (special: object): PostSpec =>
  Value.Parse(PostSpecSchema, Value.Default(PostSpecSchema, special)) as PostSpec;
const { profiles } = loadCatalog();
const devices = ['deye/sg04lp3', 'eastron/sdm630'].map((id) => ({
  id: id.replace('/', '-'),
  metrics: metricsOf(profiles.get(id)!.profile),
}));
const full = specOf({ genset: { ratedW: 8000 }, grid: { maxW: 5000 } });

describe('the table', () => {
  test('has each kind once', () => {
    expect(USUAL_FAULTS.map(({ kind }) => kind).sort()).toEqual([...FAULT_KINDS.keys()].sort());
  });

  test.each(USUAL_FAULTS.map((usual) => usual.kind))('makes a good fault of %s, mild and severe', (kind) => {
    for (const severity of [0, 0.37, 1]) expect(usualFault(kind, severity, devices[0]), `${severity}`).toBeDefined();
  });

  test.each(USUAL_FAULTS)('gives $kind a time', ({ hours: [shortest, longest] }) => {
    expect(shortest).toBeGreaterThan(0);
    expect(longest).toBeGreaterThanOrEqual(shortest);
  });
});

test('no fault is made of an unknown kind, nor of a drift without a device', () => {
  expect(usualFault('earthquake', 1)).toBeUndefined();
  expect(usualFault('drift', 1)).toBeUndefined();
});

test('a post without genset, grid and pump has none of their faults', () => {
  const bare = specOf({ pump: { supply: 'none' } });
  expect(groupsAt(bare)).toEqual(['battery', 'inverter', 'array', 'bus', 'device', 'post']);
  expect(kindsAt(bare, 'inverter')).not.toContain('gridLost');
  expect(kindsAt(full, 'inverter')).toContain('gridLost');
});

describe('by chance', () => {
  const year = { days: 365, rate: 1 };

  test('the same seed gives the same year, and another seed another one', () => {
    expect(faultsByChance(5, year, full, devices)).toEqual(faultsByChance(5, year, full, devices));
    expect(faultsByChance(6, year, full, devices)).not.toEqual(faultsByChance(5, year, full, devices));
  });

  test('a year has about as many faults as the table says, all of them good ones and within the year', () => {
    const expected = USUAL_FAULTS.reduce((sum, { perYear }) => sum + perYear, 0);
    const years = Array.from({ length: 40 }, (_, seed) => faultsByChance(seed, year, full, devices));
    const mean = years.flat().length / years.length;
    expect(Math.abs(mean - expected)).toBeLessThan(0.1 * expected);
    for (const fault of years.flat()) {
      expect(Value.Check(FAULT_KINDS.get(fault.kind)!, fault)).toBe(true);
      expect(fault.fromS).toBeLessThanOrEqual(365 * 86_400);
      expect(fault.toS).toBeGreaterThan(fault.fromS);
    }
  });
});
