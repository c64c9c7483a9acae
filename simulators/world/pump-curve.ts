// A centrifugal borehole pump by its curve and the affinity laws: head with the square of speed, power with its cube.
import type { PumpSpec } from './post-spec.js';

/** Water's weight, N/m³. */
export const WATER_WEIGHT = 1000 * 9.81;
const SECONDS_PER_HOUR = 3600;

/** What a pump does at one speed. */
export interface OperatingPoint {
  readonly flowM3h: number;
  /** Head across the pump, m. */
  readonly headM: number;
  /** Electrical, before the drive. */
  readonly powerW: number;
}

export const STANDSTILL: OperatingPoint = { flowM3h: 0, headM: 0, powerW: 0 };

/** What is behind the pump. */
export interface Line {
  readonly staticHeadM: number;
  /** m per (m³/h)². */
  readonly friction: number;
}

/** Where the pump's curve meets the line's, at a speed as a share of the rated one. */
export function operatingPoint(pump: PumpSpec, line: Line, speed: number, headFactor = 1): OperatingPoint {
  if (speed <= 0) return STANDSTILL;
  const shutOff = pump.shutOffHeadM * headFactor * speed * speed;
  const flowM3h = Math.sqrt(Math.max(0, (shutOff - line.staticHeadM) / (pump.slope + line.friction)));
  // The motor does not feel wear of the impeller: its power stays what the unworn curve asks for at this flow.
  const unwornHeadM = pump.shutOffHeadM * speed * speed - pump.slope * flowM3h * flowM3h;
  return {
    flowM3h,
    headM: shutOff - pump.slope * flowM3h * flowM3h,
    powerW: powerAt(pump, speed, flowM3h, unwornHeadM),
  };
}

/** Against a shut valve: full head, no flow. */
export function deadHead(pump: PumpSpec, speed: number, headFactor = 1): OperatingPoint {
  if (speed <= 0) return STANDSTILL;
  return { flowM3h: 0, headM: pump.shutOffHeadM * headFactor * speed * speed, powerW: deadHeadPowerW(pump, speed) };
}

/** Without water: no head, and clearly less power than against a shut valve. */
export function runningDry(pump: PumpSpec, speed: number): OperatingPoint {
  return { flowM3h: 0, headM: 0, powerW: 0.45 * deadHeadPowerW(pump, speed) };
}

/** Electrical power at no flow: the limit of the shaft's power there, through motor and drive. */
export function deadHeadPowerW(pump: PumpSpec, speed: number): number {
  const shaftW =
    (speed ** 3 * WATER_WEIGHT * (pump.bestFlowM3h / SECONDS_PER_HOUR) * pump.shutOffHeadM) / (2 * pump.bestEfficiency);
  return shaftW / (pump.motorEfficiency * pump.driveEfficiency);
}

/** Speed below which the pump lifts nothing to this height. */
export function leastSpeed(pump: PumpSpec, staticHeadM: number): number {
  return Math.sqrt(staticHeadM / pump.shutOffHeadM);
}

/** Fastest speed, at most the rated one, at which the pump takes no more than this power. 0: not even the slowest. */
export function fastestSpeed(pump: PumpSpec, line: Line, availableW: number): number {
  const slowest = leastSpeed(pump, line.staticHeadM);
  if (operatingPoint(pump, line, slowest).powerW > availableW) return 0;
  if (operatingPoint(pump, line, 1).powerW <= availableW) return 1;
  let low = slowest;
  let high = 1;
  for (let round = 0; round < 24; round += 1) {
    const middle = (low + high) / 2;
    if (operatingPoint(pump, line, middle).powerW <= availableW) low = middle;
    else high = middle;
  }
  return low;
}

function powerAt(pump: PumpSpec, speed: number, flowM3h: number, headM: number): number {
  const load = Math.min(1.9, flowM3h / (speed * pump.bestFlowM3h));
  // Useful power over efficiency, with the flow that is in both of them cancelled: exact down to no flow at all.
  const shaftW =
    (WATER_WEIGHT * ((speed * pump.bestFlowM3h) / SECONDS_PER_HOUR) * headM) / (pump.bestEfficiency * (2 - load));
  return shaftW / (pump.motorEfficiency * pump.driveEfficiency);
}
