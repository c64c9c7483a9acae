// Opens the outbox's database so that everything in it can be trusted: a damaged one is put aside, and what is whole is saved.
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { drawEpoch } from '../identity.js';
import { Facts } from './facts.js';
import type { Salvage } from './outbox.js';
import { connect, type DatabaseOptions, ForeignVersion, PAGE_BYTES } from './outbox-schema.js';
import { prepareStatements } from './outbox-statements.js';
import { rowsOfPage } from './page-rows.js';
import type { RecordRow } from './record-row.js';
import { RecordStore } from './record-store.js';
import { type KnownFact, salvage, walOf } from './salvage.js';
import { SeqRanges } from './seq-ranges.js';
import { damage, isDamaged, isFull, isLocked, sqliteCode } from './sqlite-faults.js';

export interface SoundDatabase {
  readonly database: Database.Database;
  readonly store: RecordStore;
  readonly salvage?: Salvage | undefined;
}

/** A database that was found damaged while it was open, and what memory still knows. */
export interface Running {
  readonly damaged: Database.Database;
  readonly known: readonly KnownFact[];
}

/** Throws what SQLite throws, but for damage. */
export function openSoundDatabase(
  file: string,
  options: DatabaseOptions,
  keepReceiptedMs: number,
  running?: Running,
): SoundDatabase {
  const begin = (aside: string, known: readonly KnownFact[] = []) =>
    beginAnew(file, aside, options, keepReceiptedMs, known);
  if (running !== undefined) {
    const aside = putAside(file);
    running.damaged.close();
    return begin(aside, running.known);
  }
  const wal = walOf(file);
  const isEmpty = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) < PAGE_BYTES;
  if (wal.isBroken || (isEmpty && wal.frames.length > 0)) {
    if (!isEmpty) refuseLocked(file);
    return begin(putAside(file));
  }
  // SQLite drops a transaction whose end is missing; its records are whole all the same.
  const tail = wal.frames.slice(wal.committed).flatMap(({ image }) => rowsOfPage(image, () => undefined).records);
  const database = new Database(file, { timeout: 1000 });
  try {
    connect(database, file, options);
    const check = database.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') throw damage(String(check));
    const writer = missingWriter(database);
    for (const row of tail) writer.put(row);
    writer.end();
    return { database, store: new RecordStore(database, keepReceiptedMs) };
  } catch (error) {
    if (!isDamage(error)) {
      database.close();
      throw error;
    }
    // Renamed before it is closed: closing writes the log into the database.
    const aside = putAside(file);
    database.close();
    return begin(aside);
  }
}

/** Also a word of SQL that became another one by a flipped bit. */
function isDamage(error: unknown): boolean {
  if (error instanceof ForeignVersion) return false;
  return isDamaged(error) || /^SQLITE_(ERROR|SCHEMA|READONLY)$/.test(sqliteCode(error));
}

/** Before files are renamed that another process may be writing. A connection for reading changes nothing. */
function refuseLocked(file: string): void {
  const probe = new Database(file, { readonly: true, timeout: 1000 });
  try {
    probe.pragma('locking_mode = EXCLUSIVE');
    probe.pragma('schema_version');
  } catch (error) {
    if (isLocked(error)) throw error;
  } finally {
    probe.close();
  }
}

/** The engineer is a day away: a post with a damaged outbox begins a new one and keeps the old for a person to look at. */
function putAside(file: string): string {
  const aside = `${file}.damaged-${drawEpoch()}`;
  for (const part of ['', '-wal']) if (existsSync(`${file}${part}`)) renameSync(`${file}${part}`, `${aside}${part}`);
  return aside;
}

function beginAnew(
  file: string,
  aside: string,
  options: DatabaseOptions,
  keepReceiptedMs: number,
  known: readonly KnownFact[],
): SoundDatabase {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: 1000 });
    connect(database, file, options);
    const writer = missingWriter(database);
    const found = salvage(aside, (row) => writer.put(row));
    writer.end();
    putFacts(database, known.length > 0 ? known : found.facts);
    const store = new RecordStore(database, keepReceiptedMs);
    const recovered = Number(database.prepare('SELECT count(*) FROM record').pluck().get());
    return { database, store, salvage: { file: aside, recovered, damaged: found.damaged + writer.unsaved() } };
  } catch (error) {
    database?.close();
    takeBack(file, aside);
    throw error;
  }
}

/** On a disk without any room nothing can begin anew: the next start finds the damage again, and saves what is whole. */
function takeBack(file: string, aside: string): void {
  for (const part of ['', '-wal']) {
    rmSync(`${file}${part}`, { force: true });
    if (existsSync(`${aside}${part}`)) renameSync(`${aside}${part}`, `${file}${part}`);
  }
}

/** Few enough for the log, many enough to be quick. */
const ROWS_PER_COMMIT = 1000;
const COLUMNS = ['seq', 'at', 'shift', 'boot', 'flags', 'samples', 'before', 'after', 'code', 'crc', 'body'];

/** Where a number is there twice, the later version stays: what is aggregated, or has learnt its time. */
function missingWriter(database: Database.Database) {
  const statement = database.prepare<[RecordRow]>(`INSERT INTO record (${COLUMNS})
    VALUES (${COLUMNS.map((name) => `:${name}`)})
    ON CONFLICT (seq) DO UPDATE SET ${COLUMNS.slice(1).map((name) => `${name} = excluded.${name}`)}
    WHERE (excluded.flags & 2) > (record.flags & 2) OR (record.shift IS NULL AND excluded.shift IS NOT NULL)`);
  const insert = database.transaction((rows: readonly RecordRow[]) => {
    for (const row of rows) statement.run(row);
  });
  let waiting: RecordRow[] = [];
  let unsaved = 0;
  const end = (): void => {
    try {
      insert(waiting);
    } catch (error) {
      // What a full disk does not take is still in the file that was put aside.
      if (!isFull(error)) throw error;
      unsaved += waiting.length;
    }
    waiting = [];
  };
  return {
    put(row: RecordRow): void {
      waiting.push(row);
      if (waiting.length >= ROWS_PER_COMMIT) end();
    },
    end,
    unsaved: () => unsaved,
  };
}

/** In one transaction: what is known beside the records, made to agree with them. */
function putFacts(database: Database.Database, known: readonly KnownFact[]): void {
  database.transaction(() => makeFacts(database, known))();
}

function makeFacts(database: Database.Database, known: readonly KnownFact[]): void {
  const facts = new Facts(database);
  for (const kind of ['receipted', 'sent', 'gone'] as const) {
    const ranges = new SeqRanges(facts, kind);
    for (const [, first, value] of known.filter((fact) => fact[0] === kind)) {
      const [last, at] = value as [number, number];
      ranges.add(Number(first), last, at);
    }
  }
  for (const [kind, name, value] of known)
    if (kind !== 'receipted' && kind !== 'sent' && kind !== 'gone') facts.set(kind, name, value);
  const { removeIn, firstFrom } = prepareStatements(database);
  for (const [first, [last]] of facts.entries<[number, number]>('gone')) removeIn.run(Number(first), last);
  const bases = facts.entries<[number, number]>('epoch').map(([, [base]]) => base);
  const oldest = firstFrom.get(0) ?? null;
  // Records whose epoch is not known any more get a new name: the store knows their samples by device, metric and time.
  if (oldest !== null && bases.every((base) => base >= oldest)) facts.set('epoch', drawEpoch(), [0, 0]);
  facts.write();
}
