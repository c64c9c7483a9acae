// Which devices speak for the post: the figures of the flow diagram and the counters behind its totals. The same quantity is
// often seen by several devices; adding them up would count it twice.
import type { DeviceKind, MeterRole } from './device-kind.js';
import { codeOf, hasValue, reasonOf } from './quality.js';

export const FLOW_NAMES = [
  'pvPower',
  'batteryPower',
  'gensetPower',
  'gridPower',
  'loadPower',
  'pumpPower',
  'batterySoc',
  'waterFlow',
  'tankLevel',
  'tankFill',
  'airTemperature',
] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

export const TOTAL_NAMES = [
  'pvEnergy',
  'loadEnergy',
  'gensetEnergy',
  'gridImportEnergy',
  'pumpEnergy',
  'waterVolume',
] as const;
export type TotalName = (typeof TOTAL_NAMES)[number];

export interface FlowDevice {
  readonly id: string;
  readonly kind: DeviceKind;
  /** Meters only. */
  readonly role?: MeterRole;
}

/** A figure as stored: reason code of `domain/quality.ts`, source time. */
export interface FlowValue {
  readonly value: number | null;
  readonly code: number;
  readonly at: number;
}

/** Devices that see a quantity in the same way: of one kind, or meters with one role. */
type Source = DeviceKind | `${MeterRole}-meter`;

interface FlowRule {
  /** The first source that has the metric speaks, alone. */
  readonly sources: readonly Source[];
  /** All of these that a device has are added up within it. */
  readonly metrics: readonly string[];
  /** What several devices of the source give together. */
  readonly together: 'sum' | 'lowest' | 'first';
}

// A meter was put there for this purpose, with a class of accuracy; the source's own controller sees itself; an inverter
// often estimates. Of several batteries or tanks the lowest needs somebody; mean and sum would hide it.
export const FLOW_RULES: Readonly<Record<FlowName, FlowRule>> = {
  pvPower: { sources: ['pv-meter', 'pv', 'inverter'], metrics: ['pv.power'], together: 'sum' },
  batteryPower: { sources: ['battery', 'inverter'], metrics: ['battery.power', 'battery2.power'], together: 'sum' },
  gensetPower: { sources: ['genset-meter', 'genset', 'inverter'], metrics: ['genset.power'], together: 'sum' },
  gridPower: { sources: ['grid-meter', 'inverter'], metrics: ['grid.power'], together: 'sum' },
  loadPower: { sources: ['load-meter', 'inverter'], metrics: ['load.power'], together: 'sum' },
  pumpPower: { sources: ['pump-meter', 'pump'], metrics: ['pump.power'], together: 'sum' },
  batterySoc: { sources: ['battery', 'inverter'], metrics: ['battery.soc'], together: 'lowest' },
  waterFlow: { sources: ['water-meter'], metrics: ['water.flow'], together: 'sum' },
  tankLevel: { sources: ['tank'], metrics: ['tank.level'], together: 'lowest' },
  tankFill: { sources: ['tank'], metrics: ['tank.fill'], together: 'lowest' },
  airTemperature: { sources: ['weather'], metrics: ['weather.airTemperature'], together: 'first' },
};

interface TotalRule {
  readonly sources: readonly Source[];
  readonly counter: string;
  /** A device that shows one of these takes part in the quantity, so without its counter a total would be a part. */
  readonly metrics: readonly string[];
}

const TOTAL_RULES: Readonly<Record<TotalName, TotalRule>> = {
  pvEnergy: { sources: ['pv-meter', 'pv', 'inverter'], counter: 'pv.energy', metrics: ['pv.power'] },
  loadEnergy: { sources: ['load-meter', 'inverter'], counter: 'load.energy', metrics: ['load.power'] },
  gensetEnergy: {
    sources: ['genset-meter', 'genset', 'inverter'],
    counter: 'genset.energy',
    metrics: ['genset.power'],
  },
  gridImportEnergy: { sources: ['grid-meter', 'inverter'], counter: 'grid.energyImport', metrics: ['grid.power'] },
  pumpEnergy: { sources: ['pump-meter', 'pump'], counter: 'pump.energy', metrics: ['pump.power'] },
  waterVolume: { sources: ['water-meter'], counter: 'water.volume', metrics: ['water.flow'] },
};

function sourceOf(device: FlowDevice): Source {
  return device.kind === 'meter' && device.role !== undefined ? `${device.role}-meter` : device.kind;
}

export function devicesOf(devices: readonly FlowDevice[], source: Source): readonly FlowDevice[] {
  return devices.filter((device) => sourceOf(device) === source);
}

function isKnown(part: FlowValue): part is FlowValue & { readonly value: number } {
  const reason = reasonOf(part.code);
  return part.value !== null && Number.isFinite(part.value) && (reason === undefined || hasValue(reason));
}

/** Several values as one. It is as old as its oldest part and as doubtful as its worst; without one part it is none. */
function combine(parts: readonly FlowValue[], together: FlowRule['together']): FlowValue | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1 || together === 'first') return first;
  const at = Math.min(...parts.map((part) => part.at));
  const known = parts.filter(isKnown);
  if (known.length < parts.length) return { value: null, code: codeOf('incomplete'), at };
  const values = known.map((part) => part.value);
  const value = together === 'lowest' ? Math.min(...values) : values.reduce((sum, part) => sum + part, 0);
  return { value, code: Math.max(...known.map((part) => part.code)), at };
}

/**
 * The post's figures, each from the first source that has the metric; several devices of that source are combined. A source
 * that fails is not replaced by the next one: a figure that changes its meter from minute to minute would be worth nothing.
 * @param latest the newest value; `undefined` only where the device has no such metric. One that has it and has said nothing
 *   yet must give null with a reason, or a part of a sum would pass for the whole.
 */
export function chooseFlows(
  devices: readonly FlowDevice[],
  latest: (device: string, metric: string) => FlowValue | undefined,
): Partial<Record<FlowName, FlowValue>> {
  const flows: Partial<Record<FlowName, FlowValue>> = {};
  for (const name of FLOW_NAMES) {
    const { sources, metrics, together } = FLOW_RULES[name];
    for (const source of sources) {
      const parts = devicesOf(devices, source).flatMap((device) =>
        metrics.map((metric) => latest(device.id, metric)).filter((part) => part !== undefined),
      );
      const flow = combine(parts, together);
      if (flow === undefined) continue;
      flows[name] = flow;
      break;
    }
  }
  return flows;
}

/**
 * The counters whose increases add up to each total. From the first source of which every device that takes part has a
 * counter; a total that would miss a part is left out.
 * @param has true where the device has the metric (from the birth), whether or not a value has come
 */
export function chooseTotals(
  devices: readonly FlowDevice[],
  has: (device: string, metric: string) => boolean,
): Partial<Record<TotalName, readonly { readonly device: string; readonly metric: string }[]>> {
  const totals: Partial<Record<TotalName, readonly { device: string; metric: string }[]>> = {};
  for (const name of TOTAL_NAMES) {
    const { sources, counter, metrics } = TOTAL_RULES[name];
    for (const source of sources) {
      const taking = devicesOf(devices, source).filter(({ id }) =>
        [counter, ...metrics].some((metric) => has(id, metric)),
      );
      if (taking.length === 0 || !taking.every(({ id }) => has(id, counter))) continue;
      totals[name] = taking.map(({ id }) => ({ device: id, metric: counter }));
      break;
    }
  }
  return totals;
}
