// What each device of a post would measure, in the product's units and signs: the world as its instruments see it.
import type { DeviceKind, MeterRole } from '#domain/device-kind.js';
import type { PostState } from '../world/post.js';
import type { PostSpec } from '../world/post-spec.js';
import type { MetricValue } from './encoder.js';
import { powerQuantities } from './power-quantities.js';
import { pumpQuantities, tankQuantities, waterMeterQuantities, weatherQuantities } from './water-quantities.js';

/** What a device is for, beside its profile. */
export interface DevicePlace {
  readonly kind: DeviceKind;
  /** Meters only. */
  readonly role?: MeterRole;
}

/** Values of the metrics that such a device can know. */
export type Quantities = Readonly<Record<string, MetricValue>>;

/** Everything that a device of this kind and role sees of the post at this moment. */
export function quantitiesOf(spec: PostSpec, state: PostState, place: DevicePlace): Quantities {
  switch (place.kind) {
    case 'meter':
      return meterQuantities(spec, state, place.role ?? 'load');
    case 'water-meter':
      return waterMeterQuantities(state);
    case 'tank':
      return tankQuantities(spec, state);
    case 'pump':
      return pumpQuantities(spec, state);
    case 'weather':
      return weatherQuantities(state);
    default:
      return powerQuantities(spec, state);
  }
}

type PhaseShares = readonly [number, number, number];
/** The pump is a single-phase set on the first phase. */
const FIRST_PHASE: PhaseShares = [1, 0, 0];

interface Measured {
  readonly powerW: number;
  readonly energyWh: number;
  readonly shares: PhaseShares;
  readonly powerFactor: number;
}

/** What flows where a meter of this role is clamped: positive as the role says. */
function measured(spec: PostSpec, state: PostState, role: MeterRole): Measured {
  const { dispatch } = state.inverter;
  const { total } = state.counters;
  const shares = spec.load.phaseShares as PhaseShares;
  const even: PhaseShares = [1 / 3, 1 / 3, 1 / 3];
  const { powerFactor } = spec.load;
  switch (role) {
    case 'load':
      return { powerW: dispatch.loadW, energyWh: total.load, shares, powerFactor };
    case 'grid':
      return { powerW: dispatch.gridW, energyWh: total.gridImport, shares, powerFactor };
    case 'genset':
      return { powerW: dispatch.gensetW, energyWh: total.genset, shares, powerFactor };
    case 'pv':
      return { powerW: dispatch.pvW, energyWh: total.pv, shares: even, powerFactor: 0.999 };
    case 'pump':
      return { powerW: state.pump.powerW, energyWh: state.pump.energyWh, shares: FIRST_PHASE, powerFactor: 0.92 };
  }
}

function meterQuantities(spec: PostSpec, state: PostState, role: MeterRole): Quantities {
  const { powerW, energyWh, shares, powerFactor } = measured(spec, state, role);
  const { voltagesV, frequencyHz } = state.inverter;
  const tangent = Math.tan(Math.acos(powerFactor));
  const apparentVa = powerW / powerFactor;
  const factor = powerW === 0 ? 1 : powerFactor;
  const amps = shares.map((share, index) => current(apparentVa * share, voltagesV[index] ?? 0));
  const result: Record<string, MetricValue> = {
    'ac.power': powerW,
    'ac.reactivePower': powerW * tangent,
    'ac.apparentPower': apparentVa,
    'ac.powerFactor': factor,
    'ac.frequency': frequencyHz,
    'ac.voltage': (voltagesV[0] + voltagesV[1] + voltagesV[2]) / 3,
    'ac.current': amps.reduce((sum, one) => sum + one, 0) / 3,
    'ac.energyImport': energyWh,
    'ac.energyExport': 0,
  };
  for (const [index, share] of shares.entries()) {
    const phase = `ac.l${index + 1}`;
    result[`${phase}.voltage`] = voltagesV[index] ?? 0;
    result[`${phase}.current`] = amps[index] ?? 0;
    result[`${phase}.power`] = powerW * share;
    result[`${phase}.reactivePower`] = powerW * share * tangent;
    result[`${phase}.apparentPower`] = apparentVa * share;
    result[`${phase}.powerFactor`] = share === 0 ? 1 : factor;
    result[`${phase}.energyImport`] = energyWh * share;
    result[`${phase}.energyExport`] = 0;
  }
  return result;
}

function current(va: number, volts: number): number {
  return volts < 1 ? 0 : va / volts;
}
