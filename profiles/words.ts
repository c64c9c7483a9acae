// Which words a register of codes or bits can come out as.
import type { Register } from './profile.js';

/** The listed words of an `enum`, `bits` or `bit` register, without those of unlisted codes. */
export function listedWordsOf(register: Register): ReadonlySet<string> {
  if (register.type === 'bits') return new Set(['none', ...Object.values(register.bits ?? {})]);
  if (register.type === 'bit' && register.states === undefined) return new Set(['off', 'on']);
  return new Set(Object.values(register.states ?? {}));
}

/** Words of unlisted codes: `bit7`, or the register's prefix and a number. */
export function isUnlistedWord(register: Register, word: string): boolean {
  const prefix = register.type === 'bits' ? 'bit' : register.prefix;
  return prefix !== undefined && word.startsWith(prefix) && /^\d+$/.test(word.slice(prefix.length));
}

/** The words in a value: several for bits, one otherwise. */
export function wordsIn(register: Register, value: string): string[] {
  return register.type === 'bits' ? value.split(' ') : [value];
}
