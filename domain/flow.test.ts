import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseFlows, chooseTotals, type FlowDevice, type FlowValue } from './flow.js';
import { codeOf } from './quality.js';

const good = (value: number, at = 1000): FlowValue => ({ value, code: 0, at });
const timeout = (at = 1000): FlowValue => ({ value: null, code: codeOf('timeout'), at });

/** `device metric` → value */
function flows(devices: readonly FlowDevice[], values: Readonly<Record<string, FlowValue>>) {
  return chooseFlows(devices, (device, metric) => values[`${device} ${metric}`]);
}

const inverter: FlowDevice = { id: 'inverter', kind: 'inverter' };
const loadMeter: FlowDevice = { id: 'load', kind: 'meter', role: 'load' };

describe('who speaks for the post', () => {
  test('an inverter alone speaks for all it sees, and not for what it does not', () => {
    const chosen = flows([inverter], {
      'inverter pv.power': good(3000),
      'inverter battery.power': good(-1000),
      'inverter load.power': good(1900),
      'inverter battery.soc': good(80),
    });
    expect(chosen).toEqual({
      pvPower: good(3000),
      batteryPower: good(-1000),
      loadPower: good(1900),
      batterySoc: good(80),
    });
  });

  test('a meter with a role speaks before the inverter', () => {
    const values = { 'inverter load.power': good(1900), 'load load.power': good(1850) };
    expect(flows([inverter, loadMeter], values).loadPower).toEqual(good(1850));
  });

  test('a meter that fails is not replaced: the figure would change its meaning', () => {
    const values = { 'inverter load.power': good(1900), 'load load.power': timeout() };
    expect(flows([inverter, loadMeter], values).loadPower).toEqual(timeout());
  });

  test('a meter without a role speaks for nothing', () => {
    expect(flows([{ id: 'm', kind: 'meter' }], { 'm ac.power': good(5), 'm load.power': good(5) })).toEqual({});
  });

  test('the battery speaks before the inverter that guesses it', () => {
    const devices: FlowDevice[] = [inverter, { id: 'bms', kind: 'battery' }];
    const values = { 'inverter battery.soc': good(70), 'bms battery.soc': good(64) };
    expect(flows(devices, values).batterySoc).toEqual(good(64));
  });

  test('water, tank and weather are found', () => {
    const devices: FlowDevice[] = [
      { id: 'water', kind: 'water-meter' },
      { id: 'tank', kind: 'tank' },
      { id: 'pump', kind: 'pump' },
      { id: 'mast', kind: 'weather' },
    ];
    const values = {
      'water water.flow': good(2.8),
      'tank tank.level': good(1.7),
      'tank tank.fill': good(83),
      'pump pump.power': good(1320),
      'mast weather.airTemperature': good(-31),
    };
    expect(flows(devices, values)).toEqual({
      pumpPower: good(1320),
      waterFlow: good(2.8),
      tankLevel: good(1.7),
      tankFill: good(83),
      airTemperature: good(-31),
    });
  });
});

describe('several devices together', () => {
  const pair: FlowDevice[] = [
    { id: 'a', kind: 'inverter' },
    { id: 'b', kind: 'inverter' },
  ];

  test('are added up, as old as the oldest', () => {
    const values = { 'a pv.power': good(3000, 2000), 'b pv.power': good(2000, 1500) };
    expect(flows(pair, values).pvPower).toEqual(good(5000, 1500));
  });

  test('are no sum when one of them is missing', () => {
    const values = { 'a pv.power': good(3000), 'b pv.power': timeout(900) };
    expect(flows(pair, values).pvPower).toEqual({ value: null, code: codeOf('incomplete'), at: 900 });
  });

  test('are as doubtful as the worst', () => {
    const values = { 'a pv.power': good(3000), 'b pv.power': { value: 10, code: codeOf('frozen'), at: 1000 } };
    expect(flows(pair, values).pvPower).toEqual({ value: 3010, code: codeOf('frozen'), at: 1000 });
  });

  test('of batteries the lowest needs somebody', () => {
    expect(flows(pair, { 'a battery.soc': good(90), 'b battery.soc': good(15) }).batterySoc?.value).toBe(15);
  });

  test('an inverter with two battery ports has both', () => {
    const values = { 'a battery.power': good(500), 'a battery2.power': good(-200) };
    expect(flows([pair[0]!], values).batteryPower?.value).toBe(300);
  });

  test('never pass a part for the whole', () => {
    const values = fc.array(
      fc.oneof(
        fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((v) => good(v)),
        fc.constant(timeout()),
      ),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(values, (parts) => {
        const devices = parts.map((_, index): FlowDevice => ({ id: `d${index}`, kind: 'pv' }));
        const named = Object.fromEntries(parts.map((part, index) => [`d${index} pv.power`, part]));
        const { pvPower } = flows(devices, named);
        const whole = parts.every(({ value }) => value !== null);
        expect(pvPower?.value === null).toBe(!whole);
        if (whole)
          expect(pvPower?.value).toBeCloseTo(
            parts.reduce((sum, { value }) => sum + (value ?? 0), 0),
            3,
          );
      }),
    );
  });
});

describe('the counters behind the totals', () => {
  const totals = (devices: readonly FlowDevice[], ...metrics: string[]) =>
    chooseTotals(devices, (device, metric) => metrics.includes(`${device} ${metric}`));

  test('come from the same devices as the figures', () => {
    const devices = [inverter, loadMeter, { id: 'water', kind: 'water-meter' } as const];
    expect(
      totals(
        devices,
        'inverter pv.power',
        'inverter pv.energy',
        'inverter load.energy',
        'load load.power',
        'load load.energy',
        'water water.volume',
      ),
    ).toEqual({
      pvEnergy: [{ device: 'inverter', metric: 'pv.energy' }],
      loadEnergy: [{ device: 'load', metric: 'load.energy' }],
      waterVolume: [{ device: 'water', metric: 'water.volume' }],
    });
  });

  test('are left out where one device that takes part has none', () => {
    const pair: FlowDevice[] = [
      { id: 'a', kind: 'inverter' },
      { id: 'b', kind: 'inverter' },
    ];
    expect(totals(pair, 'a pv.power', 'a pv.energy', 'b pv.power')).toEqual({});
    expect(totals(pair, 'a pv.power', 'a pv.energy').pvEnergy).toHaveLength(1);
    expect(totals(pair, 'a pv.power', 'a pv.energy', 'b pv.power', 'b pv.energy').pvEnergy).toHaveLength(2);
  });

  test('come from the inverter where the better source has no counter', () => {
    const devices: FlowDevice[] = [inverter, { id: 'genset', kind: 'genset' }];
    expect(totals(devices, 'genset genset.power', 'inverter genset.energy').gensetEnergy).toEqual([
      { device: 'inverter', metric: 'genset.energy' },
    ]);
  });
});
