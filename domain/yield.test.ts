import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capacityFactor, performanceRatio, type YieldInterval, yieldsOf } from './yield.js';

describe('the yields of a month', () => {
  test('1,380 kWh from 12 kW under 152 kWh/m²', () => {
    const yields = yieldsOf({
      capacityW: 12_000,
      arrayEnergyWh: 1_464_000,
      finalEnergyWh: 1_380_000,
      irradiationWhM2: 152_000,
    });
    expect(yields.arrayYieldH).toBeCloseTo(122, 9);
    expect(yields.finalYieldH).toBeCloseTo(115, 9);
    expect(yields.referenceYieldH).toBeCloseTo(152, 9);
    expect(yields.captureLossH).toBeCloseTo(30, 9);
    expect(yields.systemLossH).toBeCloseTo(7, 9);
    expect(yields.performanceRatio).toBeCloseTo(0.7566, 4);
    expect(capacityFactor(1_380_000, 12_000, 720 * 3_600_000)).toBeCloseTo(0.1597, 4);
  });

  test('what is not measured is null, and so is all that rests on it', () => {
    const yields = yieldsOf({
      capacityW: 12_000,
      arrayEnergyWh: null,
      finalEnergyWh: 1_380_000,
      irradiationWhM2: null,
    });
    expect(yields).toEqual({
      arrayYieldH: null,
      finalYieldH: 115,
      referenceYieldH: null,
      captureLossH: null,
      systemLossH: null,
      performanceRatio: null,
    });
  });

  test('no capacity, no sun and no time give no ratio', () => {
    expect(yieldsOf({ capacityW: 0, arrayEnergyWh: 1, finalEnergyWh: 1, irradiationWhM2: 1 }).finalYieldH).toBeNull();
    expect(
      yieldsOf({ capacityW: 1, arrayEnergyWh: 0, finalEnergyWh: 0, irradiationWhM2: 0 }).performanceRatio,
    ).toBeNull();
    expect(capacityFactor(1, 1, 0)).toBeNull();
  });
});

const hour = (finalEnergyWh: number | null, rest: Partial<YieldInterval> = {}): YieldInterval => ({
  finalEnergyWh,
  irradiationWhM2: 500,
  curtailed: false,
  ...rest,
});

describe('the performance ratio', () => {
  test('does not blame the plant for sun that a full battery left over', () => {
    const free = performanceRatio([hour(400), hour(400)], 1000);
    expect(free).toEqual({ ratio: 0.8, coverage: 1 });
    expect(performanceRatio([hour(400), hour(400), hour(20, { curtailed: true })], 1000)).toEqual(free);
  });

  test('rests on at least three quarters of the sun, or is not told', () => {
    const missing = [hour(400), hour(400), hour(400), hour(null)];
    expect(performanceRatio(missing, 1000)).toEqual({ ratio: 0.8, coverage: 0.75 });
    expect(performanceRatio([...missing, hour(400, { curtailed: null })], 1000)).toEqual({
      ratio: null,
      coverage: 0.6,
    });
    expect(performanceRatio([], 1000)).toEqual({ ratio: null, coverage: 0 });
  });

  test('knows no interval whose sun was not measured', () => {
    expect(performanceRatio([hour(400), hour(400, { irradiationWhM2: null })], 1000).ratio).toBe(0.8);
  });

  test('corrected to 25 °C is better than plain when the cells were hot', () => {
    const hot = [hour(400, { cellTemperatureC: 50 })];
    const model = { perKelvin: -0.004, referenceC: 25 };
    expect(performanceRatio(hot, 1000, model).ratio).toBeCloseTo(0.8 / 0.9, 9);
    expect(performanceRatio([hour(400)], 1000, model).ratio).toBeNull();
  });

  test('corrected to the plant’s own mean temperature is the plain one', () => {
    const hours = fc.array(
      fc.record({
        wh: fc.integer({ min: 1, max: 900 }),
        sun: fc.integer({ min: 1, max: 1100 }),
        cell: fc.integer({ min: -30, max: 80 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(hours, (rows) => {
        const intervals = rows.map(({ wh, sun, cell }) => hour(wh, { irradiationWhM2: sun, cellTemperatureC: cell }));
        const sun = rows.reduce((sum, row) => sum + row.sun, 0);
        const referenceC = rows.reduce((sum, row) => sum + row.sun * row.cell, 0) / sun;
        const corrected = performanceRatio(intervals, 1000, { perKelvin: -0.004, referenceC }).ratio!;
        expect(corrected / performanceRatio(intervals, 1000).ratio!).toBeCloseTo(1, 9);
      }),
    );
  });
});
