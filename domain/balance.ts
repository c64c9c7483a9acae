// What must add up: the power of a post's bus, and the water of its tank. Where it does not, one of the meters is wrong, wired
// the wrong way round, or something takes part that nobody measures.
import type { Condition } from './limit.js';

/**
 * Powers of a post at one moment, W, positive into the bus; the load positive in its own metric.
 * Left out: the post has no such thing. null: it has, and its value is not known.
 */
export interface PowerParts {
  readonly pvW?: number | null;
  readonly gensetW?: number | null;
  readonly gridW?: number | null;
  readonly batteryW?: number | null;
  readonly loadW: number | null;
}

export interface PowerBalance {
  /** pv + genset + grid + battery; null where a part is not known. */
  readonly supplyW: number | null;
  readonly loadW: number | null;
  /** supply − load: what the inverter loses, and what is not measured. */
  readonly residualW: number | null;
}

function sum(parts: readonly (number | null | undefined)[]): number | null {
  let total = 0;
  for (const part of parts) {
    if (part === null) return null;
    total += part ?? 0;
  }
  return total;
}

/** Both sides of the bus. A sum with an unknown part is unknown, not smaller. */
export function powerBalance(parts: PowerParts): PowerBalance {
  const supplyW = sum([parts.pvW, parts.gensetW, parts.gridW, parts.batteryW]);
  const { loadW } = parts;
  return { supplyW, loadW, residualW: supplyW === null || loadW === null ? null : supplyW - loadW };
}

export interface BalanceTolerance {
  /** Own use, meter offsets, and the moments between the readings, W. */
  readonly absoluteW: number;
  /** Conversion loss and the classes of the meters, as a share of all power that moves. */
  readonly share: number;
}

/** An inverter loses up to a tenth; it and the post's small consumers take some 100 W by themselves. */
export const BALANCE_TOLERANCE: BalanceTolerance = { absoluteW: 150, share: 0.12 };

/**
 * `true` where the bus does not add up. Measured against the largest power that moves, since conversion loss goes with it:
 * a battery charging at 5 kW loses as much with a load of 100 W as with none.
 */
export function judgePowerBalance(parts: PowerParts, tolerance: BalanceTolerance = BALANCE_TOLERANCE): Condition {
  const { residualW } = powerBalance(parts);
  if (residualW === null) return 'unknown';
  const powers = [parts.pvW, parts.gensetW, parts.gridW, parts.batteryW, parts.loadW];
  const largestW = Math.max(...powers.map((power) => Math.abs(power ?? 0)));
  return Math.abs(residualW) > tolerance.absoluteW + tolerance.share * largestW ? 'true' : 'false';
}

/** A tank over one period, m³. null where not known; an outflow that no meter sees is not known. */
export interface TankPeriod {
  readonly volumeStartM3: number | null;
  readonly volumeEndM3: number | null;
  readonly inflowM3: number | null;
  readonly outflowM3: number | null;
}

export interface TankBalance {
  readonly gainedM3: number | null;
  /** inflow − outflow − gained: leak, overflow, or unmetered use; negative where more arrived than was measured. */
  readonly missingM3: number | null;
}

/** Where the tank's water went. */
export function tankBalance(period: TankPeriod): TankBalance {
  const { volumeStartM3, volumeEndM3, inflowM3, outflowM3 } = period;
  const gainedM3 = volumeStartM3 === null || volumeEndM3 === null ? null : volumeEndM3 - volumeStartM3;
  const missingM3 =
    gainedM3 === null || inflowM3 === null || outflowM3 === null ? null : inflowM3 - outflowM3 - gainedM3;
  return { gainedM3, missingM3 };
}

/** The smallest steps in which the sensors see the water, m³: of the tank, its area times the level's resolution. */
export interface TankResolution {
  readonly volumeM3: number;
  readonly inflowM3: number;
  readonly outflowM3: number;
}

/** A share of the inflow below which nobody goes looking. */
const MISSING_SHARE = 0.05;
/** Three standard deviations, in steps of the sensors. */
const RESOLUTION_FACTOR = 3;

/**
 * `true` where water is missing: more than 5 % of the inflow and more than three times what the sensors together resolve.
 * Wants a period of at least a day, or one in which the tank was filled.
 */
export function judgeTankLoss(period: TankPeriod, resolution: TankResolution): Condition {
  const { missingM3 } = tankBalance(period);
  if (missingM3 === null || period.inflowM3 === null) return 'unknown';
  // The volume is read twice, each time with its own error.
  const resolvedM3 = Math.hypot(resolution.volumeM3, resolution.volumeM3, resolution.inflowM3, resolution.outflowM3);
  const allowedM3 = Math.max(MISSING_SHARE * period.inflowM3, RESOLUTION_FACTOR * resolvedM3);
  return missingM3 > allowedM3 ? 'true' : 'false';
}
