// Yields and performance ratio after IEC 61724-1: energy per installed kilowatt, so that plants of any size compare, and
// against the sun that there was. A figure whose inputs are not known is null, never zero.

/** What a plant did in one period. Energies in Wh; null where not measured. */
export interface YieldInput {
  /** Nominal power of the array under standard test conditions, W. */
  readonly capacityW: number;
  /** From the array, before the inverter (DC). */
  readonly arrayEnergyWh: number | null;
  /** Delivered by the inverter (AC). */
  readonly finalEnergyWh: number | null;
  /** Irradiation on the plane of the array, Wh/m². */
  readonly irradiationWhM2: number | null;
}

/** All in hours of full power (kWh per kW), but for the ratio. */
export interface Yields {
  /** Y_A */
  readonly arrayYieldH: number | null;
  /** Y_f */
  readonly finalYieldH: number | null;
  /** Y_r: hours at 1 kW/m² that would give the same irradiation. */
  readonly referenceYieldH: number | null;
  /** L_c = Y_r − Y_A: heat, dirt, shade, curtailment. */
  readonly captureLossH: number | null;
  /** L_BOS = Y_A − Y_f: inverter and wiring. */
  readonly systemLossH: number | null;
  /** PR = Y_f / Y_r. On a post with a battery only over periods without curtailment, see `performanceRatio`. */
  readonly performanceRatio: number | null;
}

/** Irradiance of the standard test conditions, W/m². */
const REFERENCE_IRRADIANCE = 1000;

function ratio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || !(whole > 0) ? null : part / whole;
}

function difference(left: number | null, right: number | null): number | null {
  return left === null || right === null ? null : left - right;
}

/** Yields and losses of one period. Without a capacity, or without sun, what would divide by zero is null. */
export function yieldsOf(input: YieldInput): Yields {
  const arrayYieldH = ratio(input.arrayEnergyWh, input.capacityW);
  const finalYieldH = ratio(input.finalEnergyWh, input.capacityW);
  const referenceYieldH = ratio(input.irradiationWhM2, REFERENCE_IRRADIANCE);
  return {
    arrayYieldH,
    finalYieldH,
    referenceYieldH,
    captureLossH: difference(referenceYieldH, arrayYieldH),
    systemLossH: difference(arrayYieldH, finalYieldH),
    performanceRatio: ratio(finalYieldH, referenceYieldH),
  };
}

/** Energy over what the plant would give at nominal power all the time. */
export function capacityFactor(finalEnergyWh: number | null, capacityW: number, durationMs: number): number | null {
  return ratio(finalEnergyWh, (capacityW * durationMs) / 3_600_000);
}

/** One short period of a plant. */
export interface YieldInterval {
  readonly finalEnergyWh: number | null;
  readonly irradiationWhM2: number | null;
  /** Held back because nobody could take the power (battery full, frequency shifted); null where that is not known. */
  readonly curtailed: boolean | null;
  /** Mean cell temperature, for the corrected ratio. */
  readonly cellTemperatureC?: number | null;
}

export interface PerformanceRatio {
  /** null where too little of the sun can be judged. */
  readonly ratio: number | null;
  /** The share of the known irradiation that the ratio rests on. */
  readonly coverage: number;
}

/** Less than this share of the sun says more about the chosen hours than about the plant. */
export const RATIO_COVERAGE_MIN = 0.75;

/** How an array's power goes with the temperature of its cells. */
export interface TemperatureModel {
  /** Per kelvin, negative: −0.004 for crystalline silicon. */
  readonly perKelvin: number;
  /** Of the reference: 25 °C, or the plant's own irradiance-weighted mean, which takes out the season alone. */
  readonly referenceC: number;
}

/**
 * Performance ratio over the intervals that can be judged: measured, and known not to be curtailed. A full battery holds the
 * array back; counting that time would blame the plant for sunshine that nobody needed.
 * @param temperature corrects for the cells' temperature (IEC 61724-1, temperature-corrected PR); intervals without one fall out
 */
export function performanceRatio(
  intervals: readonly YieldInterval[],
  capacityW: number,
  temperature?: TemperatureModel,
): PerformanceRatio {
  let energyWh = 0;
  let expectedWh = 0;
  let judged = 0;
  let known = 0;
  for (const { finalEnergyWh, irradiationWhM2, curtailed, cellTemperatureC } of intervals) {
    if (irradiationWhM2 === null) continue;
    if (curtailed !== true) known += irradiationWhM2;
    if (finalEnergyWh === null || curtailed !== false) continue;
    const cellC = cellTemperatureC ?? null;
    if (temperature !== undefined && cellC === null) continue;
    const correction =
      temperature === undefined || cellC === null ? 1 : 1 + temperature.perKelvin * (cellC - temperature.referenceC);
    energyWh += finalEnergyWh;
    judged += irradiationWhM2;
    expectedWh += (capacityW * irradiationWhM2 * correction) / REFERENCE_IRRADIANCE;
  }
  const coverage = known > 0 ? judged / known : 0;
  return { ratio: coverage < RATIO_COVERAGE_MIN ? null : ratio(energyWh, expectedWh), coverage };
}
