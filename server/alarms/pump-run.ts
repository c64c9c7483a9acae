// How long and how steadily a pump has been running, told from its recorded speed. Pure.
import type { PumpObservation } from '#domain/pump.js';
import { REASONS } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { InputKey, PumpInputs } from './plan.js';

/** The newest sample of a metric. */
export interface Input {
  readonly value: Value;
  readonly code: number;
  readonly at: number;
}

export interface PumpRun {
  /** null while it stands, or its speed is not known. */
  readonly since: number | null;
  /** Speeds of the last while, oldest first; each holds until the next. */
  readonly speeds: readonly { readonly at: number; readonly hz: number }[];
  /** Moments at which it should be looked at again, though nothing may be recorded then. */
  readonly gates: readonly number[];
}

export const STILL: PumpRun = { since: null, speeds: [], gates: [] };

/** Slower than this no motor turns on purpose. */
const TURNING_HZ = 0.5;
/** Steady: speed moved by less than 3 % of the rated one within 30 s. */
const STEADY_MS = 30_000;
const STEADY_SHARE = 0.03;
/** After each recorded speed: priming and steadiness end within this, and are looked at in these steps. */
const GATE_STEP_MS = 5000;
const GATE_STEPS = 15;

/** Takes a recorded speed. One that is not good ends the run: how long it lasted cannot be said any more. */
export function followSpeed(run: PumpRun, sample: Input): PumpRun {
  const hz = sample.value;
  if (typeof hz !== 'number' || sample.code !== REASONS.good.code) return STILL;
  const from = sample.at - STEADY_MS;
  // The last one before the window still holds at its start.
  const start = run.speeds.findLastIndex(({ at }) => at <= from);
  const speeds = [...run.speeds.slice(Math.max(0, start)), { at: sample.at, hz }];
  if (hz <= TURNING_HZ) return { since: null, speeds, gates: [] };
  const gates = Array.from({ length: GATE_STEPS }, (_, index) => sample.at + (index + 1) * GATE_STEP_MS);
  return { since: run.since ?? sample.at, speeds, gates };
}

function isSteady(run: PumpRun, at: number, ratedHz: number): boolean {
  const from = at - STEADY_MS;
  if (run.since === null || run.since > from) return false;
  const start = Math.max(
    0,
    run.speeds.findLastIndex((speed) => speed.at <= from),
  );
  const held = run.speeds.slice(start).map(({ hz }) => hz);
  return Math.max(...held) - Math.min(...held) < STEADY_SHARE * ratedHz;
}

/** What `domain/pump.ts` judges, from the good inputs of this moment. */
export function observePump(
  pump: PumpInputs,
  run: PumpRun,
  read: (key: InputKey) => Value,
  at: number,
): PumpObservation {
  const firstOf = (keys: readonly InputKey[]): number | null =>
    keys.map(read).find((value) => typeof value === 'number') ?? null;
  const frequencyHz = firstOf([pump.frequency]);
  return {
    frequencyHz,
    powerW: firstOf(pump.power),
    flowM3h: firstOf(pump.flow),
    headM: firstOf(pump.head),
    runningForMs: run.since === null ? (frequencyHz === null ? null : 0) : at - run.since,
    steady: isSteady(run, at, pump.facts.ratedFrequencyHz),
  };
}
