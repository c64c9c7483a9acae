// Units of the product, and the exact way from a device's unit to ours.

/** The units a metric can have. `1` is a pure number. */
export const UNITS = [
  'W',
  'Wh',
  'V',
  'A',
  'Hz',
  'VA',
  'var',
  '%',
  '°C',
  'm³',
  'm³/h',
  'm',
  'm/s',
  'kPa',
  'W/m²',
  's',
  '1/min',
  'Ah',
  '1',
] as const;
export type Unit = (typeof UNITS)[number];

/** A factor as a fraction of integers, so that 3 × 0.1 gives 0.3 and not 0.30000000000000004. */
export interface Rational {
  readonly numerator: number;
  readonly denominator: number;
}

interface DeviceUnitFact extends Rational {
  readonly unit: Unit;
}

const whole = (unit: Unit, numerator = 1, denominator = 1): DeviceUnitFact => ({ unit, numerator, denominator });

/** Every unit that a device's manual may use, with its factor to ours. */
export const DEVICE_UNITS = {
  W: whole('W'),
  kW: whole('W', 1000),
  MW: whole('W', 1_000_000),
  Wh: whole('Wh'),
  kWh: whole('Wh', 1000),
  MWh: whole('Wh', 1_000_000),
  J: whole('Wh', 1, 3600),
  V: whole('V'),
  mV: whole('V', 1, 1000),
  A: whole('A'),
  mA: whole('A', 1, 1000),
  Hz: whole('Hz'),
  VA: whole('VA'),
  kVA: whole('VA', 1000),
  var: whole('var'),
  kvar: whole('var', 1000),
  '%': whole('%'),
  '‰': whole('%', 1, 10),
  '°C': whole('°C'),
  'm³': whole('m³'),
  L: whole('m³', 1, 1000),
  hL: whole('m³', 1, 10),
  'm³/h': whole('m³/h'),
  'm³/s': whole('m³/h', 3600),
  'L/s': whole('m³/h', 36, 10),
  'L/min': whole('m³/h', 6, 100),
  'L/h': whole('m³/h', 1, 1000),
  m: whole('m'),
  cm: whole('m', 1, 100),
  mm: whole('m', 1, 1000),
  kPa: whole('kPa'),
  Pa: whole('kPa', 1, 1000),
  bar: whole('kPa', 100),
  mbar: whole('kPa', 1, 10),
  MPa: whole('kPa', 1000),
  'W/m²': whole('W/m²'),
  s: whole('s'),
  min: whole('s', 60),
  h: whole('s', 3600),
  'm/s': whole('m/s'),
  '1/min': whole('1/min'),
  Ah: whole('Ah'),
  '1': whole('1'),
} as const satisfies Record<string, DeviceUnitFact>;
export type DeviceUnit = keyof typeof DEVICE_UNITS;

/**
 * The fraction that a decimal number was written as: 0.1 → 1/10, 2.5e-3 → 25/10000.
 * Exact for every decimal of up to 15 digits, which covers all scales seen in manuals.
 */
export function rationalOf(decimal: number): Rational {
  const [mantissa = '0', exponentText = '0'] = decimal.toExponential().split('e');
  const [integer = '0', fraction = ''] = mantissa.split('.');
  const exponent = Number(exponentText) - fraction.length;
  const digits = Number(integer + fraction);
  return exponent >= 0
    ? { numerator: digits * 10 ** exponent, denominator: 1 }
    : { numerator: digits, denominator: 10 ** -exponent };
}

/** `value × factor`, with one rounding at the most when all three are integers below 2^53. */
export function scaleBy(value: number, factor: Rational): number {
  return (value * factor.numerator) / factor.denominator;
}
