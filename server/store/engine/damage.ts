// What is not as it was written: counted once each, and its bytes kept apart before something else takes their place.
import type { SqliteDatabase } from '../sqlite.js';

export const DAMAGE_SCHEMA =
  'CREATE TABLE IF NOT EXISTS damaged (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key INTEGER NOT NULL, bytes BLOB);';

export type DamageKind = 'block' | 'record' | 'rollup';

export class Damage {
  readonly #found: Readonly<Record<DamageKind, Set<number>>> = {
    block: new Set(),
    record: new Set(),
    rollup: new Set(),
  };
  readonly #keepApart;

  constructor(database: SqliteDatabase) {
    this.#keepApart = database.prepare<[string, number, Uint8Array]>(
      'INSERT INTO damaged (kind, key, bytes) VALUES (?, ?, ?)',
    );
  }

  /** However often it is met. */
  found(kind: DamageKind, key: number): void {
    this.#found[kind].add(key);
  }

  keepApart(kind: DamageKind, key: number, bytes: Uint8Array): void {
    this.#keepApart.run(kind, key, bytes);
  }

  counters(): Readonly<Record<string, number>> {
    const { block, record, rollup } = this.#found;
    return {
      storeBlocksDamaged: block.size,
      storeRecordsDamaged: record.size,
      storeRollupBlocksDamaged: rollup.size,
    };
  }
}
