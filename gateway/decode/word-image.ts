// What one poll brought: words by address, each with the request that brought it, or why there is none.
import type { Reason } from '#domain/quality.js';
import { wordCountOf } from '#profiles/extent.js';
import { type Profile, type Register, TABLES, type Table } from '#profiles/profile.js';

export interface FetchedWord {
  readonly word: number;
  /** Words of one request belong to one moment; words of two may not belong together. */
  readonly request: number;
}

export interface WordImage {
  /** The word, the reason why it is missing, or `undefined` where it was not asked for. */
  at(table: Table, address: number): FetchedWord | Reason | undefined;
  /** Words of one request. With `same`, of the one before: they belong to the same moment. */
  put(table: Table, start: number, words: readonly number[], same?: 'same'): void;
  /** A request that brought nothing. */
  fail(table: Table, start: number, count: number, reason: Reason): void;
}

/** How far apart two neighbouring words' addresses are: 2 where a device counts bytes. */
export function addressStepOf(profile: Profile): 1 | 2 {
  return profile.protocol.addressing === 'byte' ? 2 : 1;
}

export interface WordAddresses {
  readonly own: readonly number[];
  readonly high?: number;
}

/** Asked for with every value of every poll. */
const addresses: Record<1 | 2, WeakMap<Register, WordAddresses>> = { 1: new WeakMap(), 2: new WeakMap() };

/** Wire addresses of a register's own words, in the order in which the profile names them, and of its high word apart. */
export function wordAddressesOf(profile: Profile, register: Register): WordAddresses {
  const step = addressStepOf(profile);
  const known = addresses[step].get(register);
  if (known !== undefined) return known;
  const own = register.moreWordsAt
    ? [register.at, ...register.moreWordsAt]
    : Array.from({ length: wordCountOf(register) }, (_, index) => register.at + index * step);
  const found = { own, ...(register.highWordAt !== undefined && { high: register.highWordAt }) };
  addresses[step].set(register, found);
  return found;
}

/** @param step distance between the addresses of two neighbouring words */
export function createWordImage(step: 1 | 2 = 1): WordImage {
  const cells = new Map<number, FetchedWord | Reason>();
  const keyOf = (table: Table, address: number) => TABLES.indexOf(table) * 65_536 + address;
  let request = 0;
  return {
    at: (table, address) => cells.get(keyOf(table, address)),
    put(table, start, words, same) {
      if (same === undefined) request += 1;
      words.forEach((word, index) => {
        cells.set(keyOf(table, start + index * step), { word, request });
      });
    },
    fail(table, start, count, reason) {
      for (let index = 0; index < count; index += 1) cells.set(keyOf(table, start + index * step), reason);
    },
  };
}
