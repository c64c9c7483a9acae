import { describe, expect, test } from 'vitest';
import { judgePowerBalance, judgeTankLoss, powerBalance, tankBalance } from './balance.js';

describe('the power of a post', () => {
  test('adds up: what flows into the bus, less the load', () => {
    expect(powerBalance({ pvW: 4000, batteryW: -1500, gensetW: 0, gridW: 0, loadW: 2300 })).toEqual({
      supplyW: 2500,
      loadW: 2300,
      residualW: 200,
    });
  });

  test('is unknown with an unknown part, and whole without one that the post does not have', () => {
    expect(powerBalance({ pvW: 4000, batteryW: null, loadW: 2300 })).toEqual({
      supplyW: null,
      loadW: 2300,
      residualW: null,
    });
    expect(powerBalance({ pvW: 4000, loadW: null }).residualW).toBeNull();
    expect(powerBalance({ pvW: 4000, loadW: 3900 }).residualW).toBe(100);
  });

  test('with a healthy inverter is in balance, at night, at noon and while charging', () => {
    expect(judgePowerBalance({ pvW: 0, batteryW: 420, loadW: 350 })).toBe('false');
    expect(judgePowerBalance({ pvW: 8000, batteryW: -5000, loadW: 2500 })).toBe('false');
    expect(judgePowerBalance({ pvW: 0, gensetW: 6000, batteryW: -5200, loadW: 300 })).toBe('false');
  });

  test('is out of balance with a current transformer the wrong way round', () => {
    expect(judgePowerBalance({ pvW: 4000, batteryW: 1500, loadW: 2300 })).toBe('true');
    expect(judgePowerBalance({ pvW: 0, batteryW: 2000, loadW: -1900 })).toBe('true');
  });

  test('is not judged while a part is unknown', () => {
    expect(judgePowerBalance({ pvW: null, batteryW: 1500, loadW: 2300 })).toBe('unknown');
  });
});

describe('the water of a tank', () => {
  const resolution = { volumeM3: 0.005, inflowM3: 0.01, outflowM3: 0.01 };
  const day = { volumeStartM3: 6, volumeEndM3: 8, inflowM3: 10, outflowM3: 8 };

  test('that came and went is all there', () => {
    expect(tankBalance(day)).toEqual({ gainedM3: 2, missingM3: 0 });
    expect(judgeTankLoss(day, resolution)).toBe('false');
  });

  test('is missing when it leaves by no meter', () => {
    expect(tankBalance({ ...day, volumeEndM3: 7.25 })).toEqual({ gainedM3: 1.25, missingM3: 0.75 });
    expect(judgeTankLoss({ ...day, volumeEndM3: 7.25 }, resolution)).toBe('true');
  });

  test('is not missed below a twentieth of what was pumped, nor below what the sensors see', () => {
    expect(judgeTankLoss({ ...day, volumeEndM3: 7.5 }, resolution)).toBe('false');
    const night = { volumeStartM3: 6, volumeEndM3: 5.98, inflowM3: 0, outflowM3: 0 };
    expect(judgeTankLoss(night, resolution)).toBe('false');
    expect(judgeTankLoss({ ...night, volumeEndM3: 5.9 }, resolution)).toBe('true');
  });

  test('is not judged without all its figures', () => {
    expect(tankBalance({ ...day, outflowM3: null })).toEqual({ gainedM3: 2, missingM3: null });
    expect(judgeTankLoss({ ...day, outflowM3: null }, resolution)).toBe('unknown');
    expect(judgeTankLoss({ ...day, volumeStartM3: null }, resolution)).toBe('unknown');
  });
});
