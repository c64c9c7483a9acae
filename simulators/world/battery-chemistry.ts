// What makes a LiFePO4 pack differ from a lead-acid one: voltage, charging, cold, and how each grows old.
import { clamp } from './random.js';

/** A curve of points (x, y), with x rising. */
type Curve = readonly (readonly [x: number, y: number])[];

export interface Chemistry {
  /** Volts of a cell at rest by its state of charge. */
  readonly openCircuit: Curve;
  /** Volts of a cell at which discharging ends, and which charging does not go above. */
  readonly leastV: number;
  readonly mostV: number;
  /** Share of the current for charging that this warmth allows, and the state of charge. */
  chargeByWarmth(celsius: number): number;
  chargeBySoc(soc: number): number;
  /** Share of what is put in that stays: gas takes the rest. */
  keptOfCharge(soc: number): number;
  /** State of charge below which nothing comes out at this warmth, %. */
  frozenSoc(celsius: number): number;
  /** Share of the capacity that leaks away in a day. */
  readonly selfDischargePerDay: number;
}

/** Rest voltages as data sheets of 3.2 V cells show them. */
const LFP_REST: Curve = [
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

/** Rest voltages of a flooded cell of 1.24 kg/L, straight between empty and full as the acid's density is. */
const LEAD_REST: Curve = [
  [0, 1.95],
  [100, 2.12],
];

export const CHEMISTRIES: Readonly<Record<'lfp' | 'lead', Chemistry>> = {
  lfp: {
    openCircuit: LFP_REST,
    leastV: 2.5,
    mostV: 3.6,
    // No charge below 0 °C (lithium plates), all of it from 10 °C on.
    chargeByWarmth: (celsius) => (celsius > 55 ? 0 : clamp(celsius / 10, 0, 1)),
    chargeBySoc: (soc) => clamp((100 - soc) / 5, 0.02, 1),
    keptOfCharge: () => 1,
    frozenSoc: () => 0,
    selfDischargePerDay: 0.001,
  },
  lead: {
    openCircuit: LEAD_REST,
    leastV: 1.75,
    mostV: 2.4,
    chargeByWarmth: (celsius) => (celsius > 50 ? 0 : clamp((celsius + 30) / 40, 0.2, 1)),
    // Bulk to 80 %, then the current of absorption falls off.
    chargeBySoc: (soc) => clamp((100 - soc) / 20, 0.02, 1),
    // Near full more and more of the current makes gas (J. Copetti and others, Progress in PV 1 (1993) 283).
    keptOfCharge: (soc) => 1 - 0.35 * clamp((soc - 80) / 20, 0, 1) ** 2,
    // Capacity at the ten-hour rate falls by about 0.8 % for each kelvin below 25 °C.
    frozenSoc: (celsius) => clamp(0.8 * (25 - celsius), 0, 60),
    selfDischargePerDay: 0.0013,
  },
};

/** Value of a curve, straight between its points and flat outside. */
export function along(curve: Curve, x: number): number {
  let [lowX, lowY] = curve[0] ?? [0, 0];
  for (const [highX, highY] of curve) {
    if (x <= highX) return highX === lowX ? highY : lowY + clamp((x - lowX) / (highX - lowX), 0, 1) * (highY - lowY);
    lowX = highX;
    lowY = highY;
  }
  return lowY;
}

/** Shares of the capacity that lying around and working have taken. */
export interface Ageing {
  readonly byTime: number;
  readonly byUse: number;
}

export const NEW_PACK: Ageing = { byTime: 0, byUse: 0 };

/** What a step did to the pack. */
export interface Wear {
  readonly celsius: number;
  /** State of charge, 0 to 1. */
  readonly charge: number;
  /** Full cycles of this step, and its current as a share of the capacity in an hour. */
  readonly cycles: number;
  readonly cRate: number;
  readonly charging: boolean;
  readonly dtS: number;
}

const GAS_CONSTANT = 8.314;
const REFERENCE_K = 298.15;
const YEAR_S = 31_557_600;
/** Capacity lost to plated lithium in a full charge below freezing. */
const PLATED_PER_CYCLE = 0.002;

export const AGEING: Readonly<Record<'lfp' | 'lead', (age: Ageing, wear: Wear) => Ageing>> = {
  lfp: ageLfp,
  lead: ageLead,
};

/**
 * Both losses grow with a root, of time and of full cycles: M. Naumann and others, J. Energy Storage 17 (2018) 153, and
 * J. Power Sources 451 (2020) 227666, for a commercial LiFePO4/graphite cell. Charging below 0 °C plates lithium on top.
 */
function ageLfp(age: Ageing, { celsius, charge, cycles, cRate, charging, dtS }: Wear): Ageing {
  const warmth = Math.exp((-17_126 / GAS_CONSTANT) * (1 / (celsius + 273.15) - 1 / REFERENCE_K));
  const byTime = 1.2571e-5 * warmth * (2.8575 * (charge - 0.5) ** 3 + 0.60225);
  const byUse = 0.01 * (0.063 * cRate + 0.0971);
  const plated = charging && celsius < 0 ? PLATED_PER_CYCLE * cycles : 0;
  return { byTime: rootStep(age.byTime, byTime, dtS), byUse: rootStep(age.byUse, byUse, cycles) + plated };
}

/**
 * A fifth is gone after ten years at 20 °C, in half the time for each 10 K more, or after 1200 full cycles; low charge wears
 * more, as sulphate grows (the weights of J. Schiffer and others, J. Power Sources 168 (2007) 66, in short).
 */
function ageLead(age: Ageing, { celsius, charge, cycles, dtS }: Wear): Ageing {
  const byTime = (0.2 / (10 * YEAR_S)) * 2 ** ((celsius - 20) / 10) * dtS;
  const byUse = (0.2 / 1200) * (1 + 2 * (1 - charge) ** 2) * cycles;
  return { byTime: age.byTime + byTime, byUse: age.byUse + byUse };
}

/** Goes on along `rate × √x` from wherever it stands. */
function rootStep(lost: number, rate: number, dx: number): number {
  return Math.sqrt(lost * lost + rate * rate * dx);
}
