import { expect, test } from 'vitest';
import { codeOf, hasValue, isMeasured, qualityOf, REASONS, type Reason, reasonOf } from './quality.js';
import { goodReading, invalidReading } from './reading.js';

const reasons = Object.keys(REASONS) as Reason[];

test('every reason has a number of its own, and the number leads back', () => {
  expect(new Set(reasons.map(codeOf)).size).toBe(reasons.length);
  for (const reason of reasons) expect(reasonOf(codeOf(reason))).toBe(reason);
});

test('the numbers that are stored for years do not move', () => {
  expect(Object.fromEntries(reasons.map((reason) => [reason, codeOf(reason)]))).toMatchObject({
    good: 0,
    stale: 1,
    frozen: 2,
    outOfRange: 3,
    impossibleRate: 4,
    powerBalance: 5,
    aggregated: 6,
    deviceDoubts: 7,
    sentinel: 32,
    timeout: 33,
    exception: 34,
    garbled: 35,
    disconnected: 36,
    asleep: 37,
    torn: 38,
    impossible: 39,
    incomplete: 40,
  });
});

test('from 32 on there is no value, below there is one', () => {
  for (const reason of reasons) {
    expect(Number.isInteger(codeOf(reason)) && codeOf(reason) >= 0 && codeOf(reason) < 64).toBe(true);
    expect(hasValue(reason)).toBe(codeOf(reason) < 32);
    expect(qualityOf(reason) === 'invalid').toBe(codeOf(reason) >= 32);
  }
  expect(qualityOf('good')).toBe('good');
});

test('a number that this version does not know has no reason, and is not measured', () => {
  expect(reasonOf(31)).toBeUndefined();
  expect(isMeasured(31)).toBe(false);
});

test('only good values and means of good values count as measured', () => {
  expect(reasons.filter((reason) => isMeasured(codeOf(reason)))).toEqual(['good', 'aggregated']);
});

test('a reading has a value exactly when its reason says so', () => {
  expect(goodReading('tank.level', 0, 5)).toEqual({ metric: 'tank.level', value: 0, reason: 'good', at: 5 });
  expect(invalidReading('tank.level', 'timeout', 5).value).toBeNull();
  expect(() => invalidReading('tank.level', 'stale', 5)).toThrow('without value');
});
