// The embedded store's heart: a log, heads in memory, sealed blocks and rollups, all in one SQLite file. Synchronous; series
// are numbers here. It runs in a thread of its own, or, where time is virtual, in the caller's.

import { isMeasured } from '#domain/quality.js';
import { failed, ok, type Result } from '#domain/result.js';
import { lookBackMs, type RollupJob, type RollupSpan, rollUpSeries, type SeriesRollup } from '#domain/series-rollup.js';
import type { RetentionCuts, StoreFault } from '../../ports.js';
import { type Piece, type RebuildDeps, type RollupPatch, rebuild } from '../../rollup/rebuild.js';
import { BlockDamage } from '../block/bytes.js';
import { Columns, merged, seriesColumns } from '../block/columns.js';
import { type RollupBlock, windowsIn } from '../block/rollup-block.js';
import type { ValueType } from '../point-rules.js';
import { checkTable, createReserve, faultOf, noSpace, type Reserve, type SqliteDatabase } from '../sqlite.js';
import { BLOCK_SCHEMA, BlockTable } from './block-table.js';
import { DAMAGE_SCHEMA, Damage } from './damage.js';
import { Heads } from './heads.js';
import { readRecord } from './log-record.js';
import { ROLLUP_SCHEMA, RollupTable } from './rollup-table.js';
import { suspect } from './salvage.js';

export const ENGINE_SCHEMA = `
  CREATE TABLE IF NOT EXISTS metrics (
    name TEXT PRIMARY KEY, type TEXT NOT NULL CHECK (type IN ('number', 'text'))
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, post TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL, UNIQUE (post, device, metric)
  );
  CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  ${BLOCK_SCHEMA}
  ${DAMAGE_SCHEMA}
  ${ROLLUP_SCHEMA}
`;

export interface EngineOptions {
  /** So many points are sealed into blocks at once; they take about 25 bytes of memory each until then. */
  readonly sealValues: number;
}

export interface CatalogueRows {
  readonly series: readonly (readonly [id: number, post: string, device: string, metric: string])[];
  readonly types: readonly (readonly [metric: string, type: ValueType])[];
}

/** One point without its series. */
export interface BarePoint {
  readonly at: number;
  readonly value: number | string | null;
  readonly code: number;
}

/** Points of a series by time. Where words are there, values are places among them; NaN is none. */
export interface PackedColumns {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly codes: Uint8Array;
  readonly words: readonly string[] | undefined;
}

/** A block is pruned in steps of so many, each a transaction. */
const PRUNE_BLOCKS = 2000;
const COMPACT_DAYS = 16;
const LOOK_BLOCKS = 200;
const LOG_BYTES_MAX = 64 * 1024 * 1024;
/** Sealing that fails for want of space leaves points in memory; beyond so many times the usual no more are taken. */
const UNSEALED_TIMES_MAX = 3;

export class StoreEngine {
  readonly #database: SqliteDatabase;
  readonly #path: string;
  readonly #options: EngineOptions;
  readonly #reserve: Reserve;
  readonly #damage: Damage;
  readonly #heads = new Heads();
  readonly #blocks: BlockTable;
  readonly #rollups: RollupTable;
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Used again for each read: its memory stays. */
  readonly #scratch = new Columns(4096);
  /** The newest log row, and the bytes of all. */
  #logId = 0;
  #logBytes = 0;
  /** Sealing is tried again beyond this. */
  #sealAbove: number;
  readonly #counts = {
    storeSeals: 0,
    storeSealsFailed: 0,
    storeBlocksSealed: 0,
    storeDaysCompacted: 0,
  };

  /** Reads the log back into memory. Throws what SQLite throws, also where the names of series are damaged. */
  constructor(database: SqliteDatabase, path: string, options: EngineOptions) {
    this.#database = database;
    this.#path = path;
    this.#options = options;
    this.#sealAbove = options.sealValues;
    this.#damage = new Damage(database);
    this.#blocks = new BlockTable(database, this.#damage);
    this.#rollups = new RollupTable(database, this.#damage);
    this.#statements = prepareStatements(database);
    // Names have no checksum; SQLite keeps those of series twice.
    for (const table of ['series', 'metrics']) checkTable(database, table);
    this.#replay();
    this.#reserve = createReserve(path);
    this.#reserve.hold();
  }

  #replay(): void {
    const damaged: { id: number; bytes: Uint8Array }[] = [];
    for (const row of this.#statements.log.iterate()) {
      this.#logId = row.id;
      this.#logBytes += row.bytes.length;
      try {
        readRecord(row.bytes, this.#heads);
      } catch (error) {
        if (!(error instanceof BlockDamage)) throw error;
        this.#damage.found('record', row.id);
        damaged.push(row);
      }
    }
    if (damaged.length > 0)
      this.#transact(() => {
        for (const { bytes, id } of damaged) {
          this.#damage.keepApart('record', id, bytes);
          this.#statements.removeRecord.run(id);
        }
      });
  }

  #transact<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  catalogue(): CatalogueRows {
    return { series: this.#statements.series.raw().all() as never, types: this.#statements.types.raw().all() as never };
  }

  /**
   * Stores all records or none, in one transaction.
   * @param records see {@link RecordPacker}
   * @param fresh series and types that they are the first to use
   */
  write(records: readonly Uint8Array[], fresh: CatalogueRows | undefined): Result<undefined, StoreFault> {
    if (!this.#reserve.hold()) return failed(noSpace(this.#path));
    if (this.#heads.load > UNSEALED_TIMES_MAX * this.#options.sealValues) {
      this.seal();
      if (this.#heads.count > 0) return failed(noSpace(this.#path));
    }
    const written = this.attempt(() =>
      this.#transact(() => {
        for (const row of fresh?.series ?? []) this.#statements.addSeries.run(...row);
        for (const row of fresh?.types ?? []) this.#statements.addType.run(...row);
        let id = this.#logId;
        for (const record of records) id = Number(this.#statements.addRecord.run(record).lastInsertRowid);
        return id;
      }),
    );
    if (!written.ok) return written;
    this.#logId = written.value;
    for (const record of records) {
      this.#logBytes += record.length;
      readRecord(record, this.#heads, true);
    }
    return ok(undefined);
  }

  /** Does something, and says what went wrong with it in the store's words; gives the reserve up where space is short. */
  attempt<T>(work: () => T): Result<T, StoreFault> {
    try {
      return ok(work());
    } catch (error) {
      const fault = faultOf(error, this.#path);
      if (fault.code === 'STORE_FULL') this.#makeRoom();
      if (fault.code !== 'STORE_DAMAGED') return failed(fault);
      suspect(this.#path);
      return failed({ ...fault, message: `${fault.message}; start the server again: it saves what can be read` });
    }
  }

  /** Moves SQLite's log into the database, for which the reserve makes room; what is stored stays readable. */
  #makeRoom(): void {
    this.#reserve.release();
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // The next write tells.
    }
  }

  /** Seals where there is enough to seal. To be called after a write was answered. */
  sealIfDue(): void {
    if (this.#heads.load >= this.#sealAbove || this.#logBytes >= LOG_BYTES_MAX) this.seal();
  }

  /** Moves all points of the log into blocks, in one transaction. */
  seal(): void {
    if (this.#heads.count === 0) return;
    const sealed = this.attempt(() =>
      this.#transact(() => {
        const blocks = this.#blocks.seal(this.#heads);
        this.#statements.trimLog.run(this.#logId);
        return blocks;
      }),
    );
    if (!sealed.ok) {
      this.#blocks.forget();
      this.#counts.storeSealsFailed += 1;
      this.#sealAbove = this.#heads.load + this.#options.sealValues / 4;
      return;
    }
    this.#heads.clear();
    this.#logBytes = 0;
    this.#sealAbove = this.#options.sealValues;
    this.#counts.storeSeals += 1;
    this.#counts.storeBlocksSealed += sealed.value;
  }

  /** Makes day blocks of some days before `before`, epoch ms. True while there is more to do. */
  compactSome(before: number): boolean {
    const compacted = this.attempt(() =>
      this.#transact(() => {
        for (let days = 0; days < COMPACT_DAYS; days += 1) if (!this.#blocks.compactOne(before)) return days;
        return COMPACT_DAYS;
      }),
    );
    if (!compacted.ok) this.#blocks.forget();
    this.#counts.storeDaysCompacted += compacted.ok ? compacted.value : 0;
    return compacted.ok && compacted.value === COMPACT_DAYS;
  }

  /** Looks whether some more blocks are there and whole, so that what nobody reads is told too. True once it has seen all. */
  lookOver(): boolean {
    const looked = this.attempt(() => this.#blocks.lookOver(LOOK_BLOCKS));
    if (looked.ok && looked.value.isLost) suspect(this.#path);
    return !looked.ok || looked.value.isDone;
  }

  /** Appends the points with from ≤ at < to, ordered, behind those that are there. */
  #read(series: number, from: number, to: number, into: Columns): void {
    if (to <= from) return;
    const start = into.count;
    this.#blocks.read(series, from, to, into);
    into.keep(start, from, to);
    const unsealed = this.#heads.of(series, from, to);
    unsealed.keep(0, from, to);
    if (unsealed.count === 0) return;
    if (into.count === start || (into.times[into.count - 1] as number) < (unsealed.times[0] as number)) {
      into.append(unsealed);
      return;
    }
    // Late points lie between those that are sealed.
    const sealed = new Columns(0);
    sealed.append(into, start);
    into.count = start;
    into.append(merged(sealed, unsealed));
  }

  #columns(series: number, from: number, to: number): Columns {
    const columns = this.#scratch;
    columns.clear();
    this.#read(series, from, to, columns);
    return columns;
  }

  read(series: number, from: number, to: number): PackedColumns {
    const { codes, count, times, values, words } = this.#columns(series, from, to);
    return { times: times.slice(0, count), values: values.slice(0, count), codes: codes.slice(0, count), words };
  }

  /** The newest point before `at` of those that are wanted. */
  newest(series: number, at: number, wanted: 'any' | 'withValue' | 'measured'): BarePoint | undefined {
    for (let end = at; ; ) {
      const starts = [this.#blocks.newestBefore(series, end), this.#heads.newestBefore(series, end)];
      const start = Math.max(...starts.map((one) => one ?? Number.NEGATIVE_INFINITY));
      if (start === Number.NEGATIVE_INFINITY) return undefined;
      const columns = this.#columns(series, start, end);
      for (let place = columns.count - 1; place >= 0; place -= 1) {
        const value = columns.valueAt(place);
        const code = columns.codes[place] as number;
        if (wanted !== 'any' && (value === null || (wanted === 'measured' && !isMeasured(code)))) continue;
        return { at: columns.times[place] as number, value, code };
      }
      end = start;
    }
  }

  rollUp(series: number, job: RollupJob): SeriesRollup {
    const from = job.from - lookBackMs(job);
    const before = this.newest(series, from, 'measured');
    // Behind it there may be one that tells why nothing is known since.
    const why = job.withGaps === true ? this.newest(series, from, 'any') : undefined;
    const columns = this.#scratch;
    columns.clear();
    if (before !== undefined) pushBare(columns, before);
    if (why !== undefined && why.at > (before?.at ?? 0)) pushBare(columns, why);
    this.#read(series, from, job.to, columns);
    return rollUpSeries(seriesColumns(columns), job);
  }

  saveRollups(patches: readonly RollupPatch<number>[]): Result<undefined, StoreFault> {
    if (!this.#reserve.hold()) return failed(noSpace(this.#path));
    return this.attempt(() =>
      this.#transact(() => {
        for (const patch of patches) this.#rollups.save(patch);
        return undefined;
      }),
    );
  }

  /** Blocks that together hold the windows with from ≤ start < to, by time, and perhaps some around them. */
  rollupBlocks(series: number, span: RollupSpan, from: number, to: number): RollupBlock[] {
    return this.#rollups.read(series, span, from, to);
  }

  /** See {@link rebuild}. All is done once it has given its promise. */
  rebuild(pieces: readonly Piece<number>[], rawSince: number): Promise<Result<number, StoreFault>> {
    const deps: RebuildDeps<number> = {
      rollUp: async (questions) => this.attempt(() => questions.map(({ series, ...job }) => this.rollUp(series, job))),
      readRollups: async (series, span, from, to) =>
        this.attempt(() => windowsIn(this.rollupBlocks(series, span, from, to), from, to)),
      saveRollups: async (patches) => this.saveRollups(patches),
    };
    return rebuild(deps, pieces, rawSince);
  }

  /** Gives how many blocks went. */
  prune({ quarter, raw }: RetentionCuts): number {
    let pruned = 0;
    for (let some = PRUNE_BLOCKS; some === PRUNE_BLOCKS; pruned += some)
      some = this.#transact(() => this.#blocks.prune(raw, PRUNE_BLOCKS));
    const ids = this.#statements.seriesIds.all().map(({ id }) => id);
    pruned += this.#transact(() => this.#rollups.pruneQuarters(ids, quarter));
    return pruned;
  }

  /** Copies the whole store into a new file while it goes on. */
  async backup(path: string): Promise<Result<undefined, StoreFault>> {
    try {
      await this.#database.backup(path);
      return ok(undefined);
    } catch (error) {
      return failed(faultOf(error, path));
    }
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counts,
      ...this.#damage.counters(),
      storeUnsealedPoints: this.#heads.count,
      storeReserveReleased: this.#reserve.releases(),
    };
  }

  close(): void {
    this.#database.close();
  }
}

function pushBare(columns: Columns, { at, code, value }: BarePoint): void {
  if (typeof value === 'number') columns.push(at, value, code);
  else columns.push(at, value === null ? Number.NaN : columns.placeOf(value), code);
}

function prepareStatements(database: SqliteDatabase) {
  return {
    series: database.prepare('SELECT id, post, device, metric FROM series'),
    seriesIds: database.prepare<[], { id: number }>('SELECT id FROM series'),
    types: database.prepare('SELECT name, type FROM metrics'),
    addSeries: database.prepare<[number, string, string, string]>(
      'INSERT INTO series (id, post, device, metric) VALUES (?, ?, ?, ?)',
    ),
    addType: database.prepare<[string, string]>('INSERT INTO metrics (name, type) VALUES (?, ?)'),
    log: database.prepare<[], { id: number; bytes: Uint8Array }>('SELECT id, bytes FROM log ORDER BY id'),
    addRecord: database.prepare<[Uint8Array]>('INSERT INTO log (bytes) VALUES (?)'),
    removeRecord: database.prepare<[number]>('DELETE FROM log WHERE id = ?'),
    trimLog: database.prepare<[number]>('DELETE FROM log WHERE id <= ?'),
  };
}
