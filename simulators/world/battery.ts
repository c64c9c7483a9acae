// A LiFePO4 pack: charge, the flat voltage curve, limits by warmth and charge, losses both ways.
import type { BatterySpec } from './post-spec.js';

const HOUR_S = 3600;
/** Open-circuit voltage of a LiFePO4 cell by state of charge, as data sheets of 3.2 V cells show it. */
const OPEN_CIRCUIT: readonly (readonly [soc: number, volts: number])[] = [
  [0, 2.6],
  [2, 2.95],
  [5, 3.05],
  [10, 3.2],
  [20, 3.24],
  [30, 3.265],
  [40, 3.285],
  [50, 3.295],
  [60, 3.305],
  [70, 3.32],
  [80, 3.33],
  [90, 3.335],
  [96, 3.35],
  [99, 3.4],
  [100, 3.5],
];
/** How fast a forced state of charge is approached, % per second. */
const FORCE_PER_S = 10;

export interface BatteryState {
  /** Stored energy, Wh. State of charge is its share of the capacity. */
  readonly energyWh: number;
  readonly temperatureC: number;
  /** At the terminals. Power and current positive when discharging. */
  readonly voltageV: number;
  readonly currentA: number;
  readonly powerW: number;
  /** Turned to heat since the start, Wh. */
  readonly lossWh: number;
  /** Put in (or taken out, negative) by a fault since the start, Wh. */
  readonly forcedWh: number;
}

export function initialBattery(spec: BatterySpec): BatteryState {
  const energyWh = (spec.capacityWh * spec.startSoc) / 100;
  const voltageV = openCircuitV(spec, spec.startSoc);
  return { energyWh, temperatureC: spec.roomMinC + 3, voltageV, currentA: 0, powerW: 0, lossWh: 0, forcedWh: 0 };
}

/** State of charge, %. */
export function socOf(spec: BatterySpec, battery: BatteryState): number {
  return (100 * battery.energyWh) / spec.capacityWh;
}

/** What the pack can give and take during a step of this length, W, both positive. */
export interface BatteryLimits {
  readonly dischargeW: number;
  readonly chargeW: number;
  readonly dischargeA: number;
  readonly chargeA: number;
}

/** Limits as the pack's own management sets them: no charge below 0 °C, tapering when nearly full. */
export function batteryLimits(spec: BatterySpec, battery: BatteryState, dtS: number): BatteryLimits {
  const soc = socOf(spec, battery);
  const hours = Math.max(dtS, 1e-3) / HOUR_S;
  const warm = clamp(battery.temperatureC / 10, 0, 1);
  const taper = clamp((100 - soc) / 5, 0.02, 1);
  const chargeA = soc >= 100 ? 0 : spec.maxChargeA * warm * taper;
  const dischargeA = soc <= spec.minSoc ? 0 : spec.maxDischargeA;
  const aboveMinWh = Math.max(0, battery.energyWh - (spec.capacityWh * spec.minSoc) / 100);
  const roomWh = Math.max(0, spec.capacityWh - battery.energyWh);
  const nominalV = openCircuitV(spec, soc);
  return {
    dischargeA,
    chargeA,
    dischargeW: Math.min(dischargeA * nominalV * 0.97, (aboveMinWh * spec.dischargeEfficiency) / hours),
    chargeW: Math.min(chargeA * nominalV, roomWh / spec.chargeEfficiency / hours),
  };
}

/** Draws (positive) or stores (negative) a power for a step. The power must be within `batteryLimits`. */
export function stepBattery(
  spec: BatterySpec,
  before: BatteryState,
  powerW: number,
  dtS: number,
  surroundings: { readonly airC: number; readonly forcedSoc?: number | undefined },
): BatteryState {
  const terminalWh = (powerW * dtS) / HOUR_S;
  const storedWh = powerW >= 0 ? -terminalWh / spec.dischargeEfficiency : -terminalWh * spec.chargeEfficiency;
  const natural = before.energyWh + storedWh;
  const energyWh = forced(spec, natural, surroundings.forcedSoc, dtS);
  const openV = openCircuitV(spec, (100 * energyWh) / spec.capacityWh);
  // V = Voc - I·R with I = P/V, solved for V.
  const voltageV = (openV + Math.sqrt(Math.max(0, openV * openV - 4 * powerW * spec.resistanceOhm))) / 2;
  const currentA = powerW / voltageV;
  const roomC = Math.max(spec.roomMinC, surroundings.airC);
  const warmed = roomC + 0.0012 * currentA * currentA * spec.resistanceOhm * 100;
  return {
    energyWh,
    temperatureC: before.temperatureC + (warmed - before.temperatureC) * (1 - Math.exp(-dtS / (4 * HOUR_S))),
    voltageV,
    currentA,
    powerW,
    lossWh: before.lossWh - storedWh - terminalWh,
    forcedWh: before.forcedWh + (energyWh - natural),
  };
}

function forced(spec: BatterySpec, naturalWh: number, soc: number | undefined, dtS: number): number {
  if (soc === undefined) return naturalWh;
  const targetWh = (spec.capacityWh * soc) / 100;
  const reachWh = (spec.capacityWh * FORCE_PER_S * dtS) / 100;
  return naturalWh + clamp(targetWh - naturalWh, -reachWh, reachWh);
}

/** Voltage of the pack at rest. */
export function openCircuitV(spec: BatterySpec, soc: number): number {
  let [lowSoc, lowV] = OPEN_CIRCUIT[0] ?? [0, 0];
  for (const [highSoc, highV] of OPEN_CIRCUIT) {
    if (soc <= highSoc) {
      const share = highSoc === lowSoc ? 1 : clamp((soc - lowSoc) / (highSoc - lowSoc), 0, 1);
      return spec.cells * (lowV + share * (highV - lowV));
    }
    lowSoc = highSoc;
    lowV = highV;
  }
  return spec.cells * lowV;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
