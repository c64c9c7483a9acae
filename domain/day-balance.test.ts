import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseEnergySides, chooseWaterSides } from './balance-series.js';
import { type BalanceSide, energyBalance, waterBalance } from './day-balance.js';
import type { FlowDevice } from './flow.js';
import type { CounterWindow, GaugeWindow } from './series-rollup.js';

const DAY_MS = 86_400_000;
const day = { from: 0, to: DAY_MS, count: 100, coverage: 1 };

const counter = (increase: number | null, more: Partial<CounterWindow> = {}): CounterWindow => ({
  ...day,
  kind: 'counter',
  increase,
  estimated: false,
  first: 0,
  last: increase,
  ...more,
});
const gauge = (mean: number, more: Partial<GaugeWindow> = {}): GaugeWindow => ({
  ...day,
  kind: 'gauge',
  min: mean,
  max: mean,
  mean,
  first: mean,
  last: mean,
  ...more,
});
const side = (forward: BalanceSide['forward'], back: BalanceSide['back'] = []): BalanceSide => ({
  by: 'counter',
  forward,
  back,
});

describe('the energy of a day', () => {
  test('adds up, and tells what is lost', () => {
    const balance = energyBalance({
      pv: side([counter(12_000.1), counter(3000.2)]),
      battery: side([counter(4000)], [counter(5000)]),
      load: side([counter(13_000)]),
    });
    expect(balance.sides.pv).toEqual({ value: 15_000.3, coverage: 1, doubts: [] });
    expect(balance.sides.battery?.value).toBe(-1000);
    expect(balance.sides.grid).toBeUndefined();
    expect(balance.supply.value).toBe(14_000.3);
    expect(balance.residual).toEqual({ value: 1000.3, coverage: 1, doubts: [] });
    expect(balance.isWhole).toBe(true);
  });

  test('is unknown with an unknown part, says why, and keeps the parts that are known', () => {
    const balance = energyBalance({
      pv: side([counter(12_000), undefined]),
      genset: side([]),
      load: side([counter(null)]),
    });
    expect(balance.sides.pv).toEqual({ value: null, coverage: 0, doubts: ['noData'] });
    expect(balance.sides.genset).toEqual({ value: null, coverage: 0, doubts: ['noMeter'] });
    expect(balance.sides.load).toEqual({ value: null, coverage: 1, doubts: ['noStep'] });
    expect(balance.residual).toEqual({ value: null, coverage: 0, doubts: ['noData', 'noMeter', 'noStep'] });
    expect(balance.isWhole).toBe(false);
    const loadless = energyBalance({ pv: side([counter(12_000)]) });
    expect([loadless.supply.value, loadless.residual.value]).toEqual([12_000, null]);
  });

  test('is told with a gap or a jump, but is not whole', () => {
    const gap = energyBalance({ pv: side([counter(9, { coverage: 0.5 })]), load: side([counter(8)]) });
    expect(gap.residual).toEqual({ value: 1, coverage: 0.5, doubts: ['gaps'] });
    expect(gap.isWhole).toBe(false);
    const jump = energyBalance({ pv: side([counter(9, { estimated: true })]), load: side([counter(8)]) });
    expect(jump.residual).toEqual({ value: 1, coverage: 1, doubts: ['estimated'] });
    expect(jump.isWhole).toBe(false);
  });

  test('comes from the mean of a power where no register is, and only if that is known nearly all day', () => {
    const battery = (coverage: number): BalanceSide => ({
      by: 'power',
      forward: [gauge(-100, { coverage })],
      back: [],
    });
    const whole = energyBalance({ battery: battery(1), pv: side([counter(5000)]), load: side([counter(2500)]) });
    expect(whole.sides.battery).toEqual({ value: -2400, coverage: 1, doubts: ['fromPower'] });
    expect([whole.residual.value, whole.isWhole]).toEqual([100, true]);
    const half = energyBalance({ battery: battery(0.5), load: side([counter(2500)]) });
    expect(half.sides.battery).toEqual({ value: null, coverage: 0.5, doubts: ['gaps', 'fromPower'] });
  });

  test('never hides a residual nor makes a zero of what is missing', () => {
    const input = fc.option(
      fc
        .tuple(fc.option(fc.nat(1_000_000)), fc.constantFrom(0, 0.5, 1))
        .map(([wh, coverage]) => counter(wh === null ? null : wh / 10, { coverage })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(input, input, input, input, (pv, out, into, load) => {
        const balance = energyBalance({ pv: side([pv]), battery: side([out], [into]), load: side([load]) });
        const all = [pv, out, into, load].map((window) => window?.increase ?? null);
        if (all.includes(null)) {
          expect(balance.residual.value).toBeNull();
          expect(balance.residual.doubts.length).toBeGreaterThan(0);
          return;
        }
        const [a, b, c, d] = all.map((wh) => Math.round((wh ?? 0) * 10)) as [number, number, number, number];
        expect(balance.residual.value).toBe((a + b - c - d) / 10);
      }),
    );
  });
});

describe('the water of a day', () => {
  const tank = (first: number, last: number, more: Partial<GaugeWindow> = {}) => gauge(first, { first, last, ...more });

  test('is pumped, consumed, kept in the tank, or unaccounted', () => {
    const balance = waterBalance({
      pumped: side([counter(10)], [counter(0.5)]),
      consumed: side([counter(6)]),
      tanks: [{ window: tank(1, 1.5), m3PerUnit: 4 }],
    });
    expect(balance.pumped.value).toBe(9.5);
    expect(balance.gained.value).toBe(2);
    expect(balance.drawn.value).toBe(7.5);
    expect(balance.unaccounted).toEqual({ value: 1.5, coverage: 1, doubts: [] });
    expect(balance.isWhole).toBe(true);
  });

  test('tells what left the tank where no meter is behind it, and that the rest is not known', () => {
    const balance = waterBalance({ pumped: side([counter(10)]), tanks: [{ window: tank(6, 5), m3PerUnit: 1 }] });
    expect(balance.drawn.value).toBe(11);
    expect(balance.consumed).toEqual({ value: null, coverage: 0, doubts: ['noMeter'] });
    expect(balance.unaccounted.value).toBeNull();
    expect(balance.isWhole).toBe(false);
  });

  test('does not guess a tank of unknown size, nor one that said nothing', () => {
    const pumped = side([counter(10)]);
    expect(waterBalance({ pumped, tanks: [{ window: tank(1, 2), m3PerUnit: null }] }).gained).toEqual({
      value: null,
      coverage: 1,
      doubts: ['noMeter'],
    });
    expect(waterBalance({ pumped, tanks: [{ window: undefined, m3PerUnit: 1 }] }).drawn.value).toBeNull();
    const gap = waterBalance({ pumped, tanks: [{ window: tank(1, 2, { coverage: 0.4 }), m3PerUnit: 1 }] });
    expect(gap.drawn).toEqual({ value: 9, coverage: 0.4, doubts: ['gaps'] });
  });
});

describe('the series behind a balance', () => {
  const hasOf =
    (all: Readonly<Record<string, readonly string[]>>) =>
    (device: string, metric: string): boolean =>
      all[device]?.includes(metric) ?? false;
  const devices: readonly FlowDevice[] = [
    { id: 'inv', kind: 'inverter' },
    { id: 'bms', kind: 'battery' },
    { id: 'load', kind: 'meter', role: 'load' },
  ];

  test('are counters of the first source that has them whole', () => {
    const has = hasOf({
      inv: ['pv.power', 'pv.energy', 'load.energy', 'battery.dischargeEnergy', 'battery.chargeEnergy'],
      bms: ['battery.power'],
      load: ['load.power', 'load.energy'],
    });
    const sides = chooseEnergySides(devices, has);
    expect(sides.load?.forward).toEqual([{ device: 'load', metric: 'load.energy' }]);
    expect(sides.battery).toEqual({
      by: 'counter',
      forward: [{ device: 'inv', metric: 'battery.dischargeEnergy' }],
      back: [{ device: 'inv', metric: 'battery.chargeEnergy' }],
    });
    expect(Object.keys(sides).sort()).toEqual(['battery', 'load', 'pv']);
  });

  test('are powers where a counter sees one direction only, or leaves a battery out', () => {
    const sides = chooseEnergySides(
      devices,
      hasOf({
        inv: [
          ...['grid.power', 'grid.energyImport', 'battery.power', 'battery2.power'],
          ...['battery.dischargeEnergy', 'battery.chargeEnergy'],
        ],
      }),
    );
    expect(sides.grid).toEqual({ by: 'power', forward: [{ device: 'inv', metric: 'grid.power' }], back: [] });
    expect(sides.battery?.forward.map(({ metric }) => metric)).toEqual(['battery.power', 'battery2.power']);
  });

  test('say that a side is there which nobody measures', () => {
    const sides = chooseEnergySides(devices, hasOf({ inv: ['grid.energyImport'] }));
    expect(sides.grid).toEqual({ by: 'power', forward: [], back: [] });
  });

  test('of water are meters before estimates, and a tank by its volume or its level', () => {
    const has = hasOf({
      meter: ['water.volume', 'water.volumeReverse'],
      pump: ['pump.volumeEstimate'],
      tank: ['tank.level', 'tank.fill'],
    });
    const all: readonly FlowDevice[] = [
      { id: 'meter', kind: 'water-meter' },
      { id: 'pump', kind: 'pump' },
      { id: 'tank', kind: 'tank' },
    ];
    const facts = { tankVolumeM3: 10, tankHeightM: 2.5 };
    expect(chooseWaterSides(all, has, facts)).toEqual({
      pumped: {
        by: 'counter',
        forward: [{ device: 'meter', metric: 'water.volume' }],
        back: [{ device: 'meter', metric: 'water.volumeReverse' }],
      },
      tanks: [{ device: 'tank', metric: 'tank.level', m3PerUnit: 4 }],
    });
    const dry = chooseWaterSides(all.slice(1), has, {});
    expect(dry.pumped?.forward).toEqual([{ device: 'pump', metric: 'pump.volumeEstimate' }]);
    expect(dry.tanks[0]?.m3PerUnit).toBeNull();
    const two = chooseWaterSides([...all, { id: 'tank2', kind: 'tank' }], has, facts);
    expect(two.tanks.map(({ m3PerUnit }) => m3PerUnit)).toEqual([null, null]);
  });
});
