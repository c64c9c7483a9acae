import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import {
  type BatteryState,
  batteryLimits,
  cellVoltages,
  healthOf,
  initialBattery,
  shownSocOf,
  socOf,
  stepBattery,
} from './battery.js';
import { AGEING, type Ageing, NEW_PACK } from './battery-chemistry.js';
import type { BatteryTrouble } from './disturbance.js';
import { BatterySchema, type BatterySpec } from './post-spec.js';

const specOf = (special: object = {}): BatterySpec =>
  Value.Parse(BatterySchema, Value.Default(BatterySchema, special)) as BatterySpec;
const YEAR_S = 31_557_600;
const HOUR_S = 3600;

/** Runs a pack at a power, as far as it may, in steps of 10 s. */
function run(
  spec: BatterySpec,
  from: BatteryState,
  hours: number,
  powerW: number,
  trouble: BatteryTrouble = {},
  airC = 15,
): BatteryState {
  let battery = from;
  for (let step = 0; step < hours * 360; step += 1) {
    const limits = batteryLimits(spec, battery, 10, trouble);
    const within = Math.min(limits.dischargeW, Math.max(-limits.chargeW, powerW));
    battery = stepBattery(spec, battery, within, 10, { airC, limits, trouble });
  }
  return battery;
}

describe('growing old', () => {
  const wear = { celsius: 25, charge: 0.5, cycles: 0, cRate: 0, charging: false, dtS: YEAR_S };

  test('lying around costs a LiFePO4 cell four percent in the first year, and a root from then on', () => {
    const [one, four] = [1, 4].map((years) => AGEING.lfp(NEW_PACK, { ...wear, dtS: years * YEAR_S }).byTime);
    expect(one).toBeCloseTo(0.0425, 3);
    expect(four! / one!).toBeCloseTo(2, 9);
    expect(AGEING.lfp(NEW_PACK, { ...wear, celsius: 45 }).byTime).toBeGreaterThan(1.4 * one!);
    expect(AGEING.lfp(NEW_PACK, { ...wear, charge: 1 }).byTime).toBeGreaterThan(1.5 * one!);
  });

  test('a lead-acid pack is worn after ten years at 20 °C, five at 30 °C, or twelve hundred full cycles', () => {
    expect(AGEING.lead(NEW_PACK, { ...wear, celsius: 20, dtS: 10 * YEAR_S }).byTime).toBeCloseTo(0.2, 9);
    expect(AGEING.lead(NEW_PACK, { ...wear, celsius: 30, dtS: 5 * YEAR_S }).byTime).toBeCloseTo(0.2, 9);
    expect(AGEING.lead(NEW_PACK, { ...wear, charge: 1, cycles: 1200, dtS: 0 }).byUse).toBeCloseTo(0.2, 9);
  });

  test('does not depend on how its time is cut into steps', () => {
    const cuts = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom('lfp', 'lead'), cuts, (chemistry, parts) => {
        const total = parts.reduce((sum, part) => sum + part, 0);
        const whole = AGEING[chemistry](NEW_PACK, { ...wear, cRate: 0.2, cycles: 100 * total, dtS: YEAR_S * total });
        const cut = parts.reduce(
          (age: Ageing, part) =>
            AGEING[chemistry](age, { ...wear, cRate: 0.2, cycles: 100 * part, dtS: YEAR_S * part }),
          NEW_PACK,
        );
        expect(cut.byTime).toBeCloseTo(whole.byTime, 9);
        expect(cut.byUse).toBeCloseTo(whole.byUse, 9);
      }),
    );
  });

  test('plates lithium where a frozen pack is charged', () => {
    const charged = { ...wear, celsius: -10, cycles: 1, charging: true, dtS: HOUR_S };
    expect(AGEING.lfp(NEW_PACK, charged).byUse).toBeGreaterThan(
      2 * AGEING.lfp(NEW_PACK, { ...charged, charging: false }).byUse,
    );
  });
});

describe('a LiFePO4 pack', () => {
  const spec = specOf({ startSoc: 50 });
  const cold = { ...initialBattery(spec), temperatureC: -5 };

  test('takes no charge while it is frozen, unless its management is broken', () => {
    expect(batteryLimits(spec, cold, 10)).toMatchObject({ chargeA: 0, chargeW: 0, alarm: 'cold' });
    expect(batteryLimits(spec, cold, 10, { coldChargeAllowed: true }).chargeA).toBe(spec.maxChargeA);
  });

  test('is as strong as its weakest cell', () => {
    const uneven = { cellSpreadSoc: 40 };
    const low = run(spec, initialBattery(spec), 10, 2000, uneven);
    expect(low.limits.alarm).toBe('cellLow');
    expect(socOf(low)).toBeGreaterThan(30);
    expect(cellVoltages(spec, low).leastV).toBeLessThan(cellVoltages(spec, low).mostV - 0.2);
    const even = run(spec, initialBattery(spec), 10, 2000);
    expect(socOf(even)).toBeLessThan(7);
  });

  test('balances its cells while it is full', () => {
    const spread = { ...initialBattery(specOf({ startSoc: 100 })), spreadSoc: 3 };
    expect(run(specOf({ startSoc: 100 }), spread, 12, 0).spreadSoc).toBeLessThan(2);
    expect(run(spec, { ...initialBattery(spec), spreadSoc: 3 }, 12, 0).spreadSoc).toBeGreaterThan(3);
  });

  test('shows a charge that drifts with the error of its sensor, and knows better when full', () => {
    const offset = { shuntOffsetA: 4 };
    const drifted = run(spec, initialBattery(spec), 10, 0, offset);
    expect(shownSocOf(drifted) - socOf(drifted)).toBeCloseTo((100 * 4 * 10) / (20_000 / (16 * 3.295)), 6);
    const full = run(spec, drifted, 4, -9000, offset);
    expect(shownSocOf(full)).toBeCloseTo(socOf(full), 1);
  });

  test('opens its contactor, and is nothing then', () => {
    expect(batteryLimits(spec, initialBattery(spec), 10, { bmsTripped: true })).toMatchObject({
      chargeW: 0,
      dischargeW: 0,
    });
  });

  test('that has lost a third shows it as its health', () => {
    const faded = run(spec, initialBattery(spec), 0.1, 0, { capacityLostShare: 1 / 3 });
    expect(healthOf(spec, faded)).toBeCloseTo((97 * 2) / 3, 1);
  });
});

describe('a lead-acid pack', () => {
  const spec = specOf({ chemistry: 'lead', cells: 24, startSoc: 50, minSoc: 20 });

  test('loses more of what it takes the fuller it is', () => {
    const lost = (startSoc: number): number => {
      const before = initialBattery(specOf({ ...spec, startSoc }));
      const after = run(spec, before, 0.5, -1000);
      return (after.lossWh - before.lossWh) / (after.energyWh - before.energyWh + after.lossWh - before.lossWh);
    };
    expect(lost(50)).toBeCloseTo(0.025, 2);
    expect(lost(93)).toBeGreaterThan(0.15);
  });

  test('gives less in the cold', () => {
    const warm = { ...initialBattery(spec), temperatureC: 25 };
    const cold = { ...warm, temperatureC: -25 };
    const outside = { ...spec, roomMinC: -25 };
    expect(batteryLimits(spec, warm, 10).dischargeW).toBeGreaterThan(1000);
    expect(run(outside, cold, 20, 1000, {}, -25).energyWh).toBeGreaterThan(
      run(spec, warm, 20, 1000, {}, 25).energyWh + 2000,
    );
  });

  test('follows its charge with its voltage, and sags under load', () => {
    expect(initialBattery(spec).voltageV).toBeCloseTo(48.84, 1);
    expect(run(spec, initialBattery(spec), 0.01, 5000).voltageV).toBeLessThan(48);
  });
});
