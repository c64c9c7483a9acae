// From what a device says to what the post means: the role of a meter, and wiring that runs the other way.
// The device's own sign is its profile's and has been applied by decoding; here only facts of the installation are.
import type { MeterRole } from '#domain/device-kind.js';
import { metricOf } from '#domain/metric.js';
import type { Reading } from '#domain/reading.js';

/** The facts of an installation that rename or turn a metric. */
export interface Wiring {
  readonly role?: MeterRole;
  readonly reversed: boolean;
}

/** A meter without a role speaks of its terminals; with one, of a flow of the post. */
const ROLE_NAMES: Readonly<Record<MeterRole, Readonly<Record<string, string>>>> = {
  load: { 'ac.power': 'load.power', 'ac.energyImport': 'load.energy' },
  grid: {
    'ac.power': 'grid.power',
    'ac.energyImport': 'grid.energyImport',
    'ac.energyExport': 'grid.energyExport',
  },
  genset: { 'ac.power': 'genset.power', 'ac.energyImport': 'genset.energy' },
  pv: { 'ac.power': 'pv.power', 'ac.energyImport': 'pv.energy' },
  pump: { 'ac.power': 'pump.power', 'ac.energyImport': 'pump.energy' },
};

/** Counters of the two directions: they change places where the wiring is reversed. */
const OPPOSITES: readonly (readonly [RegExp, string])[] = [
  [/\.energyImport$/, '.energyExport'],
  [/\.energyExport$/, '.energyImport'],
  [/\.energyImportToday$/, '.energyExportToday'],
  [/\.energyExportToday$/, '.energyImportToday'],
  [/^battery\.chargeEnergy/, 'battery.dischargeEnergy'],
  [/^battery\.dischargeEnergy/, 'battery.chargeEnergy'],
  [/^water\.volume$/, 'water.volumeReverse'],
  [/^water\.volumeReverse$/, 'water.volume'],
];

function oppositeOf(metric: string): string {
  const pair = OPPOSITES.find(([pattern]) => pattern.test(metric));
  return pair === undefined ? metric : metric.replace(pair[0], pair[1]);
}

/** The metric that a device's metric becomes at this place. */
export function metricNameAt(wiring: Wiring, metric: string): string {
  const turned = wiring.reversed ? oppositeOf(metric) : metric;
  return (wiring.role && ROLE_NAMES[wiring.role][turned]) ?? turned;
}

/** Readings in the vocabulary of the post. Every metric with a direction changes sign where the wiring is reversed. */
export function mapReadings(wiring: Wiring, readings: readonly Reading[]): Reading[] {
  return readings.map((reading) => {
    const metric = metricNameAt(wiring, reading.metric);
    if (!wiring.reversed && metric === reading.metric) return reading;
    const turns = wiring.reversed && metricOf(reading.metric)?.positive !== undefined;
    const value = turns && typeof reading.value === 'number' ? 0 - reading.value : reading.value;
    return { ...reading, metric, value };
  });
}
