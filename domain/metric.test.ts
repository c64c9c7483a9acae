import { describe, expect, test } from 'vitest';
import { DEVICE_KINDS, REQUIRED_METRICS } from './device-kind.js';
import { isIdentifier } from './identifier.js';
import { isNumeric, METRICS, metricOf } from './metric.js';
import { UNITS } from './quantity.js';

const metrics = [...METRICS.values()];

describe('every metric', () => {
  test('is named in dotted lower camel case', () => {
    for (const { id } of metrics) expect(id).toMatch(/^[a-z][a-zA-Z0-9]*(\.[a-z][a-zA-Z0-9]*)+$/);
  });

  test('does not carry its unit in its name', () => {
    for (const { id } of metrics) expect(id).not.toMatch(/(kwh|Wh|Watts|Volts|Amps|Hz|Percent|Celsius)$/);
  });

  test('has a unit exactly when it is a number', () => {
    for (const { kind, unit } of metrics) {
      expect(unit !== undefined).toBe(isNumeric(kind));
      if (unit !== undefined) expect(UNITS).toContain(unit);
    }
  });

  test('has a range from low to high, where it has one', () => {
    for (const { range } of metrics) if (range) expect(range[0]).toBeLessThan(range[1]);
  });

  test('is found by its id', () => {
    for (const metric of metrics) expect(metricOf(metric.id)).toBe(metric);
    expect(metricOf('battery.mood')).toBeUndefined();
    expect(metricOf('constructor')).toBeUndefined();
  });
});

test('energy and volume that only rise are counters; a figure of today is not, for it falls at midnight', () => {
  for (const { id, kind } of metrics) {
    if (/[eE]nergyToday$/.test(id)) expect(kind).toBe('gauge');
    else if (/energy(Import|Export)?$|[cC]hargeEnergy$|volume$/.test(id) && !id.startsWith('tank.'))
      expect(kind).toBe('counter');
  }
});

test('powers and currents that can flow both ways say which way is positive', () => {
  for (const id of ['battery.power', 'battery.current', 'grid.power', 'grid.l1.power', 'ac.power', 'water.flow']) {
    expect(metricOf(id)?.positive).toBeDefined();
  }
});

test('every kind of device is asked for metrics that exist', () => {
  expect(Object.keys(REQUIRED_METRICS)).toEqual([...DEVICE_KINDS]);
  for (const ids of Object.values(REQUIRED_METRICS)) for (const id of ids) expect(metricOf(id)).toBeDefined();
});

test.each(['kyzyl-art', 'post1', 'a', 'x'.repeat(32)])('%s names a post', (text) =>
  expect(isIdentifier(text)).toBe(true),
);
test.each(['', 'Kyzyl', 'a/b', 'a+b', '#', 'a b', 'кызыл', 'a\n', 'x'.repeat(33)])('%j names none', (text) =>
  expect(isIdentifier(text)).toBe(false),
);
