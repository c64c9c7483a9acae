// The outbox's database: what it is made of and how it is opened.
import { existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { drawEpoch } from '../identity.js';

const VERSION = 1;

/** `shift` is added to every time of a record; null while its time is unknown. `state` 0 waits, 1 is receipted. */
const TABLES = `
CREATE TABLE epoch (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE record (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  epoch INTEGER NOT NULL,
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  shift INTEGER,
  boot TEXT,
  offline INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  receipted_at INTEGER,
  samples INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_name ON record (epoch, id);
CREATE INDEX record_waiting ON record (seq) WHERE state = 0;
CREATE INDEX record_live ON record (at) WHERE state = 0 AND offline = 0;
CREATE INDEX record_untimed ON record (boot) WHERE shift IS NULL;
CREATE INDEX record_receipted ON record (receipted_at) WHERE state = 1;
CREATE TABLE used_time (device TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (device, at)) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter (
  seq INTEGER PRIMARY KEY, epoch TEXT NOT NULL, id INTEGER NOT NULL, code TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE catalogue (
  device TEXT NOT NULL, metric TEXT NOT NULL, description TEXT NOT NULL, retired_after INTEGER,
  PRIMARY KEY (device, metric)
) STRICT, WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * Opens or makes the database, for one process alone. WAL with `synchronous=FULL`: better-sqlite3 would take NORMAL with
 * WAL, and a power cut could then take back what was said to be stored. Throws what SQLite throws.
 */
export function openDatabase(file: string, pagesMax: number | undefined): Database.Database {
  const database = new Database(file, { timeout: 1000 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('journal_size_limit = 4194304');
    if (pagesMax !== undefined) database.pragma(`max_page_count = ${pagesMax}`);
    const version = database.pragma('user_version', { simple: true });
    if (version === 0)
      database.transaction(() => {
        database.exec(TABLES);
        database.pragma(`user_version = ${VERSION}`);
      })();
    else if (version !== VERSION) throw new Error(`${file} was written by another version (${String(version)})`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The engineer is a day away: a post with a damaged outbox begins a new one and keeps the old for a person to look at. */
export function putAside(file: string): string {
  const aside = `${file}.damaged-${drawEpoch()}`;
  renameSync(file, aside);
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${aside}-wal`);
  return aside;
}
