// SQLite as this server uses it: durable at every commit, alone in its file, with a reserve for the day the disk is full.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { failed, ok, type Result } from '#domain/result.js';
import type { StoreFault } from '../ports.js';

export type SqliteDatabase = Database.Database;

const MEGABYTE = 1024 * 1024;
const RESERVE_BYTES = 16 * MEGABYTE;
/** More than the reserve gives back itself, so that it does not come and go. */
const FREE_BYTES_MIN = 20 * MEGABYTE;
/** What a large transaction has made of the log is given back to the disk at the next checkpoint. */
const LOG_BYTES_KEPT = 4 * MEGABYTE;

export interface SqliteOptions {
  /** Of a new file. */
  readonly pageBytes?: number;
  /** See {@link isSchemaIntact}. */
  readonly isGuarded?: boolean;
}

/**
 * Opens (creating folder and file) a database that is used by this process only, if need be at the price of its reserve. WAL
 * alone would leave `synchronous=NORMAL`, with which a power cut takes back commits that were already receipted: FULL is set
 * explicitly. `schema` is run on it.
 */
export function openSqlite(path: string, schema = '', options: SqliteOptions = {}): Result<SqliteDatabase, StoreFault> {
  const opened = tryToOpen(path, schema, options);
  if (opened.ok || opened.fault.code !== 'STORE_FULL') return opened;
  rmSync(reservePath(path), { force: true });
  return tryToOpen(path, schema, options);
}

function tryToOpen(
  path: string,
  schema: string,
  { isGuarded = false, pageBytes = 4096 }: SqliteOptions,
): Result<SqliteDatabase, StoreFault> {
  let database: SqliteDatabase | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    database = new Database(path, { timeout: 0 });
    // Of a new file only.
    database.pragma(`page_size = ${pageBytes}`);
    // Before WAL: then SQLite keeps its index in memory and the lock keeps a second server out.
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma(`journal_size_limit = ${LOG_BYTES_KEPT}`);
    if (isGuarded && !isSchemaIntact(database))
      throw new SqliteDamage('its list of tables is not the one that was written');
    setUp(database, schema, isGuarded);
    return ok(database);
  } catch (error) {
    database?.close();
    return failed(faultOf(error, path));
  }
}

function setUp(database: SqliteDatabase, schema: string, isGuarded: boolean): void {
  database
    .transaction(() => {
      database.exec(schema);
      if (!isGuarded) return;
      const checksum = checksumOfSchema(database);
      if (userVersion(database) !== checksum) database.pragma(`user_version = ${checksum}`);
    })
    .immediate();
}

/** Damage that SQLite itself would not have told. */
class SqliteDamage extends Error {
  readonly code = 'SQLITE_CORRUPT';
}

/**
 * False where the list of tables of a guarded database has changed by itself: SQLite has no checksum of it, and with another
 * name, type or first page would answer wrongly or not at all. The checksum stands where applications may keep a number of
 * their own (sqlite.org/fileformat2.html, 1.3.12).
 */
export function isSchemaIntact(database: SqliteDatabase): boolean {
  const told = userVersion(database);
  return told === 0 || told === checksumOfSchema(database);
}

/** Throws where SQLite finds a table and its indexes not to agree, or a value that the table does not take. */
export function checkTable(database: SqliteDatabase, table: string): void {
  const found = database.pragma(`integrity_check(${table})`, { simple: true });
  if (found !== 'ok') throw new SqliteDamage(String(found));
}

function userVersion(database: SqliteDatabase): number {
  return database.pragma('user_version', { simple: true }) as number;
}

/** Signed, and not 0, which is no checksum. */
function checksumOfSchema(database: SqliteDatabase): number {
  const list = database.prepare('SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master ORDER BY rowid');
  return crc32(JSON.stringify(list.raw().all())) | 0 || 1;
}

/** True where SQLite has said that a page is not as it wrote it. */
export function isCorruption(error: unknown): boolean {
  return String((error as { code?: unknown }).code ?? '').startsWith('SQLITE_CORRUPT');
}

/** A fault of SQLite or of the file system in the store's words. */
export function faultOf(error: unknown, path: string): StoreFault {
  const code = String((error as { code?: unknown }).code ?? '');
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return noSpace(path);
  if (code.startsWith('SQLITE_BUSY'))
    return { code: 'STORE_UNAVAILABLE', message: `${path} is in use by another process: stop it first` };
  if (code === 'SQLITE_NOTADB')
    return {
      code: 'STORE_UNAVAILABLE',
      message: `${path} is no database; put it aside, or a backup in its place`,
    };
  if (isCorruption(error)) return { code: 'STORE_DAMAGED', message: `${path} is damaged (${message})` };
  return { code: 'STORE_UNAVAILABLE', message: `${path}: ${message}` };
}

export function noSpace(path: string): StoreFault {
  return {
    code: 'STORE_FULL',
    message: `no space left for ${path}; it goes on by itself once ${FREE_BYTES_MIN / MEGABYTE} MB are free`,
  };
}

/** Disk space kept back beside a database. */
export interface Reserve {
  /** True while writes may go on: the reserve is there, or could be taken again. */
  hold(): boolean;
  /** Gives the space to SQLite, so that checkpoints and trimming can still run. */
  release(): void;
  releases(): number;
}

export function createReserve(databasePath: string): Reserve {
  const path = reservePath(databasePath);
  let held = existsSync(path) && statSync(path).size === RESERVE_BYTES;
  let releases = 0;
  return {
    hold() {
      if (!held) held = takeReserve(path);
      return held;
    },
    release() {
      rmSync(path, { force: true });
      if (held) releases += 1;
      held = false;
    },
    releases: () => releases,
  };
}

/** Written, not only announced, and of random bytes: of others a compressing file system would keep next to nothing. */
function takeReserve(path: string): boolean {
  try {
    const disk = statfsSync(dirname(path));
    if (disk.bavail * disk.bsize < FREE_BYTES_MIN) return false;
    const file = openSync(path, 'w');
    try {
      for (let written = 0; written < RESERVE_BYTES; ) written += writeSync(file, randomBytes(MEGABYTE));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
}

function reservePath(databasePath: string): string {
  return `${databasePath}.reserve`;
}

export function databasePath(folder: string, name: string): string {
  return join(folder, `${name}.sqlite`);
}
