// All the registers of one simulated device, made from its profile and the values of its metrics.
import { addressesOf, placedRegisters, tableOf, wordCountOf } from '#profiles/extent.js';
import type { Condition, Derived, Profile, Register, Table } from '#profiles/profile.js';
import { type EncodingDefaults, encodeRaw, encodeRegister, type MetricValue, toDeviceUnit } from './encoder.js';

type WordOrder = 'big' | 'little';

/** Value of a metric, or `undefined` where this device's world knows nothing of it. */
export type MetricSource = (metric: string) => MetricValue | undefined;

/** Words by address, for each data model. */
export type RegisterImage = Readonly<Record<Table, ReadonlyMap<number, number>>>;

export interface ImageOptions {
  /** Name of the variant of firmware or size that this device is. */
  readonly variant?: string;
  /** Raw numbers of registers that only have a name (units, exponents, serial words). */
  readonly named?: Readonly<Record<string, number>>;
  /** The device stores 32-bit values with their words the wrong way round. */
  readonly swapWords?: boolean;
}

/** Every address that the device knows, for each data model. */
export function addressesIn(profile: Profile, variant?: string): Readonly<Record<Table, ReadonlySet<number>>> {
  const known = {
    holding: new Set<number>(),
    input: new Set<number>(),
    coil: new Set<number>(),
    discrete: new Set<number>(),
  };
  for (const { register } of placedRegisters(profile, variant))
    for (const address of addressesOf(register)) known[tableOf(profile, register)].add(address);
  for (const condition of conditionsOf(profile, variant))
    for (const address of addressesOf(registerOf(condition))) known[tableOf(profile, condition)].add(address);
  return known;
}

/** Makes the register image of this moment. Pure: the same values give the same words. */
export function imageOf(profile: Profile, values: MetricSource, options: ImageOptions = {}): RegisterImage {
  const registers = placedRegisters(profile, options.variant).map(({ register }) => register);
  const image = {
    holding: new Map<number, number>(),
    input: new Map<number, number>(),
    coil: new Map<number, number>(),
    discrete: new Map<number, number>(),
  };
  const defaults = { order: profile.protocol.order as WordOrder, swapWords: options.swapWords === true };
  const named = namedValues(profile, registers, values, options);
  const exponents = new Map<string, number>();
  for (const register of registers)
    if (register.scaleFrom !== undefined) {
      const wanted = exponentFor(register, valueFor(register, values, named));
      exponents.set(register.scaleFrom, Math.max(wanted, exponents.get(register.scaleFrom) ?? wanted));
    }

  for (const register of registers) {
    const table = image[tableOf(profile, register)];
    const raw =
      register.name === undefined ? undefined : (options.named?.[register.name] ?? exponents.get(register.name));
    const words =
      raw === undefined
        ? encodeRegister(
            register,
            valueFor(register, values, named),
            defaults,
            exponents.get(register.scaleFrom ?? '') ?? 0,
          )
        : encodeRaw(register, raw, defaults);
    for (const { at, word } of words) table.set(at, word);
  }
  for (const condition of conditionsOf(profile, options.variant))
    satisfy(condition, image[tableOf(profile, condition)], defaults);
  for (const variant of profile.variants ?? [])
    if (variant.name !== options.variant)
      avoid(variant.when, profile, image[tableOf(profile, variant.when)], options, defaults);
  return image;
}

/** Numbers that a device may give instead of one that would name another variant. */
const OTHER_NUMBERS = 16;

/** Changes what would make the device look like a variant that it is not, without breaking what it must be. */
function avoid(
  other: Condition,
  profile: Profile,
  table: Map<number, number>,
  options: ImageOptions,
  defaults: EncodingDefaults,
): void {
  const register = registerOf(other);
  if (!meets(other, readRaw(table, register, defaults.order))) return;
  const here = (condition: Condition): boolean =>
    condition.at === other.at && tableOf(profile, condition) === tableOf(profile, other);
  const wanted = conditionsOf(profile, options.variant).filter(here);
  // A variant may be told from another place than where it has to look different.
  if (profile.variants?.some(({ name, when }) => name === options.variant && here(when))) return;
  const unwanted = (profile.variants ?? []).map(({ when }) => when).filter(here);
  const from = wanted.find(({ min }) => min !== undefined)?.min ?? 0;
  const candidates = [
    ...wanted.flatMap(({ oneOf }) => (oneOf ?? []).filter((one) => typeof one === 'number')),
    ...Array.from({ length: OTHER_NUMBERS }, (_, index) => from + index),
  ];
  const fit = candidates.find(
    (raw) => wanted.every((condition) => meets(condition, raw)) && !unwanted.some((condition) => meets(condition, raw)),
  );
  if (fit === undefined) return;
  for (const { at, word } of encodeRaw(register, fit, defaults)) table.set(at, word);
}

/** Writes what the condition asks for, where the words do not meet it yet. */
function satisfy(condition: Condition, table: Map<number, number>, defaults: EncodingDefaults): void {
  const register = registerOf(condition);
  if (meets(condition, readRaw(table, register, defaults.order))) return;
  const wanted = condition.oneOf?.[0] ?? condition.min ?? 0;
  const words =
    typeof wanted === 'string' ? encodeRegister(register, wanted, defaults) : encodeRaw(register, wanted, defaults);
  for (const { at, word } of words) table.set(at, word);
}

function registerOf({ at, type, words, order }: Condition): Register {
  return {
    at,
    type: type ?? 'u16',
    ...(words === undefined ? {} : { words }),
    ...(order === undefined ? {} : { order }),
  } as Register;
}

/** What a device of this model and variant must answer to be recognised. */
function conditionsOf(profile: Profile, variant?: string): readonly Condition[] {
  const own = profile.variants?.find(({ name }) => name === variant)?.when;
  return [...(profile.identify ?? []), ...(own ? [own] : [])];
}

function meets(condition: Condition, raw: number): boolean {
  if (condition.oneOf && !condition.oneOf.includes(raw)) return false;
  return (condition.min === undefined || raw >= condition.min) && (condition.max === undefined || raw <= condition.max);
}

function readRaw(table: ReadonlyMap<number, number>, register: Register, order: WordOrder): number {
  const words = Array.from({ length: wordCountOf(register) }, (_, index) => table.get(register.at + index) ?? 0);
  return rawOf(register, (register.order ?? order) === 'little' ? words.reverse() : words);
}

/** The number that words hold, most significant first: without sign, scale or unit. */
export function rawOf(register: Pick<Register, 'type'>, words: readonly number[]): number {
  if (register.type !== 'f32' && register.type !== 'f64')
    return words.reduce((value, word) => value * 65_536 + word, 0);
  const view = new DataView(new ArrayBuffer(8));
  words.forEach((word, index) => {
    view.setUint16(index * 2, word);
  });
  return register.type === 'f32' ? view.getFloat32(0) : view.getFloat64(0);
}

/**
 * A power of ten that keeps a few digits of such a quantity, and moves up when the value outgrows the register: of registers
 * that share it the largest decides.
 */
function exponentFor(register: Register, value: MetricValue): number {
  const fine = register.unit === 'Hz' || register.unit === 'A' ? -2 : 0;
  const usual = register.unit === 'V' || register.unit === '°C' || register.unit === '%' ? -1 : fine;
  if (typeof value !== 'number') return usual;
  // One short of the end, where sentinels live.
  const most =
    (register.type.startsWith('s') ? 2 ** (16 * wordCountOf(register) - 1) : 2 ** (16 * wordCountOf(register))) - 2;
  const size = Math.abs(toDeviceUnit(register, value) / (register.scale ?? 1));
  let exponent = usual;
  while (size / 10 ** exponent > most && exponent < 10) exponent += 1;
  return exponent;
}

function valueFor(register: Register, values: MetricSource, named: ReadonlyMap<string, MetricValue>): MetricValue {
  const byName = register.name === undefined ? undefined : named.get(register.name);
  if (byName !== undefined) return byName;
  if (register.metric === undefined) return 0;
  return values(register.metric) ?? null;
}

/** Values of the named parts that derived metrics are made of. */
function namedValues(
  profile: Profile,
  registers: readonly Register[],
  values: MetricSource,
  options: ImageOptions,
): ReadonlyMap<string, MetricValue> {
  const named = new Map<string, MetricValue>();
  for (const derived of profile.derived ?? []) {
    const total = values(derived.metric);
    if ('sumOf' in derived) splitSum(derived.sumOf, total, registers, values, named);
    else splitTotal(derived, total, options, named);
  }
  return named;
}

/** Parts with a metric of their own keep it; what is left of the sum goes to the first part without one. */
function splitSum(
  parts: readonly string[],
  total: MetricValue | undefined,
  registers: readonly Register[],
  values: MetricSource,
  named: Map<string, MetricValue>,
): void {
  const withMetric = (part: string) => registers.find(({ name }) => name === part)?.metric;
  const known = parts.map((part) => numberOr0(values(withMetric(part) ?? '')));
  const rest = numberOr0(total) - known.reduce((sum, value) => sum + value, 0);
  const open = parts.filter((part) => withMetric(part) === undefined && !named.has(part));
  open.forEach((part, index) => {
    named.set(part, typeof total === 'number' ? (index === 0 ? rest : 0) : null);
  });
}

type Totaliser = Exclude<Derived, { sumOf: string[] }>;

/** Integer and fraction of a totaliser, in the unit and with the multiplier that the device is set to. */
function splitTotal(
  derived: Totaliser,
  total: MetricValue | undefined,
  options: ImageOptions,
  named: Map<string, MetricValue>,
): void {
  const codes = Object.entries(derived.units ?? {});
  const setCode = derived.unitCode === undefined ? undefined : options.named?.[derived.unitCode];
  const code = setCode ?? Number(codes.find(([, unit]) => unit === 'm³' || unit === 'Wh')?.[0] ?? codes[0]?.[0] ?? 0);
  const unit = derived.unit ?? codes.find(([listed]) => Number(listed) === code)?.[1];
  const offset = derived.exponentOffset ?? 0;
  const exponent = (derived.exponent === undefined ? undefined : options.named?.[derived.exponent]) ?? -offset;
  if (derived.unitCode !== undefined && setCode === undefined) named.set(derived.unitCode, code);
  if (derived.exponent !== undefined) named.set(derived.exponent, exponent);
  if (typeof total !== 'number') {
    named.set(derived.integer, null);
    named.set(derived.fraction, null);
    return;
  }
  const multiplier = derived.exponent === undefined ? 1 : 10 ** (exponent + offset);
  const inUnit =
    toDeviceUnit({ at: 0, type: 'f64', ...(unit === undefined ? {} : { unit }) } as Register, total) / multiplier;
  // Nine decimals keep 7.3 from becoming 7 and 0.2999999999999998.
  const whole = Math.trunc(Number(inUnit.toFixed(9)));
  named.set(derived.integer, whole);
  named.set(derived.fraction, Number((inUnit - whole).toFixed(9)));
}

function numberOr0(value: MetricValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
