// What the embedded store is compared with: one row per post and time with a column for each metric, in the same SQLite with the
// same promise of durability.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { METRICS } from './data-set.js';

export class WideRows {
  readonly #database: Database.Database;
  readonly #write: (rows: readonly (readonly [post: number, at: number, ...values: (number | string)[]])[]) => void;

  constructor(folder: string) {
    this.#database = new Database(join(folder, 'wide.sqlite'));
    for (const pragma of ['page_size = 8192', 'journal_mode = WAL', 'synchronous = FULL', 'cache_size = -131072'])
      this.#database.pragma(pragma);
    const columns = Array.from({ length: METRICS }, (_, metric) => `m${metric}`);
    this.#database.exec(
      `CREATE TABLE wide (post INTEGER, at INTEGER, ${columns.join(', ')}, PRIMARY KEY (post, at)) WITHOUT ROWID`,
    );
    const upsert = this.#database.prepare(
      `INSERT INTO wide (post, at, ${columns.join(', ')}) VALUES (?, ?, ${columns.map(() => '?').join(', ')}) ` +
        `ON CONFLICT (post, at) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    );
    this.#write = this.#database.transaction((rows) => {
      for (const row of rows) upsert.run(row);
    });
  }

  write(rows: readonly (readonly [post: number, at: number, ...values: (number | string)[]])[]): void {
    this.#write(rows);
  }

  /** Quarters of four series of a post. */
  chart(post: number, from: number, to: number): number {
    const facts = [12, 20, 33, 48].flatMap((m) => [`avg(m${m})`, `min(m${m})`, `max(m${m})`]);
    return this.#database
      .prepare(
        `SELECT at / 900000 AS quarter, ${facts.join(', ')} FROM wide WHERE post = ? AND at >= ? AND at < ? GROUP BY quarter`,
      )
      .raw()
      .all(post, from, to).length;
  }

  bytes(): number {
    const row = this.#database.prepare("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = 'wide'").get();
    return (row as { bytes: number }).bytes;
  }

  close(): void {
    this.#database.close();
  }
}
