// A battery pack: charge, voltage, warmth, cells that are not alike, what its management allows, and age.
import { AGEING, type Ageing, along, CHEMISTRIES, type Chemistry, NEW_PACK } from './battery-chemistry.js';
import type { BatteryTrouble } from './disturbance.js';
import type { BatterySpec } from './post-spec.js';
import { approach, clamp } from './random.js';

const HOUR_S = 3600;
const DAY_S = 86_400;
/** How fast a forced state of charge is approached, % per second. */
const FORCE_PER_S = 10;
/** Hotter than this the pack gives nothing, °C. */
const MOST_C = 60;
/** Share of the strongest cell's lead over the mean; the rest is the weakest cell's lag. */
const LEAD_SHARE = 0.3;
/** Charge that balancing moves in an hour while the pack is nearly full, %. */
const BALANCED_PER_HOUR = 0.1;
/** Charge by which cells drift apart in a day, %. */
const DRIFT_PER_DAY = 0.004;

export interface BatteryState {
  /** Stored energy, Wh. State of charge is its share of the capacity. */
  readonly energyWh: number;
  /** What it can hold today, Wh. */
  readonly capacityWh: number;
  readonly temperatureC: number;
  /** At the terminals. Power and current positive when discharging. */
  readonly voltageV: number;
  readonly currentA: number;
  readonly powerW: number;
  /** Turned to heat or gas since the start, Wh. */
  readonly lossWh: number;
  /** Put in (or taken out, negative) by a fault since the start, Wh. */
  readonly forcedWh: number;
  readonly ageing: Ageing;
  /** State of charge by which the weakest cell is behind the strongest, %. */
  readonly spreadSoc: number;
  /** What is shown of the state of charge, less the truth, %: it grows with the current sensor's error. */
  readonly socError: number;
  /** What the management allowed in the last step. */
  readonly limits: BatteryLimits;
  /** The cells' temperature is not known. */
  readonly sensorOpen: boolean;
}

/** What the pack can give and take during a step of this length, W, both positive. */
export interface BatteryLimits {
  readonly dischargeW: number;
  readonly chargeW: number;
  readonly dischargeA: number;
  readonly chargeA: number;
  /** Why the management allows less than usual. */
  readonly alarm: BatteryAlarm;
}

export type BatteryAlarm = 'none' | 'cold' | 'hot' | 'cellLow' | 'tripped';

export function initialBattery(spec: BatterySpec): BatteryState {
  return {
    energyWh: (spec.capacityWh * spec.startSoc) / 100,
    capacityWh: spec.capacityWh,
    temperatureC: spec.roomMinC + 3,
    voltageV: openCircuitV(spec, spec.startSoc),
    currentA: 0,
    powerW: 0,
    lossWh: 0,
    forcedWh: 0,
    ageing: NEW_PACK,
    spreadSoc: spec.cellSpreadSoc,
    socError: 0,
    limits: { dischargeW: 0, chargeW: 0, dischargeA: spec.maxDischargeA, chargeA: spec.maxChargeA, alarm: 'none' },
    sensorOpen: false,
  };
}

/** State of charge, %. */
export function socOf({ energyWh, capacityWh }: Pick<BatteryState, 'energyWh' | 'capacityWh'>): number {
  return (100 * energyWh) / capacityWh;
}

/** State of charge as the pack's own management shows it, %. */
export function shownSocOf(battery: BatteryState): number {
  return clamp(socOf(battery) + battery.socError, 0, 100);
}

/** Capacity as a share of what a new pack of this kind holds, %. */
export function healthOf(spec: BatterySpec, battery: BatteryState): number {
  return (spec.startSoh * battery.capacityWh) / spec.capacityWh;
}

/** Volts of the weakest and of the strongest cell. */
export function cellVoltages(
  spec: BatterySpec,
  battery: BatteryState,
): { readonly leastV: number; readonly mostV: number } {
  const soc = socOf(battery);
  const { openCircuit } = CHEMISTRIES[spec.chemistry];
  const drop = battery.voltageV / spec.cells - along(openCircuit, soc);
  return {
    leastV: along(openCircuit, soc - (1 - LEAD_SHARE) * battery.spreadSoc) + drop,
    mostV: along(openCircuit, soc + LEAD_SHARE * battery.spreadSoc) + drop,
  };
}

/** Limits as the pack's own management sets them: by warmth, by charge, and by its weakest and strongest cell. */
export function batteryLimits(
  spec: BatterySpec,
  battery: BatteryState,
  dtS: number,
  trouble: BatteryTrouble = {},
): BatteryLimits {
  const chemistry = CHEMISTRIES[spec.chemistry];
  if (trouble.bmsTripped === true) return { dischargeW: 0, chargeW: 0, dischargeA: 0, chargeA: 0, alarm: 'tripped' };
  const soc = socOf(battery);
  const weakest = soc - (1 - LEAD_SHARE) * battery.spreadSoc;
  const strongest = soc + LEAD_SHARE * battery.spreadSoc;
  const emptySoc = Math.max(spec.minSoc, chemistry.frozenSoc(battery.temperatureC));
  const warm = trouble.coldChargeAllowed === true ? 1 : chemistry.chargeByWarmth(battery.temperatureC);
  const chargeA = strongest >= 100 ? 0 : spec.maxChargeA * warm * chemistry.chargeBySoc(strongest);
  const tooHot = battery.temperatureC > MOST_C;
  const dischargeA = weakest <= emptySoc || tooHot ? 0 : spec.maxDischargeA;
  const hours = Math.max(dtS, 1e-3) / HOUR_S;
  const aboveEmptyWh = Math.max(0, battery.energyWh - (battery.capacityWh * emptySoc) / 100);
  const roomWh = Math.max(0, battery.capacityWh - battery.energyWh);
  const openV = openCircuitV(spec, soc);
  const ohm = resistanceOf(spec, trouble);
  // Power at which the terminals reach the least and the most voltage.
  const [leastV, mostV] = [chemistry.leastV * spec.cells, chemistry.mostV * spec.cells];
  const untilLeastW = (leastV * Math.max(0, openV - leastV)) / ohm;
  const untilMostW = (mostV * Math.max(0, mostV - openV)) / ohm;
  return {
    dischargeA,
    chargeA,
    dischargeW: Math.min(dischargeA * openV * 0.97, (aboveEmptyWh * spec.dischargeEfficiency) / hours, untilLeastW),
    chargeW: Math.min(chargeA * openV, roomWh / keptShare(spec, chemistry, soc) / hours, untilMostW),
    alarm: tooHot || battery.temperatureC > 55 ? 'hot' : dischargeA === 0 ? 'cellLow' : warm === 0 ? 'cold' : 'none',
  };
}

/** What a pack is surrounded by during a step. */
export interface Surroundings {
  readonly airC: number;
  /** Limits that the step was planned with. */
  readonly limits: BatteryLimits;
  readonly trouble: BatteryTrouble;
}

/** Draws (positive) or stores (negative) a power for a step. The power must be within `batteryLimits`. */
export function stepBattery(
  spec: BatterySpec,
  before: BatteryState,
  powerW: number,
  dtS: number,
  { airC, limits, trouble }: Surroundings,
): BatteryState {
  const chemistry = CHEMISTRIES[spec.chemistry];
  const ageing = aged(spec, before, powerW, dtS);
  const capacityWh =
    spec.capacityWh * Math.max(0.1, 1 - ageing.byTime - ageing.byUse) * (1 - (trouble.capacityLostShare ?? 0));
  const terminalWh = (powerW * dtS) / HOUR_S;
  const storedWh =
    powerW >= 0 ? -terminalWh / spec.dischargeEfficiency : -terminalWh * keptShare(spec, chemistry, socOf(before));
  const leakedWh = Math.min(
    Math.max(0, before.energyWh + storedWh),
    (chemistry.selfDischargePerDay * capacityWh * dtS) / DAY_S,
  );
  const natural = before.energyWh + storedWh - leakedWh;
  const energyWh = Math.min(capacityWh, forced(capacityWh, natural, trouble.batterySoc, dtS));
  const ohm = resistanceOf(spec, trouble);
  const openV = openCircuitV(spec, (100 * energyWh) / capacityWh);
  // V = Voc - I·R with I = P/V, solved for V.
  const voltageV = (openV + Math.sqrt(Math.max(0, openV * openV - 4 * powerW * ohm))) / 2;
  const currentA = powerW / voltageV;
  const soc = (100 * energyWh) / capacityWh;
  return {
    energyWh,
    capacityWh,
    temperatureC: approach(
      before.temperatureC,
      roomC(spec, airC, trouble) + 0.12 * currentA ** 2 * spec.resistanceOhm,
      dtS,
      4 * HOUR_S,
    ),
    voltageV,
    currentA,
    powerW,
    lossWh: before.lossWh - storedWh - terminalWh + leakedWh,
    forcedWh: before.forcedWh + (energyWh - natural),
    ageing,
    spreadSoc: spread(before.spreadSoc, soc, dtS, trouble.cellSpreadSoc),
    socError: shownError(spec, before, soc, dtS, trouble.shuntOffsetA ?? 0),
    limits,
    sensorOpen: trouble.cellSensorOpen === true,
  };
}

function roomC(spec: BatterySpec, airC: number, trouble: BatteryTrouble): number {
  const heated = trouble.roomHeaterOff === true ? airC + 2 : Math.max(spec.roomMinC, airC);
  return heated + (trouble.roomHotK ?? 0);
}

function resistanceOf(spec: BatterySpec, trouble: BatteryTrouble): number {
  return Math.max(1e-6, spec.resistanceOhm * (trouble.batteryResistanceFactor ?? 1));
}

function keptShare(spec: BatterySpec, chemistry: Chemistry, soc: number): number {
  return spec.chargeEfficiency * chemistry.keptOfCharge(soc);
}

function aged(spec: BatterySpec, before: BatteryState, powerW: number, dtS: number): Ageing {
  const hours = dtS / HOUR_S;
  return AGEING[spec.chemistry](before.ageing, {
    celsius: before.temperatureC,
    charge: clamp(socOf(before) / 100, 0, 1),
    cycles: (Math.abs(powerW) * hours) / (2 * spec.capacityWh),
    cRate: Math.abs(powerW) / spec.capacityWh,
    charging: powerW < 0,
    dtS,
  });
}

function forced(capacityWh: number, naturalWh: number, soc: number | undefined, dtS: number): number {
  if (soc === undefined) return naturalWh;
  const reachWh = (capacityWh * FORCE_PER_S * dtS) / 100;
  return naturalWh + clamp((capacityWh * soc) / 100 - naturalWh, -reachWh, reachWh);
}

/** Cells drift apart slowly, and are balanced while the pack is nearly full. */
function spread(before: number, soc: number, dtS: number, least = 0): number {
  const drifted = before + (DRIFT_PER_DAY * dtS) / DAY_S;
  const balanced = soc > 97 ? drifted - (BALANCED_PER_HOUR * dtS) / HOUR_S : drifted;
  return Math.max(0, balanced, least);
}

/** The management counts charge, and knows the truth again when the pack is full. */
function shownError(spec: BatterySpec, before: BatteryState, soc: number, dtS: number, offsetA: number): number {
  if (soc > 99.5) return 0;
  const capacityAh = spec.capacityWh / (openCircuitV(spec, 50) || 1);
  return clamp(before.socError + (100 * offsetA * dtS) / HOUR_S / capacityAh, -100, 100);
}

/** Voltage of the pack at rest. */
export function openCircuitV(spec: BatterySpec, soc: number): number {
  return spec.cells * along(CHEMISTRIES[spec.chemistry].openCircuit, soc);
}
