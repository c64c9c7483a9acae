// The outbox's database: what it is made of and how it is opened.
import type Database from 'better-sqlite3';
import { damage } from './sqlite-faults.js';

const VERSION = 2;
/** Says the version a second time: a file whose two words differ is damaged, not of another version. */
const APPLICATION_ID = 0x4f544f00 + VERSION;
/** Small pages: each commit writes whole pages, and a poll of one device is a few hundred bytes. */
export const PAGE_BYTES = 1024;
/** Pages of the write-ahead log that make a checkpoint worth while: 4 MB. */
const CHECKPOINT_PAGES = 4096;
/** Above what checkpoints leave: the log is written over, never cut, so its length seldom changes. */
const WAL_BYTES_MAX = 16 * 1024 * 1024;
/** The gateway has little memory. */
const CACHE_KB = 2_000;

/**
 * No index and no key but the row's number, so that a commit touches few pages and a damaged file can be read page by page.
 * `shift` is what was added to the times of a record when its time was learnt; null while it is unknown. `before` and `after`:
 * how far its samples' times lie from `at`. `code`: why it is a dead letter. What else the outbox knows is a fact.
 */
const TABLES = `
CREATE TABLE record (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  shift INTEGER,
  boot TEXT,
  flags INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  before INTEGER NOT NULL,
  after INTEGER NOT NULL,
  code TEXT,
  crc INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE fact (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  crc INTEGER NOT NULL
) STRICT;
`;

/** Columns of the tables, the row's number included: what tells their rows apart on a page. */
export const RECORD_COLUMNS = 11;
export const FACT_COLUMNS = 5;

export interface DatabaseOptions {
  /** Every commit is on the disk; else it is there at the next sync. */
  readonly isFull: boolean;
  /** A hard limit of the file. */
  readonly bytesMax?: number | undefined;
}

/** Neither ours nor new. */
export class ForeignVersion extends Error {}

/**
 * Makes the database ours, for one process alone, and its tables where it is new. `synchronous` is set explicitly: FULL flushes
 * every commit, NORMAL only around checkpoints, and commits between them outlive the process but not the power. Throws what
 * SQLite throws.
 */
export function connect(database: Database.Database, file: string, options: DatabaseOptions): void {
  database.pragma('locking_mode = EXCLUSIVE');
  database.pragma(`page_size = ${PAGE_BYTES}`);
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${options.isFull ? 'FULL' : 'NORMAL'}`);
  database.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.pragma(`cache_size = -${CACHE_KB}`);
  if (options.bytesMax !== undefined) database.pragma(`max_page_count = ${Math.ceil(options.bytesMax / PAGE_BYTES)}`);
  prepareTables(database, file);
}

function prepareTables(database: Database.Database, file: string): void {
  const version = database.pragma('user_version', { simple: true });
  const application = database.pragma('application_id', { simple: true });
  if (version === VERSION && application === APPLICATION_ID) return;
  if (version === VERSION || application === APPLICATION_ID) throw damage(`${file} does not know its version`);
  if (version !== 0) throw new ForeignVersion(`${file} was written by another version (${String(version)})`);
  database.transaction(() => {
    database.exec(TABLES);
    database.pragma(`user_version = ${VERSION}`);
    database.pragma(`application_id = ${APPLICATION_ID}`);
  })();
}
