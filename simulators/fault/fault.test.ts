import { describe, expect, test } from 'vitest';
import { disturbanceOf, type Fault, faultsAt, nextChangeAfter, talkOf, timedFault } from './fault.js';

const START = 1_000_000;
const dryWell: Fault = { kind: 'dryWell', fromS: 20, toS: 170 };
const byHand: Fault = { kind: 'pumpByHand', fromS: -120 };
const faults = [dryWell, byHand].map((fault) => timedFault(fault, START));

describe('a timeline of faults', () => {
  test.each([
    [-121, []],
    [-120, ['pumpByHand']],
    [19.999, ['pumpByHand']],
    [20, ['dryWell', 'pumpByHand']],
    [169.999, ['dryWell', 'pumpByHand']],
    [170, ['pumpByHand']],
  ])('has at %f s %j', (second, kinds) => {
    expect(faultsAt(faults, START + second * 1000).map(({ kind }) => kind)).toEqual(kinds);
  });

  test('names the next moment at which something begins or ends', () => {
    expect(nextChangeAfter(faults, START - 200_000)).toBe(START - 120_000);
    expect(nextChangeAfter(faults, START)).toBe(START + 20_000);
    expect(nextChangeAfter(faults, START + 20_000)).toBe(START + 170_000);
    expect(nextChangeAfter(faults, START + 170_000)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('faults of the plant act together, and the later of two of a kind wins', () => {
  expect(disturbanceOf([dryWell, byHand])).toEqual({ dryWell: true, pumpByHand: true });
  const pulled: Fault[] = [
    { kind: 'batterySoc', fromS: 0, soc: 12 },
    { kind: 'batterySoc', fromS: 0, soc: 64 },
  ];
  expect(disturbanceOf(pulled)).toEqual({ batterySoc: 64 });
  expect(disturbanceOf([{ kind: 'silence', fromS: 0 }])).toEqual({});
});

test('a fault of talk reaches the device it names, or every device of the bus', () => {
  const slow: Fault = { kind: 'delay', fromS: 0, device: 'pump', delayMs: 900 };
  const mute: Fault = { kind: 'silence', fromS: 0 };
  expect(talkOf([slow, mute], 'pump')).toEqual({ delayMs: 900, silent: true });
  expect(talkOf([slow, mute], 'tank')).toEqual({ silent: true });
});
