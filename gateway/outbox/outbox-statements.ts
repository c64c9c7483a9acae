// Every statement that the outbox runs on its records. `BETWEEN` is over a record's number, both ends included.
import type Database from 'better-sqlite3';
import { RECORD_OVERHEAD_BYTES } from './outbox.js';
import type { RecordRow, RowHead } from './record-row.js';

const HEAD = 'seq, at, shift, boot, flags, samples, before, after, code, crc';
const LIVING = 'FROM record WHERE seq BETWEEN ? AND ? AND code IS NULL';
const BYTES = `coalesce(sum(length(body) + ${RECORD_OVERHEAD_BYTES}), 0)`;

export interface ZoneSums {
  readonly last: number;
  readonly min: number;
  readonly max: number;
  /** Latest time of a record made while connected; of any whose time is known. */
  readonly online: number | null;
  readonly newest: number | null;
  readonly bytes: number;
  readonly living: number;
  readonly untimed: number;
  readonly dead: number;
}

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(db: Database.Database) {
  return { ...readingStatements(db), ...changingStatements(db) };
}

function readingStatements(db: Database.Database) {
  return {
    firstFrom: db.prepare<[number], number | null>('SELECT min(seq) FROM record WHERE seq >= ?').pluck(),
    sumZone: db.prepare<[number, number], ZoneSums>(`SELECT max(seq) AS last, min(at - before) AS min,
      max(at + after) AS max, max(at) FILTER (WHERE flags & 1 = 0 AND shift IS NOT NULL) AS online,
      max(at) FILTER (WHERE shift IS NOT NULL) AS newest,
      coalesce(sum(length(body) + ${RECORD_OVERHEAD_BYTES}) FILTER (WHERE code IS NULL), 0) AS bytes,
      count(*) FILTER (WHERE code IS NULL) AS living,
      count(*) FILTER (WHERE code IS NULL AND shift IS NULL) AS untimed,
      count(code) AS dead FROM record WHERE seq BETWEEN ? AND ?`),
    deadIn: db
      .prepare<[number, number], number>('SELECT seq FROM record WHERE seq BETWEEN ? AND ? AND code IS NOT NULL')
      .pluck(),
    anyIn: db.prepare<[number, number], number>('SELECT 1 FROM record WHERE seq BETWEEN ? AND ? LIMIT 1').pluck(),
    countIn: db.prepare<[number, number], number>(`SELECT count(*) ${LIVING}`).pluck(),
    sizesIn: db.prepare<[number, number], { seq: number; bytes: number }>(
      `SELECT seq, length(body) AS bytes ${LIVING} ORDER BY seq`,
    ),
    bytesIn: db.prepare<[number, number], number>(`SELECT ${BYTES} ${LIVING}`).pluck(),
    /** Of records whose time is known. */
    heads: db.prepare<[number, number], RowHead>(`SELECT ${HEAD} ${LIVING} AND shift IS NOT NULL ORDER BY seq`),
    rows: db.prepare<[number, number], RecordRow>(`SELECT ${HEAD}, body ${LIVING} ORDER BY seq`),
    timedIn: db.prepare<[number, number], number>(`SELECT seq ${LIVING} AND shift IS NOT NULL ORDER BY seq`).pluck(),
    sinceIn: db.prepare<[number, number, number], number>(`SELECT seq ${LIVING} AND at >= ? ORDER BY seq`).pluck(),
    untimedFrom: db.prepare<[number], RecordRow>(
      `SELECT ${HEAD}, body FROM record WHERE seq >= ? AND shift IS NULL AND code IS NULL ORDER BY seq`,
    ),
    row: db.prepare<[number], RecordRow>(`SELECT ${HEAD}, body FROM record WHERE seq = ?`),
    size: db.prepare<[number], { bytes: number; untimed: number }>(
      'SELECT length(body) AS bytes, shift IS NULL AS untimed FROM record WHERE seq = ? AND code IS NULL',
    ),
    newestAt: db.prepare<[], number>('SELECT at FROM record WHERE shift IS NOT NULL ORDER BY seq DESC LIMIT 1').pluck(),
  };
}

function changingStatements(db: Database.Database) {
  return {
    add: db.prepare<[RecordRow]>(`INSERT INTO record (${HEAD}, body)
      VALUES (:seq, :at, :shift, :boot, :flags, :samples, :before, :after, :code, :crc, :body)`),
    replace: db.prepare<[RecordRow]>(`UPDATE record SET at = :at, shift = :shift, flags = :flags, samples = :samples,
      before = :before, after = :after, crc = :crc, body = :body WHERE seq = :seq`),
    setCode: db.prepare<[string | null, number]>('UPDATE record SET code = ? WHERE seq = ?'),
    removeIn: db.prepare<[number, number]>(`DELETE ${LIVING}`),
    removeDead: db.prepare<[number]>('DELETE FROM record WHERE seq = ? AND code IS NOT NULL'),
  };
}
