// Energy counters of the inverter and the meters: totals, and day counters that start again at the device's midnight.
import type { Dispatch } from './inverter.js';
import type { PostSpec } from './post-spec.js';

/** Wh. */
export interface EnergyTotals {
  readonly pv: number;
  readonly load: number;
  readonly charge: number;
  readonly discharge: number;
  readonly gridImport: number;
  readonly genset: number;
}

export interface Counters {
  readonly total: EnergyTotals;
  readonly today: EnergyTotals;
  /** Number of the device's day that `today` belongs to. */
  readonly day: number;
}

const NOTHING: EnergyTotals = { pv: 0, load: 0, charge: 0, discharge: 0, gridImport: 0, genset: 0 };

/** Totals of a post that has been at work for its age: what such a post counts in that time, roughly. */
export function initialCounters(spec: PostSpec, day: number): Counters {
  const load = Math.round(spec.ageDays * (spec.load.meanW * 24 + 1900));
  const genset = spec.genset.ratedW > 0 ? Math.round(load * 0.06) : 0;
  const gridImport = spec.grid.maxW > 0 ? Math.round(load * 0.15) : 0;
  const discharge = Math.round(load * 0.45);
  const charge = Math.round(discharge * 1.05);
  const total = { load, genset, gridImport, discharge, charge, pv: load + charge - discharge - genset - gridImport };
  return { total, today: NOTHING, day };
}

export function stepCounters(before: Counters, flows: Dispatch, day: number, dtS: number): Counters {
  const wh = (watts: number): number => (Math.max(0, watts) * dtS) / 3600;
  const step: EnergyTotals = {
    pv: wh(flows.pvW),
    load: wh(flows.loadW),
    charge: wh(-flows.batteryW),
    discharge: wh(flows.batteryW),
    gridImport: wh(flows.gridW),
    genset: wh(flows.gensetW),
  };
  return { total: sum(before.total, step), today: sum(day === before.day ? before.today : NOTHING, step), day };
}

function sum(a: EnergyTotals, b: EnergyTotals): EnergyTotals {
  return {
    pv: a.pv + b.pv,
    load: a.load + b.load,
    charge: a.charge + b.charge,
    discharge: a.discharge + b.discharge,
    gridImport: a.gridImport + b.gridImport,
    genset: a.genset + b.genset,
  };
}
