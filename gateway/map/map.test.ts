import { describe, expect, test } from 'vitest';
import { METER_ROLES } from '#domain/device-kind.js';
import { METRICS, metricOf } from '#domain/metric.js';
import { goodReading, invalidReading } from '#domain/reading.js';
import { mapReadings, metricNameAt } from './map.js';

const straight = { reversed: false };
const reversed = { reversed: true };

describe('the place of a meter', () => {
  test.each([
    ['load', 'load.power', 'load.energy', 'ac.energyExport'],
    ['grid', 'grid.power', 'grid.energyImport', 'grid.energyExport'],
    ['genset', 'genset.power', 'genset.energy', 'ac.energyExport'],
    ['pv', 'pv.power', 'pv.energy', 'ac.energyExport'],
    ['pump', 'pump.power', 'pump.energy', 'ac.energyExport'],
  ] as const)('role %s names its flow', (role, power, imported, exported) => {
    const names = ['ac.power', 'ac.energyImport', 'ac.energyExport'].map((metric) =>
      metricNameAt({ role, ...straight }, metric),
    );
    expect(names).toEqual([power, imported, exported]);
  });

  test('without a role nothing is renamed', () => {
    for (const metric of METRICS.keys()) expect(metricNameAt(straight, metric)).toBe(metric);
  });

  test('every name is one of the vocabulary, with the same unit and kind, and no two metrics get one name', () => {
    for (const role of [undefined, ...METER_ROLES])
      for (const wiring of [straight, reversed]) {
        const ac = [...METRICS.keys()].filter((metric) => metric.startsWith('ac.'));
        const names = ac.map((metric) => metricNameAt({ ...(role && { role }), ...wiring }, metric));
        expect(new Set(names).size).toBe(names.length);
        names.forEach((name, index) => {
          expect(metricOf(name)?.unit).toBe(metricOf(ac[index]!)?.unit);
          expect(metricOf(name)?.kind).toBe(metricOf(ac[index]!)?.kind);
        });
      }
  });
});

describe('reversed wiring', () => {
  test('turns what has a direction, and nothing else', () => {
    const readings = [
      goodReading('ac.power', -500, 1),
      goodReading('ac.l1.power', 200, 1),
      goodReading('ac.l1.voltage', 230, 1),
      goodReading('ac.energyImport', 7, 1),
      goodReading('ac.energyExport', 9, 1),
      goodReading('ac.l2.energyImport', 3, 1),
      invalidReading('ac.reactivePower', 'sentinel', 1),
    ];
    expect(mapReadings({ role: 'grid', ...reversed }, readings)).toEqual([
      goodReading('grid.power', 500, 1),
      goodReading('ac.l1.power', -200, 1),
      goodReading('ac.l1.voltage', 230, 1),
      goodReading('grid.energyExport', 7, 1),
      goodReading('grid.energyImport', 9, 1),
      goodReading('ac.l2.energyExport', 3, 1),
      invalidReading('ac.reactivePower', 'sentinel', 1),
    ]);
  });

  test('a flow meter that was mounted backwards counts forward again', () => {
    expect(mapReadings(reversed, [goodReading('water.flow', -3, 1), goodReading('water.volume', 5, 1)])).toEqual([
      goodReading('water.flow', 3, 1),
      goodReading('water.volumeReverse', 5, 1),
    ]);
  });

  test('standstill is 0 and not -0', () => {
    expect(Object.is(mapReadings(reversed, [goodReading('ac.power', 0, 1)])[0]?.value, 0)).toBe(true);
  });
});
