// The pump as it runs: asked for by the tank's float, by hand or by the sun; ramps, protection and counters.

import type { PumpTrouble } from './disturbance.js';
import type { PumpSpec } from './post-spec.js';
import {
  deadHead,
  fastestSpeed,
  type Line,
  leastSpeed,
  type OperatingPoint,
  operatingPoint,
  runningDry,
  STANDSTILL,
} from './pump-curve.js';
import { approach, type RandomStream } from './random.js';

export type PumpPhase = 'stopped' | 'running' | 'waitingForSun' | 'tripped';

export interface PumpState {
  readonly phase: PumpPhase;
  /** Time in this phase, and the same for the sun being enough (or not enough) for it. */
  readonly phaseS: number;
  readonly sunS: number;
  /** Share of rated speed. */
  readonly speed: number;
  readonly targetSpeed: number;
  readonly point: OperatingPoint;
  /** Electrical, with what flutters in it, W. */
  readonly powerW: number;
  /** Flow that leaves towards the tank, m³/h. */
  readonly deliveredM3h: number;
  readonly dryS: number;
  readonly motorC: number;
  readonly electronicsC: number;
  readonly energyWh: number;
  readonly volumeM3: number;
  readonly runtimeS: number;
  readonly poweredS: number;
  readonly starts: number;
}

export function initialPump(spec: PumpSpec, ageDays: number, litresPerDay: number): PumpState {
  const volumeM3 = spec.supply === 'none' ? 0 : (ageDays * litresPerDay) / 1000;
  const runtimeS = Math.round((volumeM3 / 2.8) * 3600);
  return {
    phase: 'stopped',
    phaseS: 3600,
    sunS: 0,
    speed: 0,
    targetSpeed: 0,
    point: STANDSTILL,
    powerW: 0,
    deliveredM3h: 0,
    dryS: 0,
    motorC: 8,
    electronicsC: 15,
    energyWh: Math.round(volumeM3 * 468),
    volumeM3,
    runtimeS,
    poweredS: ageDays * 86_400,
    starts: Math.round(runtimeS / 1500),
  };
}

/** What the pump is offered during a step. */
export interface PumpOrder {
  /** The float asks for water. */
  readonly levelAsks: boolean;
  /** The inverter's output is alive. */
  readonly acAlive: boolean;
  /** Power of the pump's own array, W. */
  readonly arrayW: number;
  readonly airC: number;
  /** What is behind the pump, and whether anything is open there. */
  readonly line: Line;
  readonly lineShut: boolean;
  /** There is no water at the inlet. */
  readonly wellDry: boolean;
}

const NOISE = 0.01;
const DRY_NOISE_S = 60;
const SOLAR_RAMP_PER_S = 0.02;
const SUN_ENOUGH_S = 60;
const SUN_TOO_LITTLE_S = 10;
const SUN_RESTART_S = 120;
/** Speed above the least one that a solar drive waits for. */
const START_MARGIN = 0.05;

/** True while the pump moves towards another speed, so that long steps would blur it. */
export function isChanging(pump: PumpState): boolean {
  return Math.abs(pump.targetSpeed - pump.speed) > 1e-6 || (pump.phase === 'running' && pump.phaseS < 5);
}

export function stepPump(
  spec: PumpSpec,
  before: PumpState,
  order: PumpOrder,
  trouble: PumpTrouble,
  dtS: number,
  random: RandomStream,
): PumpState {
  if (spec.supply === 'none') return before;
  const controlled = control(spec, before, order, trouble, dtS);
  const speed = trouble.pumpUnpowered === true ? 0 : ramp(spec, controlled.speed, controlled.targetSpeed, dtS);
  const point = pointOf(spec, speed, order, trouble);
  const dry = speed > 0 && order.wellDry;
  const dryS = dry ? before.dryS + dtS : 0;
  const rough = trouble.gasInWater === true ? 5 : dry && dryS <= DRY_NOISE_S ? 3 : 1;
  const noise = NOISE * rough * random.normal();
  const most = spec.supply === 'solar' ? order.arrayW : Number.POSITIVE_INFINITY;
  const powerW = speed > 0 ? Math.min(most, point.powerW * (trouble.pumpPowerFactor ?? 1) * (1 + noise)) : 0;
  const deliveredM3h = trouble.noFlow === true ? 0 : point.flowM3h;
  const hours = dtS / 3600;
  const powered = spec.supply === 'ac' ? order.acAlive : order.arrayW > 20;
  return {
    phase: controlled.phase,
    phaseS: controlled.phaseS,
    sunS: controlled.sunS,
    targetSpeed: controlled.targetSpeed,
    starts: controlled.starts,
    speed,
    point,
    powerW,
    deliveredM3h,
    dryS,
    motorC: approach(before.motorC, motorTargetC(powerW, dry), dtS, 600),
    electronicsC: approach(before.electronicsC, order.airC + 12 + powerW / 60, dtS, 900),
    energyWh: before.energyWh + powerW * hours,
    volumeM3: before.volumeM3 + deliveredM3h * hours,
    runtimeS: before.runtimeS + (speed > 0 ? dtS : 0),
    poweredS: before.poweredS + (powered ? dtS : 0),
  };
}

function motorTargetC(powerW: number, dry: boolean): number {
  return 8 + powerW / 45 + (dry ? 50 : 0);
}

function ramp(spec: PumpSpec, speed: number, target: number, dtS: number): number {
  const perS = spec.supply === 'solar' ? SOLAR_RAMP_PER_S : spec.rampPerS;
  const step = perS * dtS;
  return speed + Math.min(step, Math.max(-step, target - speed));
}

/** Share of the closed-valve power that a motor without its pump takes. */
const IDLE_SHARE = 0.3;
/** Head that gas takes. */
const GAS_HEAD = 0.95;

function pointOf(spec: PumpSpec, speed: number, order: PumpOrder, trouble: PumpTrouble): OperatingPoint {
  if (speed <= 0) return STANDSTILL;
  if (trouble.brokenShaft === true) return { ...STANDSTILL, powerW: IDLE_SHARE * deadHead(spec, speed).powerW };
  if (order.wellDry) return runningDry(spec, speed);
  const head = (trouble.headFactor ?? 1) * (trouble.gasInWater === true ? GAS_HEAD : 1);
  if (order.lineShut) return deadHead(spec, speed, head);
  // A broken riser: the water falls back into the well from just above the pump.
  return operatingPoint(spec, trouble.noFlow === true ? { staticHeadM: 3, friction: 3 } : order.line, speed, head);
}

/** Phase and wanted speed of the step. */
function control(spec: PumpSpec, before: PumpState, order: PumpOrder, trouble: PumpTrouble, dtS: number): PumpState {
  const asked = trouble.pumpOff !== true && (trouble.pumpByHand === true || order.levelAsks);
  const pump = { ...before, phaseS: before.phaseS + dtS };
  if (pump.phase === 'tripped') {
    const retry = pump.phaseS >= spec.retryMin * 60;
    return retry ? { ...pump, phase: 'stopped', phaseS: 0 } : { ...pump, targetSpeed: 0 };
  }
  const running = pump.phase === 'running';
  if (running && spec.dryRunTripS > 0 && pump.dryS >= spec.dryRunTripS)
    return { ...pump, phase: 'tripped', phaseS: 0, targetSpeed: 0 };
  return spec.supply === 'ac' ? onMains(pump, asked && order.acAlive) : onSun(spec, pump, asked, order, dtS);
}

function onMains(pump: PumpState, asked: boolean): PumpState {
  if (asked && pump.phase !== 'running') return started(pump, 1);
  if (!asked && pump.phase === 'running') return { ...pump, phase: 'stopped', phaseS: 0, targetSpeed: 0 };
  return pump;
}

function onSun(spec: PumpSpec, pump: PumpState, asked: boolean, order: PumpOrder, dtS: number): PumpState {
  const { line } = order;
  if (!asked)
    return pump.phase === 'stopped' ? pump : { ...pump, phase: 'stopped', phaseS: 0, sunS: 0, targetSpeed: 0 };
  const least = leastSpeed(spec, line.staticHeadM);
  if (pump.phase !== 'running') {
    const enough = order.arrayW > operatingPoint(spec, line, Math.min(1, least + START_MARGIN)).powerW;
    const sunS = enough ? pump.sunS + dtS : 0;
    const rested = pump.phase !== 'waitingForSun' || pump.phaseS >= SUN_RESTART_S;
    if (sunS >= SUN_ENOUGH_S && rested) return { ...started(pump, fastestSpeed(spec, line, order.arrayW)), sunS: 0 };
    return pump.phase === 'waitingForSun'
      ? { ...pump, sunS }
      : { ...pump, phase: 'waitingForSun', phaseS: SUN_RESTART_S, sunS };
  }
  const speed = fastestSpeed(spec, line, order.arrayW);
  const sunS = speed === 0 ? pump.sunS + dtS : 0;
  if (sunS >= SUN_TOO_LITTLE_S) return { ...pump, phase: 'waitingForSun', phaseS: 0, sunS: 0, targetSpeed: 0 };
  return { ...pump, sunS, targetSpeed: speed };
}

function started(pump: PumpState, targetSpeed: number): PumpState {
  return { ...pump, phase: 'running', phaseS: 0, targetSpeed, starts: pump.starts + 1 };
}
