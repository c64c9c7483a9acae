// Rollups in SQLite, in blocks that one refresh rewrites cheaply: quarters by the day, days by the month, the rest by the year.
import { ROLLUP_SPANS, type RollupSpan, type WindowRollup } from '#domain/series-rollup.js';
import type { RollupPatch } from '../../rollup/rebuild.js';
import { isIntact } from '../block/frame.js';
import { decodeRollups, encodeRollups, type RollupBlock } from '../block/rollup-block.js';
import type { SqliteDatabase } from '../sqlite.js';
import type { Damage } from './damage.js';

export const ROLLUP_SCHEMA = 'CREATE TABLE IF NOT EXISTS rollups (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);';

const DAY_MS = 86_400_000;
const FIRST_YEAR = 2000;
const FIRST_DAY = Date.UTC(FIRST_YEAR, 0) / DAY_MS;
/** More than the days until 2200. */
const PERIODS = 2 ** 17;

export class RollupTable {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #damage: Damage;

  constructor(database: SqliteDatabase, damage: Damage) {
    this.#statements = prepareStatements(database);
    this.#damage = damage;
  }

  /** Blocks that together hold the windows with from ≤ start < to, by time, and perhaps some around them. */
  read(series: number, span: RollupSpan, from: number, to: number): RollupBlock[] {
    if (to <= from) return [];
    return this.#statements.range
      .all(keyOf(series, span, from), keyOf(series, span, to - 1))
      .filter(({ bytes, key }) => this.#isIntact(key, bytes));
  }

  #isIntact(key: number, bytes: Uint8Array): boolean {
    const intact = isIntact(bytes, key);
    if (!intact) this.#damage.found('rollup', key);
    return intact;
  }

  /** Needs a transaction around it. */
  save({ from, series, span, to, windows }: RollupPatch<number>): void {
    const byKey = new Map<number, WindowRollup[]>();
    if (to > from)
      for (const { key, bytes } of this.#statements.range.all(keyOf(series, span, from), keyOf(series, span, to - 1)))
        byKey.set(key, isDayWithin(key, span, from, to) ? [] : this.#around(key, bytes, from, to));
    for (const window of windows) {
      const key = keyOf(series, span, window.from);
      const ofKey = byKey.get(key);
      if (ofKey === undefined) byKey.set(key, [window]);
      else ofKey.push(window);
    }
    for (const [key, ofKey] of byKey) {
      ofKey.sort((a, b) => a.from - b.from);
      if (ofKey.length === 0) this.#statements.remove.run(key);
      else this.#statements.put.run(key, encodeRollups(ofKey, key));
    }
  }

  /** The windows of a block that are not replaced. */
  #around(key: number, bytes: Uint8Array, from: number, to: number): WindowRollup[] {
    if (!this.#isIntact(key, bytes)) return [];
    return decodeRollups(bytes, key).filter((window) => window.from < from || window.from >= to);
  }

  /** Removes the quarters of these series whose days end before `cut`, epoch ms. Gives how many blocks went. */
  pruneQuarters(series: Iterable<number>, cut: number): number {
    let pruned = 0;
    for (const one of series)
      pruned += this.#statements.prune.run(
        keyOf(one, 'quarter', FIRST_DAY * DAY_MS),
        keyOf(one, 'quarter', cut),
      ).changes;
    return pruned;
  }
}

function keyOf(series: number, span: RollupSpan, at: number): number {
  return (series * ROLLUP_SPANS.length + ROLLUP_SPANS.indexOf(span)) * PERIODS + periodOf(span, at);
}

/** True where nothing of the block stays. */
function isDayWithin(key: number, span: RollupSpan, from: number, to: number): boolean {
  const day = (FIRST_DAY + (key % PERIODS)) * DAY_MS;
  return span === 'quarter' && from <= day && day + DAY_MS <= to;
}

/** Before and after the years of points there are no rollups: the first and the last period stand for all of them. */
function periodOf(span: RollupSpan, at: number): number {
  const day = Math.min(Math.max(Math.floor(at / DAY_MS) - FIRST_DAY, 0), PERIODS - 1);
  if (span === 'quarter') return day;
  const date = new Date((FIRST_DAY + day) * DAY_MS);
  const years = date.getUTCFullYear() - FIRST_YEAR;
  return span === 'day' ? years * 12 + date.getUTCMonth() : years;
}

function prepareStatements(database: SqliteDatabase) {
  return {
    range: database.prepare<[number, number], RollupBlock>(
      'SELECT key, bytes FROM rollups WHERE key >= ? AND key <= ? ORDER BY key',
    ),
    put: database.prepare<[number, Uint8Array]>(
      'INSERT INTO rollups (key, bytes) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes',
    ),
    remove: database.prepare<[number]>('DELETE FROM rollups WHERE key = ?'),
    prune: database.prepare<[number, number]>('DELETE FROM rollups WHERE key >= ? AND key < ?'),
  };
}
