import { describe, expect, test } from 'vitest';
import { disturbanceOf, type Fault, faultsAt, nextChangeAfter, talkOf, timedFault } from './fault.js';

const START = 1_000_000;
const dryWell: Fault = { kind: 'dryWell', fromS: 20, toS: 170 };
const byHand: Fault = { kind: 'pumpByHand', fromS: -120 };
const standing = (all: readonly Fault[]) => all.map((fault) => timedFault(fault, START));
const never = () => 1;
const faults = standing([dryWell, byHand]);

describe('a timeline of faults', () => {
  test.each([
    [-121, []],
    [-120, ['pumpByHand']],
    [19.999, ['pumpByHand']],
    [20, ['dryWell', 'pumpByHand']],
    [169.999, ['dryWell', 'pumpByHand']],
    [170, ['pumpByHand']],
  ])('has at %f s %j', (second, kinds) => {
    expect(faultsAt(faults, START + second * 1000).map(({ fault }) => fault.kind)).toEqual(kinds);
  });

  test('names the next moment at which something begins or ends', () => {
    expect(nextChangeAfter(faults, START - 200_000)).toBe(START - 120_000);
    expect(nextChangeAfter(faults, START)).toBe(START + 20_000);
    expect(nextChangeAfter(faults, START + 20_000)).toBe(START + 170_000);
    expect(nextChangeAfter(faults, START + 170_000)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('faults of the plant act together, and the later of two of a kind wins', () => {
  expect(disturbanceOf(faults, START)).toEqual({ dryWell: true, pumpByHand: true });
  const pulled: Fault[] = [
    { kind: 'batterySoc', fromS: 0, soc: 12 },
    { kind: 'batterySoc', fromS: 0, soc: 64 },
  ];
  expect(disturbanceOf(standing(pulled), START)).toEqual({ batterySoc: 64 });
  expect(disturbanceOf(standing([{ kind: 'silence', fromS: 0 }]), START)).toEqual({});
});

test('a fault of talk reaches the device it names, or every device of the bus', () => {
  const slow: Fault = { kind: 'delay', fromS: 0, device: 'pump', delayMs: 900 };
  const mute: Fault = { kind: 'silence', fromS: 0 };
  const both = standing([slow, mute]);
  expect(talkOf(both, 'pump', never)).toEqual({ delayMs: 900, silent: true });
  expect(talkOf(both, 'tank', never)).toEqual({ silent: true });
});

test('a fault that happens to a share of the requests leaves it to chance', () => {
  const some = standing([{ kind: 'busy', fromS: 0, share: 0.25 }]);
  expect(talkOf(some, 'pump', () => 0.2)).toEqual({ exception: 6 });
  expect(talkOf(some, 'pump', () => 0.25)).toEqual({});
});

test('a cut of the power silences every device', () => {
  expect(talkOf(standing([{ kind: 'powerCut', fromS: 0 }]), 'tank', never)).toEqual({ silent: true });
});

test('a fault that grows is nothing at first, half of it halfway, and stays', () => {
  const worn = standing([{ kind: 'wornPump', fromS: 0, rampS: 100, factor: 0.8 }]);
  const head = [0, 50, 100, 1000].map((second) => disturbanceOf(worn, START + second * 1000).headFactor);
  expect(head.map((factor) => factor?.toFixed(6))).toEqual(['1.000000', '0.900000', '0.800000', '0.800000']);
});
