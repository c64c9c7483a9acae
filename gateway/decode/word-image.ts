// What one poll brought: words by address, each with the request that brought it, or why there is none.
import type { Reason } from '#domain/quality.js';
import { TABLES, type Table } from '#profiles/profile.js';

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

export function createWordImage(): WordImage {
  const cells = new Map<number, FetchedWord | Reason>();
  const keyOf = (table: Table, address: number) => TABLES.indexOf(table) * 65_536 + address;
  let request = 0;
  return {
    at: (table, address) => cells.get(keyOf(table, address)),
    put(table, start, words, same) {
      if (same === undefined) request += 1;
      words.forEach((word, index) => {
        cells.set(keyOf(table, start + index), { word, request });
      });
    },
    fail(table, start, count, reason) {
      for (let index = 0; index < count; index += 1) cells.set(keyOf(table, start + index), reason);
    },
  };
}
