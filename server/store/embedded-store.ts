// The store without a service: rows in SQLite in the data folder.
import { failed, ok, type Result } from '#domain/result.js';
import type { SeriesRollup } from '#domain/series-rollup.js';
import type { Point, RefusedPoint, RollupQuestion, SeriesName, Store, StoreFault } from '../ports.js';
import { refusalOf, typeOfValue, unavailable, type ValueType } from './point-rules.js';
import { rollUpByReading } from './rollup-by-reading.js';
import {
  createReserve,
  databasePath,
  faultOf,
  noSpace,
  openSqlite,
  type Reserve,
  type SqliteDatabase,
} from './sqlite.js';

export interface EmbeddedStoreOptions {
  readonly folder: string;
  /** Most pages of 4 kB that the database may have. For a small disk, and to see what a full one does. */
  readonly pagesMax?: number;
}

export interface EmbeddedStore extends Store {
  counters(): Readonly<Record<string, number>>;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS metrics (name TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, post TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL, UNIQUE (post, device, metric)
  );
  CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL, at INTEGER NOT NULL, value, code INTEGER NOT NULL, PRIMARY KEY (series, at)
  ) WITHOUT ROWID;
`;

interface Row {
  readonly at: number;
  readonly value: number | string | null;
  readonly code: number;
}

/**
 * Opens the store in `folder`/telemetry.sqlite. Faults: `STORE_UNAVAILABLE` (not writable, damaged, in use by another
 * process), `STORE_FULL`.
 */
export function createEmbeddedStore(options: EmbeddedStoreOptions): Result<EmbeddedStore, StoreFault> {
  const path = databasePath(options.folder, 'telemetry');
  const opened = openSqlite(path, SCHEMA);
  if (!opened.ok) return opened;
  try {
    if (options.pagesMax !== undefined) opened.value.pragma(`max_page_count = ${options.pagesMax}`);
    return ok(new SqliteStore(opened.value, path));
  } catch (error) {
    opened.value.close();
    return failed(faultOf(error, path));
  }
}

class SqliteStore implements EmbeddedStore {
  readonly #database: SqliteDatabase;
  readonly #path: string;
  readonly #reserve: Reserve;
  readonly #series = new Map<string, number>();
  readonly #types = new Map<string, ValueType>();
  #catalogueKnown = false;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #transact: (points: readonly Point[]) => RefusedPoint[];
  readonly #counters = { storeWrites: 0, storePoints: 0, storePointsRefused: 0, storeFaults: 0 };

  constructor(database: SqliteDatabase, path: string) {
    this.#database = database;
    this.#path = path;
    this.#reserve = createReserve(path);
    this.#reserve.hold();
    this.#statements = prepareStatements(database);
    this.#transact = database.transaction((points: readonly Point[]) => this.#insert(points));
    this.#knowCatalogue();
  }

  /** Reads the catalogues where memory may not be what the database holds. */
  #knowCatalogue(): void {
    if (this.#catalogueKnown) return;
    this.#series.clear();
    this.#types.clear();
    for (const { name, type } of this.#statements.types.all()) this.#types.set(name, type);
    for (const row of this.#statements.allSeries.all()) this.#series.set(keyOf(row), row.id);
    this.#catalogueKnown = true;
  }

  async write(points: readonly Point[]): Promise<Result<readonly RefusedPoint[], StoreFault>> {
    if (!this.#database.open) return unavailable(`${this.#path} is closed`);
    if (!this.#reserve.hold()) return this.#fault(noSpace(this.#path));
    try {
      this.#knowCatalogue();
      const refused = this.#transact(points);
      this.#counters.storeWrites += 1;
      this.#counters.storePoints += points.length - refused.length;
      this.#counters.storePointsRefused += refused.length;
      return ok(refused);
    } catch (error) {
      // What the rolled-back transaction had put into the catalogues is not in the database.
      this.#catalogueKnown = false;
      const fault = faultOf(error, this.#path);
      if (fault.code === 'STORE_FULL') this.#makeRoom();
      return this.#fault(fault);
    }
  }

  #fault(fault: StoreFault): Result<never, StoreFault> {
    this.#counters.storeFaults += 1;
    return failed(fault);
  }

  /** Moves the log into the database, for which the reserve makes room; what is stored stays readable. */
  #makeRoom(): void {
    this.#reserve.release();
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // The next write tells.
    }
  }

  #insert(points: readonly Point[]): RefusedPoint[] {
    const refused: RefusedPoint[] = [];
    points.forEach((point, index) => {
      const code = refusalOf(point, (metric) => this.#types.get(metric));
      if (code !== undefined) {
        refused.push({ index, code });
        return;
      }
      this.#learnType(point);
      this.#statements.upsert.run(this.#seriesId(point), point.at, point.value, point.code);
    });
    return refused;
  }

  #learnType(point: Point): void {
    if (point.value === null || this.#types.has(point.metric)) return;
    const type = typeOfValue(point.value);
    this.#statements.insertType.run(point.metric, type);
    this.#types.set(point.metric, type);
  }

  #seriesId(name: SeriesName): number {
    const key = keyOf(name);
    const present = this.#series.get(key);
    if (present !== undefined) return present;
    const id = Number(this.#statements.insertSeries.run(name.post, name.device, name.metric).lastInsertRowid);
    this.#series.set(key, id);
    return id;
  }

  async read(series: SeriesName, from: number, to: number): Promise<Result<readonly Point[], StoreFault>> {
    return this.#ask((statements) => {
      const id = this.#series.get(keyOf(series));
      return id === undefined ? [] : statements.read.all(id, from, to).map((row) => pointOf(series, row));
    });
  }

  async lastBefore(series: SeriesName, at: number): Promise<Result<Point | undefined, StoreFault>> {
    return this.#ask((statements) => {
      const id = this.#series.get(keyOf(series));
      const row = id === undefined ? undefined : statements.lastBefore.get(id, at);
      return row === undefined ? undefined : pointOf(series, row);
    });
  }

  async latest(post: string): Promise<Result<readonly Point[], StoreFault>> {
    return this.#ask((statements) =>
      statements.seriesOfPost.all(post).flatMap((series) => {
        const row = statements.newest.get(series.id);
        return row === undefined ? [] : [pointOf({ post, device: series.device, metric: series.metric }, row)];
      }),
    );
  }

  rollUp(questions: readonly RollupQuestion[]): Promise<Result<readonly SeriesRollup[], StoreFault>> {
    return rollUpByReading(this, questions);
  }

  #ask<T>(question: (statements: ReturnType<typeof prepareStatements>) => T): Result<T, StoreFault> {
    if (!this.#database.open) return unavailable(`${this.#path} is closed`);
    try {
      this.#knowCatalogue();
      return ok(question(this.#statements));
    } catch (error) {
      return this.#fault(faultOf(error, this.#path));
    }
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, storeReserveReleased: this.#reserve.releases() };
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}

function prepareStatements(database: SqliteDatabase) {
  return {
    types: database.prepare<[], { name: string; type: ValueType }>('SELECT name, type FROM metrics'),
    allSeries: database.prepare<[], SeriesName & { id: number }>('SELECT id, post, device, metric FROM series'),
    seriesOfPost: database.prepare<[string], { id: number; device: string; metric: string }>(
      'SELECT id, device, metric FROM series WHERE post = ?',
    ),
    insertType: database.prepare<[string, ValueType]>('INSERT OR IGNORE INTO metrics (name, type) VALUES (?, ?)'),
    insertSeries: database.prepare<[string, string, string]>(
      'INSERT INTO series (post, device, metric) VALUES (?, ?, ?)',
    ),
    upsert: database.prepare<[number, number, number | string | null, number]>(
      'INSERT INTO points (series, at, value, code) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (series, at) DO UPDATE SET value = excluded.value, code = excluded.code',
    ),
    read: database.prepare<[number, number, number], Row>(
      'SELECT at, value, code FROM points WHERE series = ? AND at >= ? AND at < ? ORDER BY at',
    ),
    lastBefore: database.prepare<[number, number], Row>(
      'SELECT at, value, code FROM points WHERE series = ? AND at < ? AND value IS NOT NULL ORDER BY at DESC LIMIT 1',
    ),
    newest: database.prepare<[number], Row>(
      'SELECT at, value, code FROM points WHERE series = ? ORDER BY at DESC LIMIT 1',
    ),
  };
}

function keyOf(name: SeriesName): string {
  return `${name.post}/${name.device}/${name.metric}`;
}

function pointOf(series: SeriesName, row: Row): Point {
  const { post, device, metric } = series;
  return { post, device, metric, at: row.at, value: row.value, code: row.code };
}
