// The hybrid inverter: it balances PV, genset, grid and battery against the load, exactly, in every step.
import type { BatteryLimits } from './battery.js';
import type { InverterTrouble } from './disturbance.js';
import type { PostSpec } from './post-spec.js';
import { approach, type RandomStream, wander } from './random.js';

/** What is offered and asked for in one step, W. */
export interface Offer {
  readonly loadW: number;
  readonly pvW: number;
  readonly battery: Pick<BatteryLimits, 'chargeW' | 'dischargeW'>;
  /** Most that the genset can carry now. 0: it does not run. */
  readonly gensetMaxW: number;
  /** Most that the grid can give now. 0: there is none, or it is not called for. */
  readonly gridMaxW: number;
  /** Power that genset and grid may put into the battery beside carrying the load. */
  readonly chargeW: number;
}

/**
 * What flows in one step, W, positive into the post's bus: `pvW + gensetW + gridW + batteryW = loadW`.
 * The rest of `pvW` and `loadW` is what was curtailed and what could not be served.
 */
export interface Dispatch {
  readonly pvW: number;
  readonly gensetW: number;
  readonly gridW: number;
  readonly batteryW: number;
  readonly loadW: number;
  readonly curtailedW: number;
  readonly unservedW: number;
}

/** Shares the load out: sun first, then what runs anyway, then the battery; what is too much is curtailed. */
export function dispatch(offer: Offer): Dispatch {
  const { battery } = offer;
  const chargeW = Math.min(offer.chargeW, battery.chargeW);
  const shortW = offer.loadW - offer.pvW;
  const sourceW = offer.gensetMaxW > 0 || offer.gridMaxW > 0 ? Math.max(0, shortW + chargeW) : 0;
  let gensetW = Math.min(offer.gensetMaxW, sourceW);
  const gridW = Math.min(offer.gridMaxW, sourceW - gensetW);
  let pvW = offer.pvW;
  let loadW = offer.loadW;

  const surplusW = pvW + gensetW + gridW - loadW - battery.chargeW;
  if (surplusW > 0) {
    const curtailed = Math.min(pvW, surplusW);
    pvW -= curtailed;
    gensetW = Math.max(0, gensetW - (surplusW - curtailed));
  }
  const missingW = loadW - pvW - gensetW - gridW - battery.dischargeW;
  if (missingW > 0) loadW = Math.max(0, loadW - missingW);
  return {
    pvW,
    gensetW,
    gridW,
    batteryW: loadW - pvW - gensetW - gridW,
    loadW,
    curtailedW: offer.pvW - pvW,
    unservedW: offer.loadW - loadW,
  };
}

/** Why the inverter stands still, or what it warns of. */
export type InverterFault = 'none' | 'batteryLow' | 'overload' | 'overheated' | 'insulation' | 'hardware';

export interface InverterState {
  /** Off: the battery is empty and nothing else carries the load, or a fault has stopped it. */
  readonly on: boolean;
  readonly fault: InverterFault;
  /** Since it went off, and how long it has carried more than it should. */
  readonly offS: number;
  readonly overloadS: number;
  /** A fan stands still. */
  readonly fanStands: boolean;
  /** The grid charges and carries the load until the battery is well filled. */
  readonly callsGrid: boolean;
  readonly heatSinkC: number;
  readonly dispatch: Dispatch;
  /** Volts of each phase and hertz at the output. */
  readonly voltagesV: readonly [number, number, number];
  readonly frequencyHz: number;
  /** Wandering parts, of unit variance. */
  readonly drift: readonly [number, number, number, number];
}

export const NO_DISPATCH: Dispatch = {
  pvW: 0,
  gensetW: 0,
  gridW: 0,
  batteryW: 0,
  loadW: 0,
  curtailedW: 0,
  unservedW: 0,
};

/** Above its rated power an inverter holds out for a time that falls with the excess: five minutes at a tenth more. */
const OVERLOAD_BUDGET_S = 300;
const OVERLOAD_RETRY_S = 60;
const TOO_HOT_C = 90;
const COOL_AGAIN_C = 65;

export function initialInverter(spec: PostSpec): InverterState {
  const { voltageV, frequencyHz } = spec.inverter;
  return {
    on: true,
    fault: 'none',
    offS: 0,
    overloadS: 0,
    fanStands: false,
    callsGrid: false,
    heatSinkC: 25,
    dispatch: NO_DISPATCH,
    voltagesV: [voltageV, voltageV, voltageV],
    frequencyHz,
    drift: [0, 0, 0, 0],
  };
}

/** Switches off when the load cannot be served or something is wrong, and on again when it can. */
export function controlInverter(
  spec: PostSpec,
  inverter: InverterState,
  soc: number,
  hasSource: boolean,
  trouble: InverterTrouble,
): InverterState {
  const callsGrid = spec.grid.maxW > 0 && (inverter.callsGrid ? soc < spec.grid.stopSoc : soc < spec.grid.startSoc);
  const fault = faultNow(inverter, soc, spec.battery.minSoc, hasSource, trouble);
  const on = fault === 'none';
  const fanStands = trouble.fanBlocked === true;
  const same = fault === inverter.fault && callsGrid === inverter.callsGrid && fanStands === inverter.fanStands;
  return same ? inverter : { ...inverter, on, fault, callsGrid, fanStands, offS: on ? 0 : inverter.offS };
}

function faultNow(
  { fault, dispatch, offS, overloadS, heatSinkC }: InverterState,
  soc: number,
  minSoc: number,
  hasSource: boolean,
  trouble: InverterTrouble,
): InverterFault {
  if (trouble.inverterTrip !== undefined) return trouble.inverterTrip;
  if (heatSinkC > TOO_HOT_C || (fault === 'overheated' && heatSinkC > COOL_AGAIN_C)) return 'overheated';
  if (overloadS > OVERLOAD_BUDGET_S || (fault === 'overload' && offS < OVERLOAD_RETRY_S)) return 'overload';
  const starved = dispatch.unservedW > 0.01 * (dispatch.loadW + dispatch.unservedW);
  const empty = fault === 'batteryLow' ? !hasSource && soc <= minSoc + 5 : starved;
  return empty ? 'batteryLow' : 'none';
}

/** Voltages sag a little under load and wander; the frequency of an island hardly moves, a genset's does. */
export function stepOutput(
  spec: PostSpec,
  inverter: InverterState,
  flows: Dispatch,
  airC: number,
  dtS: number,
  random: RandomStream,
  trouble: InverterTrouble,
): InverterState {
  const d1 = wander(inverter.drift[0], dtS, 40, random);
  const d2 = wander(inverter.drift[1], dtS, 40, random);
  const d3 = wander(inverter.drift[2], dtS, 40, random);
  const df = wander(inverter.drift[3], dtS, 40, random);
  const { voltageV, frequencyHz, ratedW } = spec.inverter;
  const sag = (4 * flows.loadW) / ratedW;
  const factor = inverter.on ? (trouble.voltageFactor ?? 1) : 0;
  const volts = (drift: number): number => (voltageV - sag + 0.7 * drift) * factor;
  const flutter = flows.gensetW > 0 ? 0.15 : flows.gridW > 0 ? 0.03 : 0.008;
  const throughputW = flows.loadW + Math.abs(flows.batteryW);
  const cooling = trouble.fanBlocked === true ? 4 : 1;
  const warmC = Math.max(spec.battery.roomMinC, airC) + cooling * (6 + (22 * throughputW) / ratedW);
  const excess = (inverter.on ? flows.loadW : 0) / ratedW - 1;
  return {
    on: inverter.on,
    fault: inverter.fault,
    fanStands: inverter.fanStands,
    callsGrid: inverter.callsGrid,
    offS: inverter.on ? 0 : inverter.offS + dtS,
    overloadS: Math.max(0, inverter.overloadS + (excess > 0 ? 10 * excess : -1) * dtS),
    dispatch: flows,
    drift: [d1, d2, d3, df],
    voltagesV: [volts(d1), volts(d2), volts(d3)],
    frequencyHz: inverter.on ? frequencyHz + flutter * df + (trouble.frequencyOffsetHz ?? 0) : 0,
    heatSinkC: approach(inverter.heatSinkC, warmC, dtS, 600),
  };
}
