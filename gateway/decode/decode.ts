import { hasValue, type Reason } from '#domain/quality.js';
import { type Rational, rationalOf, scaleBy } from '#domain/quantity.js';
import type { Reading } from '#domain/reading.js';
import { placedRegisters, tableOf } from '#profiles/extent.js';
import type { Derived, Profile, Register } from '#profiles/profile.js';
import type { RegisterWords } from './codec.js';
import { type Decoded, decodeRegister, EXPONENT_MAX, impossibleFor, missing, rawNumberOf } from './decode-register.js';
import { factorOf, multiply, powerOfTen, scaleExactly, ZERO } from './units.js';
import { type WordImage, wordAddressesOf } from './word-image.js';

/** A profile with one variant's differences applied: what is read and decoded. */
export interface ResolvedProfile {
  readonly profile: Profile;
  readonly registers: readonly Register[];
  /** Those of them that others speak of, by name. */
  readonly named: ReadonlyMap<string, Register>;
  readonly derived: readonly Derived[];
}

export function resolveProfile(profile: Profile, variant?: string): ResolvedProfile {
  const without = new Set(profile.variants?.find(({ name }) => name === variant)?.without ?? []);
  const registers = placedRegisters(profile, variant).map(({ register }) => register);
  return {
    profile,
    registers,
    named: new Map(registers.flatMap((register) => (register.name === undefined ? [] : [[register.name, register]]))),
    derived: (profile.derived ?? []).filter(({ metric }) => !without.has(metric)),
  };
}

/**
 * Decodes what one poll brought. Only registers in `due` are looked at (all, where it is not given); a derived value is due
 * when one of its parts is. Order: registers as in the profile, then derived values.
 */
export function decodeReadings(
  resolved: ResolvedProfile,
  image: WordImage,
  at: number,
  due: ReadonlySet<Register> = new Set(resolved.registers),
): Reading[] {
  const decoding = createDecoding(resolved, image);
  const isDue = (register: Register | undefined) => register !== undefined && due.has(register);
  const readings: Reading[] = [];
  for (const register of resolved.registers) {
    if (register.metric === undefined || !isDue(register)) continue;
    const { value, reason } = decoding.decode(register);
    readings.push({ metric: register.metric, value, reason, at });
  }
  for (const value of resolved.derived)
    if (namesIn(value).some((name) => isDue(resolved.named.get(name))))
      readings.push({ metric: value.metric, ...decoding.derive(value), at });
  return readings;
}

/** Names of the registers that a derived value is made of. */
export function namesIn(derived: Derived): string[] {
  if ('sumOf' in derived) return derived.sumOf;
  return [derived.integer, derived.fraction, derived.exponent, derived.unitCode].filter((name) => name !== undefined);
}

interface Decoding {
  decode(register: Register): Decoded;
  derive(derived: Derived): Decoded;
}

/** The words of a register: all there, or why not. */
type Fetched = { readonly words: RegisterWords; readonly request: number } | { readonly reason: Reason };

export function fetchWords(profile: Profile, register: Register, image: WordImage): Fetched {
  const table = tableOf(profile, register);
  const { own, high } = wordAddressesOf(profile, register);
  const count = own.length + (high === undefined ? 0 : 1);
  const words = new Array<number>(count);
  let request: number | undefined;
  let torn = false;
  for (let i = 0; i < count; i += 1) {
    const cell = image.at(table, (own[i] ?? high) as number);
    if (cell === undefined) return { reason: 'incomplete' };
    if (typeof cell === 'string') return { reason: cell };
    torn ||= request !== undefined && request !== cell.request;
    request = cell.request;
    words[i] = cell.word;
  }
  // Words that two requests brought can stand on both sides of a carry.
  if (torn) return { reason: 'torn' };
  const highWord = high === undefined ? undefined : words.pop();
  return { words: highWord === undefined ? { own: words } : { own: words, high: highWord }, request: request ?? 0 };
}

function createDecoding({ profile, named }: ResolvedProfile, image: WordImage): Decoding {
  const decodeOne = (register: Register): Decoded => {
    const fetched = fetchWords(profile, register, image);
    if ('reason' in fetched) return missing(fetched.reason);
    const scale = register.scaleFrom === undefined ? undefined : named.get(register.scaleFrom);
    const order = register.order ?? profile.protocol.order;
    return decodeRegister(
      register,
      fetched.words,
      scale === undefined ? { order } : { order, exponent: decodeOne(scale) },
    );
  };
  const fetchNamed = (name: string) => {
    const register = named.get(name);
    return register && { register, fetched: fetchWords(profile, register, image) };
  };
  const parts: Parts = {
    value(name) {
      const register = named.get(name);
      return register === undefined ? missing('incomplete') : decodeOne(register);
    },
    raw(name) {
      const found = fetchNamed(name);
      if (found === undefined) return missing('incomplete');
      const { register, fetched } = found;
      if ('reason' in fetched) return missing(fetched.reason);
      const raw = rawNumberOf(register, fetched.words, register.order ?? profile.protocol.order);
      return raw === null ? missing('impossible') : { value: String(raw), reason: 'good' };
    },
    request(name) {
      const fetched = fetchNamed(name)?.fetched;
      return fetched && 'request' in fetched ? fetched.request : undefined;
    },
  };
  return {
    decode: decodeOne,
    derive(derived) {
      const decoded = 'sumOf' in derived ? sumOf(derived.sumOf.map(parts.value)) : totalOf(derived, parts);
      const judged = typeof decoded.value === 'number' && impossibleFor(derived.metric, decoded.value);
      return judged ? missing('impossible') : decoded;
    },
  };
}

/** Named registers, as a derived value needs them. */
interface Parts {
  value(name: string): Decoded;
  /** The raw number, for codes: whatever words the register has for it. */
  raw(name: string): Decoded;
  request(name: string): number | undefined;
}

/** The reason of a value that is made of these: the parts' own where they agree. */
function reasonOfParts(parts: readonly Decoded[]): Reason {
  const bad = parts.filter(({ reason }) => !hasValue(reason));
  if (bad.length > 0)
    return bad.length === parts.length && bad.every(({ reason }) => reason === bad[0]?.reason)
      ? (bad[0]?.reason ?? 'incomplete')
      : 'incomplete';
  return parts.find(({ reason }) => reason !== 'good')?.reason ?? 'good';
}

function sumOf(parts: readonly Decoded[]): Decoded {
  const reason = reasonOfParts(parts);
  if (!hasValue(reason)) return missing(reason);
  const sum = parts.reduce((total, { value }) => total + Number(value), 0);
  // The parts are decimals; what their sum has beyond twelve digits is noise of binary addition.
  return { value: Number(sum.toPrecision(12)), reason };
}

type Total = Exclude<Derived, { sumOf: string[] }>;

/** (integer + fraction) × 10^(exponent + offset), in the unit that the device says. */
function totalOf(derived: Total, parts: Parts): Decoded {
  const whole = parts.value(derived.integer);
  const fraction = parts.value(derived.fraction);
  const exponent = derived.exponent === undefined ? undefined : parts.value(derived.exponent);
  const code = derived.unitCode === undefined ? undefined : parts.raw(derived.unitCode);
  const reason = reasonOfParts([whole, fraction, ...(exponent ? [exponent] : []), ...(code ? [code] : [])]);
  if (!hasValue(reason)) return missing(reason);
  const share = Number(fraction.value);
  const together = parts.request(derived.integer) === parts.request(derived.fraction);
  if (!together || Math.abs(share) >= 1) return missing('torn');
  const unit = code === undefined ? derived.unit : derived.units?.[String(code.value)];
  if (unit === undefined) return missing('impossible');
  const power = Number(exponent?.value ?? 0) + (derived.exponentOffset ?? 0);
  if (!Number.isInteger(power) || Math.abs(power) > EXPONENT_MAX) return missing('impossible');
  return { value: totalFrom(Number(whole.value), share, multiply(powerOfTen(power), factorOf(unit))), reason };
}

function totalFrom(whole: number, share: number, factor: Rational): number {
  const exact = rationalOf(share);
  // A fraction with so many digits has no exact denominator, and beside the whole its last ones mean nothing.
  if (!Number.isSafeInteger(exact.denominator)) return scaleExactly(whole, factor, ZERO) + scaleBy(share, factor);
  return scaleExactly(whole, factor, multiply(exact, factor));
}
