// The hybrid inverter: it balances PV, genset, grid and battery against the load, exactly, in every step.
import type { BatteryLimits } from './battery.js';
import type { PostSpec } from './post-spec.js';

/** What is offered and asked for in one step, W. */
export interface Offer {
  readonly loadW: number;
  readonly pvW: number;
  readonly battery: BatteryLimits;
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

export interface InverterState {
  /** Off: the battery is empty and nothing else carries the load. */
  readonly on: boolean;
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

export function initialInverter(spec: PostSpec): InverterState {
  const { voltageV, frequencyHz } = spec.inverter;
  return {
    on: true,
    callsGrid: false,
    heatSinkC: 25,
    dispatch: NO_DISPATCH,
    voltagesV: [voltageV, voltageV, voltageV],
    frequencyHz,
    drift: [0, 0, 0, 0],
  };
}

/** Switches off when the load cannot be served, and on again when there is something to serve it with. */
export function controlInverter(
  spec: PostSpec,
  inverter: InverterState,
  soc: number,
  hasSource: boolean,
): InverterState {
  const on = inverter.on
    ? inverter.dispatch.unservedW <= 0.01 * (inverter.dispatch.loadW + inverter.dispatch.unservedW)
    : hasSource || soc > spec.battery.minSoc + 5;
  const callsGrid = spec.grid.maxW > 0 && (inverter.callsGrid ? soc < spec.grid.stopSoc : soc < spec.grid.startSoc);
  return on === inverter.on && callsGrid === inverter.callsGrid ? inverter : { ...inverter, on, callsGrid };
}
