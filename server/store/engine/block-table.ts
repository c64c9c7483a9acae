// Sealed blocks in SQLite: which of them hold what, and what became of damaged ones.
import { decodeBlock, encodeBlock } from '../block/block.js';
import { BlockDamage } from '../block/bytes.js';
import { Columns } from '../block/columns.js';
import { isIntact } from '../block/frame.js';
import type { SqliteDatabase } from '../sqlite.js';
import type { Damage } from './damage.js';
import type { Heads } from './heads.js';
import {
  blockKey,
  seriesOfKey,
  startOf,
  WINDOWS_OF_DAY,
  WINDOWS_OF_SERIES,
  windowOf,
  windowOfKey,
} from './window-key.js';

/**
 * A block spans one window of two hours, or the twelve of a UTC day after compaction; its key is that of its first window.
 * `block_ages` finds the old ones.
 */
export const BLOCK_SCHEMA = `
  CREATE TABLE IF NOT EXISTS blocks (key INTEGER PRIMARY KEY, windows INTEGER NOT NULL, bytes BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS block_ages ON blocks (windows, key % ${WINDOWS_OF_SERIES});
`;

export interface BlockRow {
  readonly key: number;
  readonly windows: number;
  readonly bytes: Uint8Array;
}

const FIRST_LOOK = { windows: 1, start: -1, after: -1 };

export class BlockTable {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #damage: Damage;
  /** By series: the window behind its newest block. What comes later needs no look for a block to merge with. */
  readonly #ends: number[] = [];
  /** Blocks of so many windows, starting in this one, with keys behind that one are looked at next. */
  #look = FIRST_LOOK;

  constructor(database: SqliteDatabase, damage: Damage) {
    this.#statements = prepareStatements(database);
    this.#damage = damage;
  }

  /** Appends the blocks of a series that reach into from ≤ at < to. */
  read(series: number, from: number, to: number, into: Columns): void {
    const first = blockKey(series, windowOf(from));
    const start = this.#statements.greatest.get(blockKey(series, 0), first)?.key ?? first;
    for (const row of this.#statements.range.iterate(start, blockKey(series, windowOf(to - 1))))
      if (row.key >= first || isWithin(row, first)) this.#decode(row, into);
  }

  /** The start of the newest block of a series that begins before `to`; `undefined` where there is none. */
  newestBefore(series: number, to: number): number | undefined {
    const row = this.#statements.greatest.get(blockKey(series, 0), blockKey(series, windowOf(to - 1)));
    return row === undefined || row.key === null ? undefined : startOf(windowOfKey(row.key));
  }

  #decode(row: BlockRow, into: Columns): boolean {
    const { count } = into;
    try {
      decodeBlock(row.bytes, into, row.key);
      return true;
    } catch (error) {
      if (!(error instanceof BlockDamage)) throw error;
      into.count = count;
      this.#damage.found('block', row.key);
      return false;
    }
  }

  /**
   * Looks at up to so many blocks, from where it stopped the last time: for each that the index names, whether the table has it,
   * and whole. After the last one it begins again.
   */
  lookOver(max: number): { isDone: boolean; isLost: boolean } {
    let isLost = false;
    let left = max;
    while (left > 0) {
      const { after, start, windows } = this.#look;
      const keys = this.#statements.ofWindow.all(windows, start, after, left);
      left -= keys.length;
      for (const { key } of keys) isLost = !this.#isThere(key) || isLost;
      if (left === 0) {
        this.#look = { windows, start, after: keys.at(-1)?.key ?? after };
        break;
      }
      const next = this.#statements.nextWindow.get(windows, start);
      if (next !== undefined) this.#look = { windows, start: next.start, after: -1 };
      else if (windows === 1) this.#look = { windows: WINDOWS_OF_DAY, start: -1, after: -1 };
      else {
        this.#look = FIRST_LOOK;
        return { isDone: true, isLost };
      }
    }
    return { isDone: false, isLost };
  }

  /** False where the table has no such block; tells of one that is not whole as well. */
  #isThere(key: number): boolean {
    const row = this.#statements.whole.get(key);
    if (row === undefined || !isIntact(row.bytes, key)) this.#damage.found('block', key);
    return row !== undefined;
  }

  /** Merges heads into blocks, which needs a transaction around it. Gives how many blocks it wrote. */
  seal(heads: Heads): number {
    const points = new Columns(4096);
    let target: { readonly key: number; readonly windows: number } | undefined;
    let blocks = 0;
    const flush = (): void => {
      if (target === undefined) return;
      this.#put(target.key, target.windows, points.ordered());
      blocks += 1;
    };
    for (const head of heads.all()) {
      const key = blockKey(head.series, head.window);
      if (target === undefined || key >= target.key + target.windows) {
        flush();
        points.clear();
        const there = this.#find(head.series, head.window);
        target = there ?? { key, windows: 1 };
        if (there !== undefined) this.#open(there, points);
      }
      heads.copy(head, points);
    }
    flush();
    return blocks;
  }

  #find(series: number, window: number): BlockRow | undefined {
    let end = this.#ends[series];
    if (end === undefined) {
      const newest = this.#statements.greatest.get(blockKey(series, 0), blockKey(series, WINDOWS_OF_SERIES - 1))?.key;
      const row = newest === undefined || newest === null ? undefined : this.#statements.whole.get(newest);
      end = row === undefined ? 0 : windowOfKey(row.key) + row.windows;
      this.#ends[series] = end;
    }
    if (window >= end) return undefined;
    const key = blockKey(series, window);
    const row = this.#statements.covering.get(blockKey(series, 0), key);
    return row !== undefined && isWithin(row, key) ? row : undefined;
  }

  /** Appends the points of a block that is about to be replaced; one that cannot be read is kept apart. */
  #open(row: BlockRow, into: Columns): void {
    if (!this.#decode(row, into)) this.#damage.keepApart('block', row.key, row.bytes);
  }

  #put(key: number, windows: number, columns: Columns): void {
    this.#statements.put.run(key, windows, encodeBlock(columns, windows > 1, key));
    const series = seriesOfKey(key);
    const end = this.#ends[series];
    // Where it is not known yet, there may be newer blocks than this one.
    if (end !== undefined) this.#ends[series] = Math.max(end, windowOfKey(key) + windows);
  }

  /** Forgets what a transaction that came to nothing may have left in memory. */
  forget(): void {
    this.#ends.length = 0;
  }

  /**
   * Makes one block of the oldest day of which blocks are still apart, if it lies before `before`, epoch ms. Needs a transaction
   * around it. False where there is none.
   */
  compactOne(before: number): boolean {
    const day = Math.floor(windowOf(before) / WINDOWS_OF_DAY) * WINDOWS_OF_DAY;
    const oldest = this.#statements.oldestLoose.get(day)?.key;
    if (oldest === undefined) return false;
    const first = oldest - (windowOfKey(oldest) % WINDOWS_OF_DAY);
    const columns = new Columns(0);
    for (const row of this.#statements.range.all(first, first + WINDOWS_OF_DAY - 1)) {
      this.#open(row, columns);
      this.#statements.remove.run(row.key);
    }
    if (columns.count > 0) this.#put(first, WINDOWS_OF_DAY, columns.ordered());
    return true;
  }

  /** Removes up to so many blocks that end before `cut`, epoch ms. Gives how many went. */
  prune(cut: number, max: number): number {
    const window = windowOf(cut);
    const loose = this.#statements.prune.run(1, window, max).changes;
    return loose + this.#statements.prune.run(WINDOWS_OF_DAY, window - WINDOWS_OF_DAY + 1, max - loose).changes;
  }
}

function isWithin(row: { key: number; windows: number }, key: number): boolean {
  return key >= row.key && key < row.key + row.windows;
}

function prepareStatements(database: SqliteDatabase) {
  return {
    greatest: database.prepare<[number, number], { key: number | null }>(
      'SELECT max(key) AS key FROM blocks WHERE key >= ? AND key <= ?',
    ),
    covering: database.prepare<[number, number], BlockRow>(
      'SELECT key, windows, bytes FROM blocks WHERE key >= ? AND key <= ? ORDER BY key DESC LIMIT 1',
    ),
    range: database.prepare<[number, number], BlockRow>(
      'SELECT key, windows, bytes FROM blocks WHERE key >= ? AND key <= ? ORDER BY key',
    ),
    whole: database.prepare<[number], BlockRow>('SELECT key, windows, bytes FROM blocks WHERE key = ?'),
    ofWindow: database.prepare<[number, number, number, number], { key: number }>(
      `SELECT key FROM blocks WHERE windows = ? AND key % ${WINDOWS_OF_SERIES} = ? AND key > ? ORDER BY key LIMIT ?`,
    ),
    nextWindow: database.prepare<[number, number], { start: number }>(
      `SELECT key % ${WINDOWS_OF_SERIES} AS start FROM blocks WHERE windows = ? AND key % ${WINDOWS_OF_SERIES} > ? ` +
        `ORDER BY key % ${WINDOWS_OF_SERIES} LIMIT 1`,
    ),
    put: database.prepare<[number, number, Uint8Array]>(
      'INSERT INTO blocks (key, windows, bytes) VALUES (?, ?, ?) ' +
        'ON CONFLICT (key) DO UPDATE SET windows = excluded.windows, bytes = excluded.bytes',
    ),
    remove: database.prepare<[number]>('DELETE FROM blocks WHERE key = ?'),
    oldestLoose: database.prepare<[number], { key: number }>(
      `SELECT key FROM blocks WHERE windows = 1 AND key % ${WINDOWS_OF_SERIES} < ? ` +
        `ORDER BY key % ${WINDOWS_OF_SERIES} LIMIT 1`,
    ),
    prune: database.prepare<[number, number, number]>(
      `DELETE FROM blocks WHERE key IN (SELECT key FROM blocks WHERE windows = ? AND key % ${WINDOWS_OF_SERIES} < ? LIMIT ?)`,
    ),
  };
}
