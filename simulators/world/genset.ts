// A diesel set that starts by itself when the battery is low: crank, warm up, run, cool down, and give up after three tries.
import type { PostSpec } from './post-spec.js';

type GensetSpec = PostSpec['genset'];

export type GensetPhase = 'stopped' | 'cranking' | 'resting' | 'warmingUp' | 'running' | 'coolingDown' | 'failed';

export interface GensetState {
  readonly phase: GensetPhase;
  /** Time in this phase. */
  readonly phaseS: number;
  readonly tries: number;
  readonly starts: number;
  readonly runtimeS: number;
  readonly fuelL: number;
  readonly coolantC: number;
  /** Power of this step, W. */
  readonly powerW: number;
}

const MOST_TRIES = 3;
const REST_S = 10;

export function initialGenset(spec: GensetSpec, ageDays: number, airC: number): GensetState {
  return {
    phase: 'stopped',
    phaseS: 0,
    tries: 0,
    starts: spec.ratedW > 0 ? Math.round(ageDays / 5) : 0,
    runtimeS: spec.ratedW > 0 ? Math.round(ageDays / 5) * 5400 : 0,
    fuelL: spec.startFuelL,
    coolantC: airC,
    powerW: 0,
  };
}

/** True while the set can carry load. */
export function canCarry(genset: GensetState): boolean {
  return genset.phase === 'running';
}

/** True while the engine turns by itself. */
export function isTurning(genset: GensetState): boolean {
  return genset.phase === 'warmingUp' || genset.phase === 'running' || genset.phase === 'coolingDown';
}

/**
 * Decides on the phase before a step.
 * @param soc of the battery, % @param failsToStart a fault keeps the engine from catching
 */
export function controlGenset(spec: GensetSpec, genset: GensetState, soc: number, failsToStart: boolean): GensetState {
  if (spec.ratedW <= 0) return genset;
  const wanted = soc < spec.startSoc;
  const to = (phase: GensetPhase, more: Partial<GensetState> = {}): GensetState => ({
    ...genset,
    phase,
    phaseS: 0,
    ...more,
  });
  switch (genset.phase) {
    case 'stopped':
      return wanted && genset.fuelL > 0 ? to('cranking', { tries: 1 }) : genset;
    case 'cranking':
      if (genset.phaseS < spec.crankS) return genset;
      if (!failsToStart && genset.fuelL > 0) return to('warmingUp', { starts: genset.starts + 1 });
      return genset.tries >= MOST_TRIES ? to('failed') : to('resting');
    case 'resting':
      return genset.phaseS < REST_S ? genset : to('cranking', { tries: genset.tries + 1 });
    case 'warmingUp':
      return genset.phaseS < spec.warmUpS ? genset : to('running');
    case 'running':
      if (genset.fuelL <= 0) return to('failed');
      return soc > spec.stopSoc ? to('coolingDown') : genset;
    case 'coolingDown':
      if (wanted) return to('running');
      return genset.phaseS < spec.coolDownS ? genset : to('stopped');
    case 'failed':
      // Somebody resets it when the cause is gone.
      return failsToStart || genset.fuelL <= 0 ? genset : to('stopped');
  }
}

/** Runs the set for a step at a power. Fuel by the usual rule: 0.08 L/h per kW rated and 0.25 L per kWh. */
export function stepGenset(
  spec: GensetSpec,
  genset: GensetState,
  powerW: number,
  dtS: number,
  airC: number,
): GensetState {
  const turning = isTurning(genset);
  const hours = dtS / 3600;
  const burnt = turning ? (0.08 * (spec.ratedW / 1000) + 0.25 * (powerW / 1000)) * hours : 0;
  const target = turning ? 82 : airC;
  const timeConstantS = turning ? 400 : 5400;
  return {
    ...genset,
    phaseS: genset.phaseS + dtS,
    runtimeS: genset.runtimeS + (turning ? dtS : 0),
    fuelL: Math.max(0, genset.fuelL - burnt),
    coolantC: genset.coolantC + (target - genset.coolantC) * (1 - Math.exp(-dtS / timeConstantS)),
    powerW,
  };
}
