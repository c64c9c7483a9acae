// Every statement that the outbox runs.
import type Database from 'better-sqlite3';

export interface RecordRow {
  readonly seq: number;
  readonly epoch: string;
  readonly id: number;
  readonly at: number;
  readonly shift: number | null;
  readonly offline: number;
  readonly samples: number;
}

export interface SizeRow {
  readonly seq: number;
  readonly bytes: number;
  /** 1 while its time is unknown. */
  readonly untimed: number;
}

const RECORD = (index: string) => `SELECT seq, epoch.name AS epoch, id, at, shift, offline, samples
  FROM record INDEXED BY ${index} JOIN epoch ON epoch.number = record.epoch`;
const SIZE = 'SELECT seq, bytes, shift IS NULL AS untimed FROM record';

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: Database.Database) {
  return { ...recordStatements(database), ...roomStatements(database), ...sideStatements(database) };
}

function recordStatements(db: Database.Database) {
  const number = (sql: string) => db.prepare<[], number>(sql).pluck();
  return {
    addEpoch: db.prepare<[string]>('INSERT INTO epoch (name) VALUES (?)'),
    forgetEpochs: db.prepare('DELETE FROM epoch WHERE number NOT IN (SELECT DISTINCT epoch FROM record)'),
    sumBytes: number('SELECT coalesce(sum(bytes), 0) FROM record'),
    countPending: number('SELECT count(*) FROM record WHERE state = 0'),
    countUntimed: number('SELECT count(*) FROM record WHERE shift IS NULL'),
    add: db.prepare<[number, number, number, number | null, string | null, number, number, number, Buffer]>(
      `INSERT INTO record (epoch, id, at, shift, boot, offline, samples, bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    // The live part is small and found by its time; what is found is sorted by age.
    live: db.prepare<[number], RecordRow>(
      `${RECORD('record_live')} WHERE state = 0 AND offline = 0 AND at >= ? AND shift IS NOT NULL ORDER BY seq`,
    ),
    history: db.prepare<[number], RecordRow>(
      `${RECORD('record_waiting')} WHERE state = 0 AND (offline = 1 OR at < ?) AND shift IS NOT NULL ORDER BY seq`,
    ),
    body: db.prepare<[number], Buffer>('SELECT body FROM record WHERE seq = ?').pluck(),
    receipt: db.prepare<[number, string, number, number]>(
      `UPDATE record SET state = 1, receipted_at = ? WHERE state = 0 AND shift IS NOT NULL
        AND epoch = (SELECT number FROM epoch WHERE name = ?) AND id BETWEEN ? AND ?`,
    ),
    waiting: db.prepare<[string, number], SizeRow>(
      `${SIZE} WHERE state = 0 AND epoch = (SELECT number FROM epoch WHERE name = ?) AND id = ?`,
    ),
    replay: db.prepare<[number]>('UPDATE record SET state = 0, receipted_at = NULL WHERE state = 1 AND at >= ?'),
    untimed: db.prepare<[string], { body: Buffer }>('SELECT body FROM record WHERE shift IS NULL AND boot = ?'),
    untimable: db.prepare<[], SizeRow>(`${SIZE} WHERE shift IS NULL`),
    learnTime: db.prepare<[number, number, string]>(
      'UPDATE record SET shift = ?, at = at + ? WHERE shift IS NULL AND boot = ?',
    ),
  };
}

function roomStatements(db: Database.Database) {
  return {
    receiptedBefore: db.prepare<[number, number], SizeRow>(
      `${SIZE} WHERE state = 1 AND receipted_at < ? ORDER BY receipted_at LIMIT ?`,
    ),
    oldestReceipted: db.prepare<[number], SizeRow>(`${SIZE} WHERE state = 1 ORDER BY receipted_at LIMIT ?`),
    oldestWaiting: db.prepare<[number], SizeRow>(`${SIZE} WHERE state = 0 ORDER BY seq LIMIT ?`),
    remove: db.prepare<[number]>('DELETE FROM record WHERE seq = ?'),
  };
}

function sideStatements(db: Database.Database) {
  return {
    hasTime: db.prepare<[string, number]>('SELECT 1 FROM used_time WHERE device = ? AND at = ?'),
    useTime: db.prepare<[string, number]>('INSERT OR IGNORE INTO used_time (device, at) VALUES (?, ?)'),
    devices: db.prepare<[], { device: string }>('SELECT DISTINCT device FROM catalogue'),
    forgetTimes: db.prepare<[string, number]>('DELETE FROM used_time WHERE device = ? AND at < ?'),
    bury: db.prepare<[string, number]>(
      `INSERT INTO dead_letter (epoch, id, code, body) SELECT epoch.name, id, ?, body
        FROM record JOIN epoch ON epoch.number = record.epoch WHERE seq = ?`,
    ),
    deadLetters: db.prepare<[number], { epoch: string; id: number; code: string; body: Buffer }>(
      'SELECT epoch, id, code, body FROM dead_letter ORDER BY seq DESC LIMIT ?',
    ),
    dropDeadLetters: db.prepare<[number]>(
      'DELETE FROM dead_letter WHERE seq <= (SELECT max(seq) FROM dead_letter) - ?',
    ),
    // What is no longer declared stays until the last record that may hold it is gone.
    retireAll: db.prepare(
      'UPDATE catalogue SET retired_after = (SELECT coalesce(max(seq), 0) FROM record) WHERE retired_after IS NULL',
    ),
    declare: db.prepare<[string, string, string]>(
      `INSERT INTO catalogue (device, metric, description) VALUES (?, ?, ?)
        ON CONFLICT (device, metric) DO UPDATE SET description = excluded.description, retired_after = NULL`,
    ),
    forgetRetired: db.prepare(
      `DELETE FROM catalogue WHERE retired_after IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM record WHERE seq <= retired_after)`,
    ),
    retired: db.prepare<[], { device: string; metric: string; description: string }>(
      'SELECT device, metric, description FROM catalogue WHERE retired_after IS NOT NULL ORDER BY device, metric',
    ),
    counters: db.prepare<[], { name: string; value: number }>('SELECT name, value FROM counter'),
    count: db.prepare<[string, number, number]>(
      'INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ?',
    ),
  };
}
