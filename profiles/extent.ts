// Where a register's words lie, and what a profile looks like for one variant.
import type { Profile, Register, Table } from './profile.js';

const FIXED_WORDS: Readonly<Partial<Record<Register['type'], number>>> = {
  u16: 1,
  s16: 1,
  u32: 2,
  s32: 2,
  f32: 2,
  u64: 4,
  s64: 4,
  f64: 4,
  bit: 1,
};

/** Words of the value itself; a high word that is kept apart is not counted. */
export function wordCountOf(register: {
  readonly type: Register['type'];
  readonly words?: number | undefined;
}): number {
  return FIXED_WORDS[register.type] ?? register.words ?? (register.type === 'clock' ? 3 : 1);
}

/** True for types whose number of words follows from the type. */
export function hasFixedWords(type: Register['type']): boolean {
  return FIXED_WORDS[type] !== undefined;
}

/** Every wire address that a register's words occupy, in the order in which the profile names them. */
export function addressesOf(register: Register): readonly number[] {
  const own = register.moreWordsAt
    ? [register.at, ...register.moreWordsAt]
    : Array.from({ length: wordCountOf(register) }, (_, index) => register.at + index);
  return register.highWordAt === undefined ? own : [...own, register.highWordAt];
}

/** The data model that a register or a condition is in. */
export function tableOf(profile: Profile, entry: { readonly table?: Table | undefined }): Table {
  return entry.table ?? profile.protocol.table;
}

/** A register with its place in the file, as a JSON pointer. */
export interface Placed {
  readonly register: Register;
  readonly path: string;
}

/** A profile's registers with a variant's differences applied, if one is named; sorted by table and address. */
export function placedRegisters(profile: Profile, variant?: string): readonly Placed[] {
  const base = profile.registers.map((register, index) => ({ register, path: `/registers/${index}` }));
  const position = (profile.variants ?? []).findIndex(({ name }) => name === variant);
  const found = profile.variants?.[position];
  if (!found) return base;
  const gone = new Set(found.without ?? []);
  for (const { metric, name } of found.replace ?? [])
    for (const key of [metric, name]) if (key !== undefined) gone.add(key);
  const kept = base.filter(({ register }) => !gone.has(register.metric ?? '') && !gone.has(register.name ?? ''));
  const added = (found.replace ?? []).map((register, index) => ({
    register,
    path: `/variants/${position}/replace/${index}`,
  }));
  return [...kept, ...added].sort((left, right) => compareRegisters(profile, left.register, right.register));
}

/** The order in which registers stand in a file: by table, then by address. */
export function compareRegisters(profile: Profile, left: Register, right: Register): number {
  return tableOf(profile, left).localeCompare(tableOf(profile, right)) || left.at - right.at;
}

/** Every metric that a profile (or one variant of it) offers, once, in the order of its registers. */
export function metricsOf(profile: Profile, variant?: string): readonly string[] {
  const without = new Set(profile.variants?.find(({ name }) => name === variant)?.without ?? []);
  const own = placedRegisters(profile, variant).flatMap(({ register }) => register.metric ?? []);
  const derived = (profile.derived ?? []).map(({ metric }) => metric).filter((metric) => !without.has(metric));
  return [...new Set([...own, ...derived])];
}
