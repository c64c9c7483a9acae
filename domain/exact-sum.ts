// Sums and differences of register readings without the dust of binary fractions: 0.1 + 0.2 is 0.3 kWh on every meter.

/** Finer than any register; beyond it a reading is a float that was never a decimal. */
const DECIMALS_MAX = 9;
const POWERS = Array.from({ length: DECIMALS_MAX + 1 }, (_, decimals) => 10 ** decimals);

/** Fewest decimals that write the value; `undefined` where more than nine would be needed. */
function decimalsOf(value: number): number | undefined {
  const decimals = POWERS.findIndex((power) => Math.round(value * power) / power === value);
  return decimals < 0 ? undefined : decimals;
}

/**
 * The sum, exact where all values are decimals and their sum in the finest of these stays a safe integer; else as floating point
 * gives it.
 */
export function exactSum(values: readonly number[]): number {
  let finest = 0;
  for (const value of values) {
    const decimals = decimalsOf(value);
    if (decimals === undefined) return plainSum(values);
    finest = Math.max(finest, decimals);
  }
  const power = POWERS[finest] ?? 1;
  let scaled = 0;
  for (const value of values) scaled += Math.round(value * power);
  return Number.isSafeInteger(scaled) ? scaled / power : plainSum(values);
}

function plainSum(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
