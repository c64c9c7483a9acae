// What the server remembers besides telemetry, in SQLite in its data folder.
import type { Birth } from '#contract/session.js';
import type { JournalEntry } from '#contract/view.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { PlacedMetric, Placing } from '../ingest/birth-shelf.js';
import type { IdentityFacts } from '../ingest/identity.js';
import type {
  BackedUp,
  PostDay,
  Registry,
  StoredAlarm,
  StoredCounterEvent,
  StoredReplay,
  StoreFault,
} from '../ports.js';
import { createReserve, databasePath, faultOf, openSqlite, type Reserve, type SqliteDatabase } from './sqlite.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS births (post TEXT PRIMARY KEY, birth TEXT NOT NULL, received_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS placings (post TEXT PRIMARY KEY, placings TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS identities (post TEXT PRIMARY KEY, facts TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS replays (
    post TEXT PRIMARY KEY, at INTEGER NOT NULL, since INTEGER, dead_letters INTEGER NOT NULL, by_person TEXT NOT NULL,
    sent_at INTEGER
  );
  CREATE TABLE IF NOT EXISTS post_states (
    post TEXT PRIMARY KEY, state TEXT NOT NULL, connection INTEGER NOT NULL, at INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS alarms (id TEXT PRIMARY KEY, alarm TEXT NOT NULL, value REAL, limit_value REAL);
  CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, alarm TEXT NOT NULL, post TEXT NOT NULL, rule TEXT NOT NULL,
    from_state TEXT NOT NULL, to_state TEXT NOT NULL, event TEXT NOT NULL, by_person TEXT, comment TEXT,
    historical INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS journal_of_post ON journal (post, seq);
  CREATE TABLE IF NOT EXISTS marks (post TEXT NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (post, day)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, post TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, closing REAL, opening REAL NOT NULL, withdrawn INTEGER NOT NULL, by_person TEXT NOT NULL,
    entered_at INTEGER NOT NULL, comment TEXT
  );
`;

interface JournalRow extends Omit<JournalEntry, 'historical'> {
  readonly historical: number;
}

const JOURNAL_COLUMNS =
  'seq, at, alarm, post, rule, from_state AS "from", to_state AS "to", event, by_person AS "by", comment, historical';

/**
 * Opens `folder`/registry.sqlite. Faults: `STORE_UNAVAILABLE` (not writable, damaged, in use by another process),
 * `STORE_FULL`. Its functions throw an error with such a `code` when the disk fails them; nothing is then half saved.
 */
export function createSqliteRegistry(options: { readonly folder: string }): Result<Registry & BackedUp, StoreFault> {
  const path = databasePath(options.folder, 'registry');
  const opened = openSqlite(path, SCHEMA);
  if (!opened.ok) return opened;
  try {
    return ok(registryOn(opened.value, path, createReserve(path)));
  } catch (error) {
    opened.value.close();
    return failed(faultOf(error, path));
  }
}

/** A registry that could not save. */
export class RegistryError extends Error {
  readonly code: StoreFault['code'];

  constructor(fault: StoreFault) {
    super(fault.message);
    this.code = fault.code;
  }
}

function registryOn(database: SqliteDatabase, path: string, reserve: Reserve): Registry & BackedUp {
  reserve.hold();
  const statements = prepareStatements(database);
  const save = (change: () => void): void => {
    try {
      database.transaction(change).immediate();
      reserve.hold();
    } catch (error) {
      const fault = faultOf(error, path);
      // Small as it is, the registry may use its reserve: alarms are kept while the telemetry already waits.
      if (fault.code !== 'STORE_FULL') throw new RegistryError(fault);
      reserve.release();
      try {
        database.transaction(change).immediate();
      } catch (again) {
        throw new RegistryError(faultOf(again, path));
      }
    }
  };
  return {
    births: () =>
      statements.births
        .all()
        .map(({ post, birth, receivedAt }) => ({ post, birth: JSON.parse(birth) as Birth, receivedAt })),
    saveBirth: (post, birth, receivedAt, placings) =>
      save(() => {
        statements.saveBirth.run(post, JSON.stringify(birth), receivedAt);
        if (placings !== undefined) statements.savePlacings.run(post, packPlacings(placings));
      }),
    placings: () =>
      statements.placings.all().map(({ post, placings }) => ({ post, placings: unpackPlacings(placings) })),
    savePlacings: (post, placings) => save(() => statements.savePlacings.run(post, packPlacings(placings))),
    identities: () =>
      statements.identities.all().map(({ post, facts }) => ({ post, facts: JSON.parse(facts) as IdentityFacts })),
    saveIdentity: (post, facts) => save(() => statements.saveIdentity.run(post, JSON.stringify(facts))),
    replays: () => statements.replays.all().map((row) => ({ ...row, deadLetters: row.deadLetters === 1 })),
    saveReplay: (replay) =>
      save(() => statements.saveReplay.run({ ...replay, deadLetters: replay.deadLetters ? 1 : 0 })),
    postStates: () => statements.postStates.all(),
    savePostState: (post, state, connection, at) =>
      save(() => statements.savePostState.run(post, state, connection, at)),
    alarms: () =>
      statements.alarms.all().map(({ id, alarm, value, limit }) => ({
        id,
        alarm: JSON.parse(alarm) as StoredAlarm['alarm'],
        value,
        limit,
      })),
    saveAlarms: (alarms, journal) =>
      save(() => {
        for (const { id, alarm, value, limit } of alarms)
          statements.saveAlarm.run(id, JSON.stringify(alarm), value, limit);
        for (const entry of journal) statements.addEntry.run({ ...entry, historical: entry.historical ? 1 : 0 });
      }),
    journal: ({ post, before = Number.MAX_SAFE_INTEGER, limit }) => {
      const rows =
        post === undefined ? statements.journal.all(before, limit) : statements.journalOfPost.all(post, before, limit);
      return rows.map((row) => ({ ...row, historical: row.historical === 1 }));
    },
    marks: () => statements.marks.all(),
    addMarks: (marks) =>
      save(() => {
        for (const { post, day } of marks) statements.addMark.run(post, day);
      }),
    clearMarks: (marks) =>
      save(() => {
        for (const { post, day } of marks) statements.clearMark.run(post, day);
      }),
    counterEvents: () => statements.counterEvents.all().map((row) => ({ ...row, withdrawn: row.withdrawn === 1 })),
    saveCounterEvent: (event, entry) => {
      let id = 0;
      save(() => {
        const row = { ...event, id: event.id ?? null, withdrawn: event.withdrawn ? 1 : 0 };
        const saved = statements.saveCounterEvent.run(row);
        id = event.id ?? Number(saved.lastInsertRowid);
        statements.addEntry.run({ ...entry, historical: entry.historical ? 1 : 0 });
      });
      return id;
    },
    async backup(to) {
      try {
        await database.backup(to);
        return ok(undefined);
      } catch (error) {
        return failed(faultOf(error, to));
      }
    },
    close: () => {
      database.close();
    },
  };
}

/** [index, device, metric, kind] */
type PackedMetric = readonly [number, string, string, PlacedMetric['kind']];

interface PackedPlacings {
  /** Births that differ in their number only share one. */
  readonly tables: readonly (readonly PackedMetric[])[];
  readonly births: readonly { readonly number: number; readonly gateway: string; readonly table: number | null }[];
}

function packPlacings(placings: readonly Placing[]): string {
  const maps = [...new Set(placings.map(({ metrics }) => metrics))].filter((map) => map !== undefined);
  const packed: PackedPlacings = {
    tables: maps.map((map) =>
      [...map].map(([index, { device, metric, kind }]) => [index, device, metric, kind] as const),
    ),
    births: placings.map(({ number, gateway, metrics }) => ({
      number,
      gateway,
      table: metrics === undefined ? null : maps.indexOf(metrics),
    })),
  };
  return JSON.stringify(packed);
}

function unpackPlacings(text: string): Placing[] {
  const { births, tables } = JSON.parse(text) as PackedPlacings;
  const maps = tables.map(
    (table) => new Map(table.map(([index, device, metric, kind]) => [index, { device, metric, kind }])),
  );
  return births.map(({ number, gateway, table }) => ({
    number,
    gateway,
    metrics: table === null ? undefined : maps[table],
  }));
}

interface CounterEventRow extends Omit<StoredCounterEvent, 'id' | 'withdrawn'> {
  readonly id: number | null;
  readonly withdrawn: number;
}

interface ReplayRow extends Omit<StoredReplay, 'deadLetters'> {
  readonly deadLetters: number;
}

function prepareStatements(database: SqliteDatabase) {
  return {
    births: database.prepare<[], { post: string; birth: string; receivedAt: number }>(
      'SELECT post, birth, received_at AS receivedAt FROM births ORDER BY post',
    ),
    saveBirth: database.prepare<[string, string, number]>(
      'INSERT OR REPLACE INTO births (post, birth, received_at) VALUES (?, ?, ?)',
    ),
    placings: database.prepare<[], { post: string; placings: string }>(
      'SELECT post, placings FROM placings ORDER BY post',
    ),
    savePlacings: database.prepare<[string, string]>('INSERT OR REPLACE INTO placings (post, placings) VALUES (?, ?)'),
    identities: database.prepare<[], { post: string; facts: string }>(
      'SELECT post, facts FROM identities ORDER BY post',
    ),
    saveIdentity: database.prepare<[string, string]>('INSERT OR REPLACE INTO identities (post, facts) VALUES (?, ?)'),
    replays: database.prepare<[], ReplayRow>(
      'SELECT post, at, since, dead_letters AS deadLetters, by_person AS "by", sent_at AS sentAt FROM replays ORDER BY post',
    ),
    saveReplay: database.prepare<[ReplayRow]>(
      'INSERT OR REPLACE INTO replays (post, at, since, dead_letters, by_person, sent_at) ' +
        'VALUES (@post, @at, @since, @deadLetters, @by, @sentAt)',
    ),
    postStates: database.prepare<[], ReturnType<Registry['postStates']>[number]>(
      'SELECT post, state, connection, at FROM post_states ORDER BY post',
    ),
    savePostState: database.prepare<[string, string, number, number]>(
      'INSERT OR REPLACE INTO post_states (post, state, connection, at) VALUES (?, ?, ?, ?)',
    ),
    alarms: database.prepare<[], { id: string; alarm: string; value: number | null; limit: number | null }>(
      'SELECT id, alarm, value, limit_value AS "limit" FROM alarms ORDER BY id',
    ),
    saveAlarm: database.prepare<[string, string, number | null, number | null]>(
      'INSERT OR REPLACE INTO alarms (id, alarm, value, limit_value) VALUES (?, ?, ?, ?)',
    ),
    addEntry: database.prepare<[Omit<JournalRow, 'seq'>]>(
      'INSERT INTO journal (at, alarm, post, rule, from_state, to_state, event, by_person, comment, historical) ' +
        'VALUES (@at, @alarm, @post, @rule, @from, @to, @event, @by, @comment, @historical)',
    ),
    counterEvents: database.prepare<[], CounterEventRow & { readonly id: number }>(
      'SELECT id, post, device, metric, at, kind, closing, opening, withdrawn, by_person AS "by", ' +
        'entered_at AS enteredAt, comment FROM counter_events ORDER BY at, id',
    ),
    saveCounterEvent: database.prepare<[CounterEventRow]>(
      'INSERT OR REPLACE INTO counter_events (id, post, device, metric, at, kind, closing, opening, withdrawn, by_person, ' +
        'entered_at, comment) VALUES (@id, @post, @device, @metric, @at, @kind, @closing, @opening, @withdrawn, @by, ' +
        '@enteredAt, @comment)',
    ),
    marks: database.prepare<[], PostDay>('SELECT post, day FROM marks ORDER BY post, day'),
    addMark: database.prepare<[string, number]>('INSERT OR IGNORE INTO marks (post, day) VALUES (?, ?)'),
    clearMark: database.prepare<[string, number]>('DELETE FROM marks WHERE post = ? AND day = ?'),
    journal: database.prepare<[number, number], JournalRow>(
      `SELECT ${JOURNAL_COLUMNS} FROM journal WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
    ),
    journalOfPost: database.prepare<[string, number, number], JournalRow>(
      `SELECT ${JOURNAL_COLUMNS} FROM journal WHERE post = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
    ),
  };
}
