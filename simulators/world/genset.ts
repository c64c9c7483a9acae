// A diesel set that starts by itself when the battery is low: crank, warm up, run, cool down, and give up after three tries.
// What keeps it from starting or ends its run: fuel, cold, its own battery, oil, heat. Running nearly idle soots it.
import type { GensetTrouble } from './disturbance.js';
import type { PostSpec } from './post-spec.js';
import { approach, clamp } from './random.js';

type GensetSpec = PostSpec['genset'];

export type GensetPhase = 'stopped' | 'cranking' | 'resting' | 'warmingUp' | 'running' | 'coolingDown' | 'failed';
/** Why it failed, as its controller says it. */
export type GensetFault = 'none' | 'failedToStart' | 'stopped' | 'lowOilPressure' | 'highTemperature';

export interface GensetState {
  readonly phase: GensetPhase;
  /** Time in this phase. */
  readonly phaseS: number;
  readonly fault: GensetFault;
  readonly tries: number;
  readonly starts: number;
  readonly runtimeS: number;
  readonly fuelL: number;
  /** Since the last lorry with fuel. */
  readonly sinceRefuelS: number;
  readonly coolantC: number;
  readonly oilKPa: number;
  /** Charge of the starter battery, 0 to 1, and volts at its terminals. */
  readonly starterCharge: number;
  readonly starterV: number;
  /** Unburnt fuel in the exhaust, 0 to 1: it costs power and fuel. */
  readonly soot: number;
  /** Power of this step, W. */
  readonly powerW: number;
}

const MOST_TRIES = 3;
const REST_S = 10;
/** The oil is pumped up this long after the start; only then its pressure is judged. */
const OIL_CHECK_S = 15;
const TOO_HOT_C = 105;
/** Colder than this the engine does not catch, °C. */
const COLDEST_START_C = -18;
/** The starter turns while its battery gives this under load, V. */
const LEAST_CRANKING_V = 8.5;
const DAY_S = 86_400;

export function initialGenset(spec: GensetSpec, ageDays: number, airC: number): GensetState {
  return {
    phase: 'stopped',
    phaseS: 0,
    fault: 'none',
    tries: 0,
    starts: spec.ratedW > 0 ? Math.round(ageDays / 5) : 0,
    runtimeS: spec.ratedW > 0 ? Math.round(ageDays / 5) * 5400 : 0,
    fuelL: spec.startFuelL,
    sinceRefuelS: 0,
    coolantC: Math.max(airC, spec.blockHeaterW > 0 ? spec.blockHeaterC : airC),
    oilKPa: 0,
    starterCharge: 0.95,
    starterV: 12.7,
    soot: 0,
    powerW: 0,
  };
}

/** Most that the set can carry now, W. 0: it does not run, or is still warming up. */
export function gensetMostW(spec: GensetSpec, genset: GensetState): number {
  return genset.phase === 'running' ? spec.ratedW * (1 - 0.15 * genset.soot) : 0;
}

/** True while the engine turns by itself. */
export function isTurning({ phase }: GensetState): boolean {
  return phase === 'warmingUp' || phase === 'running' || phase === 'coolingDown';
}

/**
 * Decides on the phase before a step.
 * @param soc of the battery, %
 */
export function controlGenset(
  spec: GensetSpec,
  genset: GensetState,
  soc: number,
  airC: number,
  trouble: GensetTrouble,
): GensetState {
  if (spec.ratedW <= 0) return genset;
  const wanted = soc < spec.startSoc;
  const to = (phase: GensetPhase, more: Partial<GensetState> = {}): GensetState => ({
    ...genset,
    phase,
    phaseS: 0,
    ...more,
  });
  const hasFuel = genset.fuelL > 0 && airC > (trouble.fuelGelsC ?? spec.fuelGelsC);
  if (isTurning(genset)) {
    const fault = faultOf(genset, hasFuel, trouble);
    if (fault !== 'none') return to('failed', { fault });
  }
  const catches = trouble.gensetFailsToStart !== true && hasFuel && genset.coolantC > COLDEST_START_C;
  switch (genset.phase) {
    case 'stopped':
      return wanted && genset.fuelL > 0 ? to('cranking', { tries: 1 }) : genset;
    case 'cranking':
      if (genset.phaseS < spec.crankS) return genset;
      if (catches && genset.starterV >= LEAST_CRANKING_V) return to('warmingUp', { starts: genset.starts + 1 });
      return genset.tries >= MOST_TRIES ? to('failed', { fault: 'failedToStart' }) : to('resting');
    case 'resting':
      return genset.phaseS < REST_S ? genset : to('cranking', { tries: genset.tries + 1 });
    case 'warmingUp':
      return genset.phaseS < spec.warmUpS ? genset : to('running');
    case 'running':
      return soc > spec.stopSoc ? to('coolingDown') : genset;
    case 'coolingDown':
      if (wanted) return to('running');
      return genset.phaseS < spec.coolDownS ? genset : to('stopped');
    case 'failed':
      return isMended(genset, catches, trouble) ? to('stopped', { fault: 'none' }) : genset;
  }
}

function faultOf(genset: GensetState, hasFuel: boolean, trouble: GensetTrouble): GensetFault {
  if (!hasFuel || trouble.gensetStops === true) return 'stopped';
  if (genset.coolantC > TOO_HOT_C) return 'highTemperature';
  const judged = genset.phase !== 'warmingUp' || genset.phaseS > OIL_CHECK_S;
  return trouble.oilLost === true && judged ? 'lowOilPressure' : 'none';
}

/** Somebody resets it when the cause is gone. */
function isMended(genset: GensetState, catches: boolean, trouble: GensetTrouble): boolean {
  if (!catches || trouble.gensetStops === true || trouble.oilLost === true) return false;
  return trouble.radiatorBlocked !== true && genset.starterCharge > 0.3;
}

/** Power of the coolant heater now, W: it holds the block warm while the engine stands. */
export function blockHeaterPowerW(spec: GensetSpec, genset: GensetState, trouble: GensetTrouble): number {
  const off = spec.ratedW <= 0 || trouble.blockHeaterOff === true || isTurning(genset);
  return off || genset.coolantC >= spec.blockHeaterC ? 0 : spec.blockHeaterW;
}

/** What the set is given during a step. */
export interface GensetStep {
  readonly powerW: number;
  readonly airC: number;
  /** The post's output charges the starter battery. */
  readonly acAlive: boolean;
  readonly heaterW: number;
  readonly trouble: GensetTrouble;
}

/**
 * Runs the set for a step. Fuel after O. Skarstein and K. Uhlen, Wind Engineering 13 (1989) 72: 0.084 L/h for each kW rated
 * and 0.246 L for each kWh.
 */
export function stepGenset(spec: GensetSpec, genset: GensetState, step: GensetStep, dtS: number): GensetState {
  if (spec.ratedW <= 0) return genset;
  const { powerW, airC, trouble } = step;
  const turning = isTurning(genset);
  const hours = dtS / 3600;
  const perHourL = (0.084 * spec.ratedW + 0.246 * powerW) / 1000;
  const burntL = turning ? perHourL * hours * (1 + 0.2 * genset.soot) * (trouble.fuelFactor ?? 1) : 0;
  const hotC = trouble.radiatorBlocked === true ? 125 : 82;
  const standingC = airC + (step.heaterW > 0 ? 60 : 0);
  const isDue = spec.refuelDays > 0 && genset.sinceRefuelS >= spec.refuelDays * DAY_S;
  const refuels = isDue && trouble.passClosed !== true;
  const starter = stepStarter(genset, step, dtS);
  return {
    phase: genset.phase,
    fault: genset.fault,
    tries: genset.tries,
    starts: genset.starts,
    starterCharge: starter.starterCharge,
    starterV: starter.starterV,
    phaseS: genset.phaseS + dtS,
    runtimeS: genset.runtimeS + (turning ? dtS : 0),
    fuelL: refuels ? spec.fuelTankL : Math.max(0, genset.fuelL - burntL - (trouble.fuelLossLH ?? 0) * hours),
    sinceRefuelS: refuels ? 0 : genset.sinceRefuelS + dtS,
    coolantC: approach(genset.coolantC, turning ? hotC : standingC, dtS, turning ? 400 : 5400),
    oilKPa: turning && trouble.oilLost !== true ? 380 - genset.coolantC : 0,
    soot: turning ? clamp(genset.soot + sootPerHour(powerW / spec.ratedW) * hours, 0, 1) : genset.soot,
    powerW,
  };
}

/** Wet stacking: below 30 % of its power the engine soots within some forty hours; above half of it burns clean in four. */
function sootPerHour(load: number): number {
  return load < 0.3 ? 1 / 40 : load > 0.5 ? -1 / 4 : 0;
}

/** Starter battery: cranking takes, the alternator and the mains charger give, and time takes one percent a day. */
function stepStarter(
  genset: GensetState,
  { airC, acAlive, trouble }: GensetStep,
  dtS: number,
): Pick<GensetState, 'starterCharge' | 'starterV'> {
  const cranking = genset.phase === 'cranking';
  const charged = isTurning(genset) || (acAlive && trouble.starterChargerOff !== true);
  // An orphaned battery also feeds its controller.
  const perDay = charged ? 2 : -0.12;
  const moved = (perDay * dtS) / DAY_S - (cranking ? 0.004 * dtS : 0);
  const starterCharge = clamp(genset.starterCharge + moved, 0, 1);
  const restV = 11.4 + 1.35 * starterCharge;
  const crankingV = restV - 2.2 - 0.03 * Math.max(0, 10 - airC);
  return { starterCharge, starterV: cranking ? crankingV : charged ? 13.6 : restV };
}
