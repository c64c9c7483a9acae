// A store's file that is cut off, or in which pages are not what SQLite wrote: all rows that can still be read go into a new
// file, and the damaged one stays beside it.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { failed, ok, type Result } from '#domain/result.js';
import type { StoreFault } from '../../ports.js';
import { faultOf, isCorruption, isSchemaIntact, openSqlite, type SqliteDatabase } from '../sqlite.js';
import { WINDOWS_OF_DAY, WINDOWS_OF_SERIES } from './window-key.js';

/** What was saved of a damaged file. */
export interface Salvage {
  /** Where the damaged file is now. */
  readonly damagedPath: string;
  /** Rows that the new file has, by table. */
  readonly saved: Readonly<Record<string, number>>;
  /** Stretches of keys that could not be read. */
  readonly unreadable: number;
}

const HEADER_BYTES = 100;
/** What does not begin as a database is one of ours where its size is so. */
const PAGE_BYTES_USUAL = 8192;
const MAGIC = 'SQLite format 3\0';
const ROWS_AT_ONCE = 200;
/** Blocks are looked for behind damage in steps up to a month. */
const WINDOWS_OF_MONTH = 30 * WINDOWS_OF_DAY;
const FAILURES_MAX = 500;
const PAGE_COUNT_AT = 28;
/** A file that says it was so much longer says nothing. */
const TOLD_TIMES_MAX = 100_000;
const TABLES = ['metrics', 'series', 'log', 'blocks', 'rollups'] as const;

/** Remembers over a restart that SQLite found damage. */
export function suspect(path: string): void {
  try {
    writeFileSync(suspectPath(path), '');
  } catch {
    // The next read that meets the damage tells again.
  }
}

function suspectPath(path: string): string {
  return `${path}.suspect`;
}

/** True where the file is known to be damaged before it is opened: an earlier run said so, or it is shorter than it says. */
export function isDamaged(path: string): boolean {
  if (existsSync(suspectPath(path))) return true;
  // What the file lacks may stand in SQLite's log.
  if (!existsSync(path) || sizeOf(`${path}-wal`) > 0) return false;
  const { size } = statSync(path);
  if (size < HEADER_BYTES) return false;
  const header = readStart(path, HEADER_BYTES);
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) return size % PAGE_BYTES_USUAL === 0;
  if (!isHeader(header)) return true;
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  // The count holds only where the change counter says so (sqlite.org/fileformat2.html, 1.3.7).
  return header.readUInt32BE(24) === header.readUInt32BE(92) && size < header.readUInt32BE(PAGE_COUNT_AT) * pageBytes;
}

/**
 * Whether SQLite takes it for a database: page size, versions, and the fractions that are always these (1.3.2 to 1.3.4, ibid.),
 * and a schema format that it knows (1.3.10).
 */
function isHeader(header: Buffer): boolean {
  const pageBytes = header.readUInt16BE(16);
  const isSize = pageBytes === 1 || (pageBytes >= 512 && (pageBytes & (pageBytes - 1)) === 0);
  const [writeVersion = 0, readVersion = 0, , ...fractions] = header.subarray(18, 24);
  const areVersions = [1, 2].includes(writeVersion) && [1, 2].includes(readVersion) && header.readUInt32BE(44) <= 4;
  return isSize && areVersions && fractions.join() === '64,32,32';
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** Ends what an earlier salvage had begun: the last step of it may be missing. */
export function settleSalvage(path: string): void {
  if (existsSync(path)) rmSync(salvagePath(path), { force: true });
  else if (existsSync(salvagePath(path))) renameSync(salvagePath(path), path);
}

function salvagePath(path: string): string {
  return `${path}.salvage`;
}

/** Makes a new file of what can be read of the one at `path`, and puts that aside. */
export function salvage(path: string, schema: string, pageBytes: number): Result<Salvage, StoreFault> {
  rmSync(salvagePath(path), { force: true });
  const fresh = openSqlite(salvagePath(path), schema, { pageBytes, isGuarded: true });
  if (!fresh.ok) return fresh;
  // Into the file, where its first page can be read from.
  fresh.value.close();
  const source = openReadable(path, pageBytes);
  if (!source.ok) return source;
  const target = openSqlite(salvagePath(path), schema, { pageBytes, isGuarded: true });
  if (!target.ok) {
    source.value.close();
    return target;
  }
  try {
    const copier = new Copier(source.value, target.value);
    copier.copyAll();
    source.value.close();
    target.value.close();
    const damagedPath = putAside(path);
    renameSync(salvagePath(path), path);
    rmSync(suspectPath(path), { force: true });
    return ok({ damagedPath, saved: copier.saved, unreadable: copier.unreadable });
  } catch (error) {
    for (const { value } of [source, target]) value.close();
    rmSync(salvagePath(path), { force: true });
    return failed(faultOf(error, path));
  }
}

/**
 * Opens a damaged file so that SQLite reads what is there. It reads nothing of a file that is shorter than its first page says,
 * or without a whole first page, which lists the tables: so the file is made as long as it was, with holes, and a first page is
 * taken from a new file, whose tables begin on the same pages. What stood there stays in a file beside it.
 */
function openReadable(path: string, pageBytes: number): Result<SqliteDatabase, StoreFault> {
  const first = readStart(path, pageBytes);
  const pages = Math.max(1, Math.ceil(statSync(path).size / pageBytes));
  const told = first.readUInt32BE(PAGE_COUNT_AT);
  if (told > pages && told < pages * TOLD_TIMES_MAX) truncateSync(path, told * pageBytes);
  const asIs = openWithTables(path);
  if (asIs.ok || asIs.fault.code === 'STORE_FULL') return asIs;
  const fresh = readStart(salvagePath(path), pageBytes);
  const count = Math.max(pages, fresh.readUInt32BE(PAGE_COUNT_AT));
  writeFileSync(`${path}.first-page`, first);
  writeStart(path, withPageCount(fresh, count));
  truncateSync(path, count * pageBytes);
  return openWithTables(path);
}

function openWithTables(path: string): Result<SqliteDatabase, StoreFault> {
  const opened = openSqlite(path);
  if (!opened.ok) return opened;
  try {
    const { tables } = opened.value
      .prepare("SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table'")
      .get() as { tables: number };
    if (tables >= TABLES.length && isSchemaIntact(opened.value)) return opened;
    opened.value.close();
    return failed({ code: 'STORE_DAMAGED', message: `${path} has lost its list of tables` });
  } catch (error) {
    opened.value.close();
    return failed(faultOf(error, path));
  }
}

function readStart(path: string, bytes: number): Buffer {
  const start = Buffer.alloc(bytes);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, bytes, 0);
  } finally {
    closeSync(file);
  }
  return start;
}

function writeStart(path: string, start: Buffer): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, start, 0, start.length, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The same first page with this count of pages, marked as valid, and without a list of free pages. */
function withPageCount(first: Buffer, pages: number): Buffer {
  const page = Buffer.from(first);
  page.writeUInt32BE(pages, PAGE_COUNT_AT);
  page.writeUInt32BE(0, 32);
  page.writeUInt32BE(0, 36);
  page.writeUInt32BE(page.readUInt32BE(24), 92);
  return page;
}

function putAside(path: string): string {
  let number = 1;
  while (existsSync(`${path}.damaged-${number}`)) number += 1;
  const aside = `${path}.damaged-${number}`;
  renameSync(path, aside);
  for (const part of ['-wal', '-shm', '.first-page'])
    if (existsSync(path + part)) renameSync(path + part, aside + part);
  return aside;
}

type Row = Readonly<Record<string, unknown>>;

class Copier {
  readonly saved: Record<string, number> = {};
  unreadable = 0;
  readonly #source: SqliteDatabase;
  readonly #target: SqliteDatabase;

  constructor(source: SqliteDatabase, target: SqliteDatabase) {
    this.#source = source;
    this.#target = target;
  }

  copyAll(): void {
    const rows = this.#try(() => this.#source.prepare<[], Row>('SELECT name, type FROM metrics').all());
    this.#put('metrics', ['name', 'type'], rows ?? []);
    const all = { from: 0, to: Number.MAX_SAFE_INTEGER, stepMax: 64 };
    const series = this.#copy('series', ['id', 'post', 'device', 'metric'], all);
    this.#copy('log', ['id', 'bytes'], all);
    for (const id of series) {
      const ofSeries = { from: id * WINDOWS_OF_SERIES, to: (id + 1) * WINDOWS_OF_SERIES, stepMax: WINDOWS_OF_MONTH };
      this.#copy('blocks', ['key', 'windows', 'bytes'], ofSeries);
    }
    this.#copy('rollups', ['key', 'bytes'], { ...all, stepMax: 1000 });
  }

  /**
   * Rows with from ≤ key < to; the key stands first among the columns. From the end as far down as they can be read, then from
   * the beginning; over what is damaged in steps that grow, until too many of them failed. Gives the keys.
   */
  #copy(table: string, columns: readonly string[], range: { from: number; to: number; stepMax: number }): number[] {
    const key = columns[0] as string;
    const keys: number[] = [];
    let { from: low, to: high } = range;
    /** False where it met damage. */
    const walk = (order: 'ASC' | 'DESC'): boolean => {
      const statement = this.#source.prepare<[number, number, number], Row>(
        `SELECT ${columns.join(', ')} FROM ${table} WHERE ${key} >= ? AND ${key} < ? ORDER BY ${key} ${order} LIMIT ?`,
      );
      for (let limit = ROWS_AT_ONCE; ; ) {
        const rows = this.#try(() => statement.all(low, high, limit));
        if (rows === undefined && limit === 1) return false;
        if (rows === undefined) {
          limit = 1;
          continue;
        }
        this.#put(table, columns, rows);
        for (const row of rows) keys.push(row[key] as number);
        const last = keys.at(-1);
        if (rows.length < limit || last === undefined) return true;
        if (order === 'ASC') low = last + 1;
        else high = last;
      }
    };
    if (walk('DESC')) return keys;
    this.unreadable += 1;
    let step = 1;
    for (let failures = 0; failures < FAILURES_MAX && low < high && !walk('ASC'); failures += 1) {
      low += step;
      step = Math.min(2 * step, range.stepMax);
    }
    return keys;
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      return undefined;
    }
  }

  #put(table: string, columns: readonly string[], rows: readonly Row[]): void {
    const places = columns.map(() => '?').join(', ');
    const insert = this.#target.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`);
    this.#target.transaction(() => {
      for (const row of rows) insert.run(...columns.map((column) => row[column]));
    })();
    this.saved[table] = (this.saved[table] ?? 0) + rows.length;
  }
}
