import { spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outbox, PendingQuery, RecordDraft } from './outbox.js';
import { connect } from './outbox-schema.js';
import { openSqliteOutbox, type SqliteOutboxOptions } from './sqlite-outbox.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const ALL: PendingQuery = { liveSince: NOON, samplesMax: 1e6, recordsMax: 1e6, skip: () => false };
const RESERVE_BYTES = 64 * 1024;

let folder: string;
let file: string;
const open = (options: Partial<SqliteOutboxOptions> = {}): Outbox => {
  const opened = openSqliteOutbox({ file, reserveBytes: RESERVE_BYTES, ...options });
  if (!opened.ok) throw new Error(`${opened.fault.code} ${opened.fault.message}`);
  return opened.value;
};
const draft = (at: number, count = 1): RecordDraft => ({
  samples: Array.from({ length: count }, (_, i) => ({
    device: 'meter',
    metric: `ac.l${i}.voltage`,
    value: at / 7 + i,
    reason: 'good' as const,
    at,
  })),
  offline: false,
  at,
});
/** The files as a power cut would leave them: of a database that nobody closed. */
function copyAside(): string {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  const target = mkdtempSync(join(folder, 'copy-'));
  for (const name of readdirSync(folder).filter(
    (entry) => entry.startsWith('outbox.db') && !entry.endsWith('.reserve'),
  ))
    copyFileSync(join(folder, name), join(target, name));
  return join(target, 'outbox.db');
}

/** Says the id of each record once it is stored. */
const WRITE_FOR_EVER = `
import { writeSync } from 'node:fs';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
const { value } = openSqliteOutbox({ file: process.argv[1], reserveBytes: 0 });
const samples = Array.from({ length: 20 }, (_, i) => ({ device: 'm', metric: 'x' + i, value: i, reason: 'good', at: 1 }));
for (;;) writeSync(1, value.append([{ samples, offline: false, at: 1 }]).value[0].id + '\\n');
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-outbox-'));
  file = join(folder, 'outbox.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('on the disk', () => {
  test('every commit is flushed where nothing may be lost, else only what sync is called for', () => {
    for (const [isFull, synchronous] of [
      [true, 2],
      [false, 1],
    ] as const) {
      const database = new Database(file);
      connect(database, file, { isFull });
      expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(database.pragma('synchronous', { simple: true })).toBe(synchronous);
      expect(database.pragma('page_size', { simple: true })).toBe(1024);
      database.close();
    }
  });

  test('a flush that the disk refuses is a fault, and is tried again', () => {
    const outbox = open({ writeDelayMs: 10_000 });
    outbox.append([draft(NOON)]);
    const wal = `${file}-wal`;
    renameSync(wal, `${wal}.away`);
    mkdirSync(wal);
    expect(outbox.sync()).toMatchObject({ ok: false, fault: { code: 'OUTBOX_FAILED' } });
    rmSync(wal, { recursive: true });
    renameSync(`${wal}.away`, wal);
    expect(outbox.sync()).toEqual({ ok: true, value: undefined });
    outbox.close();
  });

  test('what append has returned is there after the process is gone without a word', () => {
    const outbox = open();
    outbox.append([draft(NOON), draft(NOON + 1)]);
    outbox.markReceipted(outbox.epoch, [[1, 1]], NOON);
    outbox.append([draft(NOON + 2)]);
    const afterCut = openSqliteOutbox({ file: copyAside(), reserveBytes: 0 });
    if (!afterCut.ok) throw new Error(afterCut.fault.message);
    expect(afterCut.value.epoch).not.toBe(outbox.epoch);
    expect(afterCut.value.pending('live', ALL)).toMatchObject([
      { epoch: outbox.epoch, id: 2, samples: draft(NOON + 1).samples },
      { epoch: outbox.epoch, id: 3, samples: draft(NOON + 2).samples },
    ]);
    afterCut.value.close();
    outbox.close();
  });

  test('a process killed in the middle of writing leaves whole records, every one it was told of', async () => {
    const args = ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', WRITE_FOR_EVER, file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString().split('\n').length - 1;
      if (told > 200) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    const outbox = open();
    const records = outbox.pending('live', { ...ALL, liveSince: 0 });
    expect(records.length).toBeGreaterThanOrEqual(told);
    expect(records.map(({ id }) => id)).toEqual(records.map((_, i) => i + 1));
    expect(records.every(({ samples }) => samples.length === 20)).toBe(true);
    outbox.close();
  }, 30_000);

  test('one payload’s worth is of one epoch, the oldest first', () => {
    for (const [epoch, count] of [
      ['aaaaaaaaaaaaaaaa', 2],
      ['bbbbbbbbbbbbbbbb', 3],
    ] as const) {
      const outbox = open({ epoch });
      outbox.append(Array.from({ length: count }, (_, i) => draft(NOON + i)));
      outbox.close();
    }
    const outbox = open();
    const first = outbox.pending('live', ALL);
    expect(first.map(({ epoch, id }) => [epoch, id])).toEqual([
      ['aaaaaaaaaaaaaaaa', 1],
      ['aaaaaaaaaaaaaaaa', 2],
    ]);
    outbox.markReceipted('aaaaaaaaaaaaaaaa', [[1, 2]], NOON);
    expect(outbox.pending('live', ALL).map(({ epoch }) => epoch)).toEqual(Array(3).fill('bbbbbbbbbbbbbbbb'));
    outbox.close();
  });

  test('counters outlive a restart', () => {
    const outbox = open({ bytesMax: 2_000 });
    for (let i = 0; i < 40; i += 1) outbox.append([draft(NOON + i)]);
    const { expired } = outbox.status();
    expect(expired).toBeGreaterThan(0);
    outbox.close();
    const again = open();
    expect(again.status().expired).toBe(expired);
    again.close();
  });

  test('what is known beside the records outlives a restart: starts, numbers, what went out, what is stored', () => {
    const outbox = open({ epoch: 'aaaaaaaaaaaaaaaa' });
    outbox.append([0, 1, 2, 3].map((n) => draft(NOON + n)));
    outbox.keepNumber('budget', 7);
    outbox.markReceipted(outbox.epoch, [[2, 3]], NOON);
    outbox.close();
    const again = open();
    expect([outbox.start, again.start]).toEqual([1, 2]);
    expect(again.number('budget')).toBe(7);
    expect(again.pending('live', ALL).map(({ epoch, id }) => [epoch, id])).toEqual([
      ['aaaaaaaaaaaaaaaa', 1],
      ['aaaaaaaaaaaaaaaa', 4],
    ]);
    expect(again.status().pendingRecords).toBe(2);
    expect(again.append([draft(NOON + 9)])).toMatchObject({ value: [{ epoch: again.epoch, id: 1 }] });
    expect(again.markReceipted('aaaaaaaaaaaaaaaa', [[1, 9]], NOON)).toBe(2);
    expect(again.pending('live', ALL)).toMatchObject([{ epoch: again.epoch, id: 1 }]);
    again.close();
  });

  test('what was marked as sent before the flush is put into no mean after a power cut', () => {
    const before = open({ writeDelayMs: 1000 });
    const sameMinute = (n: number): RecordDraft => draft(NOON + n * 1000, 20);
    before.append(Array.from({ length: 12 }, (_, n) => sameMinute(n)));
    before.sync();
    before.markSent(before.epoch, [1, 2, 3, 4, 5, 6]);
    before.sync();
    file = copyAside();
    const after = open({ bytesMax: 14_000 });
    for (let n = 0; after.status().aggregated === 0 && n < 40; n += 1) after.append([draft(NOON + 3_600_000 + n, 20)]);
    const left = after.pending('live', { ...ALL, skip: (epoch) => epoch !== before.epoch });
    expect(after.status()).toMatchObject({ aggregated: 6 });
    const means = left.filter(({ samples }) => samples.some(({ reason }) => reason === 'aggregated'));
    expect(means.map(({ id }) => id)).toEqual([12]);
    expect(left.some(({ id }) => id <= 6)).toBe(true);
    before.close();
    after.close();
  });

  test('what aggregation left out parts no receipts: they stay few however many records one mean stands for', () => {
    const outbox = open({ bytesMax: 60_000, writeDelayMs: 10_000 });
    for (let i = 0; i < 1_000; i += 1) outbox.append([draft(NOON + i * 5_000, 4)]);
    const { aggregated, expired, pendingRecords } = outbox.status();
    expect([aggregated > 500, expired, pendingRecords > 80]).toEqual([true, 0, true]);
    const waiting = outbox.pending('history', { ...ALL, liveSince: NOON * 2 });
    expect(waiting).toHaveLength(pendingRecords);
    const receipt = (outbox: Outbox, at: number): void => {
      for (const { id } of waiting.slice(0, -1)) outbox.markReceipted(waiting[0]!.epoch, [[id, id]], at);
    };
    const kinds = (): unknown[] => {
      const database = new Database(file, { readonly: true });
      const found = database.prepare("SELECT kind FROM fact WHERE kind IN ('receipted', 'sent', 'gone')").pluck().all();
      database.close();
      return found;
    };
    receipt(outbox, NOON);
    const status = outbox.status();
    expect(status.pendingRecords).toBe(1);
    expect(status.pendingBytes).toBe(Math.round(status.bytes / waiting.length));
    outbox.close();
    expect(kinds()).toEqual(['receipted']);

    const again = open();
    expect(again.status()).toMatchObject({ pendingRecords: 1, bytes: status.bytes, pendingBytes: status.pendingBytes });
    expect(again.replay(0)).toBe(waiting.length - 1);
    receipt(again, NOON + 86_400_000);
    again.close();
    // Before the first record, and from it on.
    expect(kinds()).toEqual(['receipted', 'receipted']);
  });

  test('a record whose bytes changed on the disk is never sent: it is a dead letter without samples', () => {
    const outbox = open();
    outbox.append([draft(NOON), draft(NOON + 1), draft(NOON + 2)]);
    outbox.close();
    const database = new Database(file);
    database.exec("UPDATE record SET body = CAST(replace(body, 'voltage', 'current') AS BLOB) WHERE seq = 2");
    database.close();
    const again = open();
    expect(again.pending('live', ALL).map(({ id }) => id)).toEqual([1, 3]);
    expect(again.deadLetters(10)).toMatchObject([{ id: 2, code: 'OUTBOX_RECORD_DAMAGED', samples: [] }]);
    expect(again.retryDeadLetters()).toBe(0);
    expect(again.status()).toMatchObject({ refused: 1, pendingRecords: 2 });
    again.close();
  });

  test('a file that is found damaged while it is open is replaced by what is whole in it, and work goes on', () => {
    const outbox = open();
    // More than the cache holds.
    outbox.append(Array.from({ length: 10_000 }, (_, n) => draft(NOON + n, 10)));
    outbox.close();
    const again = open();
    again.markReceipted(again.epoch, [[1, 1]], NOON);
    again.append([draft(NOON + 50_000)]);
    // A page in the middle, beneath the open database.
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 1024 * 60, 1024 * 61);
    const handle = openSync(file, 'r+');
    writeSync(handle, bytes, 1024 * 60, 1024, 1024 * 60);
    closeSync(handle);
    const found = again.pending('live', ALL);
    const more = again.append([draft(NOON + 50_001)]);
    expect(more).toMatchObject({ ok: true, value: [{ epoch: again.epoch, id: 2 }] });
    const left = [...again.pending('live', { ...ALL, skip: (epoch) => epoch !== again.epoch })];
    expect(left.map(({ id }) => id)).toEqual([1, 2]);
    expect(found.length).toBeGreaterThan(9_900);
    expect(again.salvage?.recovered).toBeGreaterThan(9_900);
    expect(existsSync(again.setAside ?? '')).toBe(true);
    again.close();
    const last = open();
    expect([last.setAside, last.start]).toEqual([undefined, 3]);
    last.close();
  });

  test('two gateways cannot have one outbox', () => {
    const outbox = open();
    expect(openSqliteOutbox({ file })).toMatchObject({ ok: false, fault: { code: 'OUTBOX_LOCKED' } });
    outbox.close();
  });

  test('a damaged file is put aside, whole, and a new outbox begun', () => {
    writeFileSync(file, 'no database at all, '.repeat(500));
    const outbox = open();
    expect(readFileSync(outbox.setAside ?? '', 'utf8')).toContain('no database at all');
    expect(outbox.append([draft(NOON)]).ok).toBe(true);
    outbox.close();
    const again = open();
    expect(again.setAside).toBeUndefined();
    again.close();
  });

  test('a file of another version is left alone', () => {
    const database = new Database(file);
    database.pragma('user_version = 99');
    database.close();
    expect(openSqliteOutbox({ file })).toMatchObject({ ok: false, fault: { code: 'OUTBOX_FAILED' } });
  });
});

describe('a full disk', () => {
  const reserve = () => (existsSync(`${file}.reserve`) ? statSync(`${file}.reserve`).size : 0);
  const fill = (outbox: Outbox, from: number): number => {
    let at = from;
    while (outbox.status().diskFull === 0 && at < from + 5_000) {
      const stored = outbox.append([draft(at, 30)]);
      if (!stored.ok) throw new Error(stored.fault.message);
      at += 1;
    }
    return at;
  };

  test('gives the reserve free, lets receipted records go, and stores on', () => {
    const outbox = open({ fileBytesMax: 200 * 4096, writeDelayMs: 10_000 });
    expect(reserve()).toBe(RESERVE_BYTES);
    outbox.append(Array.from({ length: 300 }, (_, i) => draft(NOON - 1_000 + i, 30)));
    outbox.markReceipted(outbox.epoch, [[1, 300]], NOON);
    fill(outbox, NOON);
    expect(outbox.status()).toMatchObject({ diskFull: 1, expired: 0 });
    expect(reserve()).toBe(0);
    outbox.trim(NOON);
    expect(reserve()).toBe(RESERVE_BYTES);
    outbox.close();
  });

  test('without receipted records the oldest expire, counted', () => {
    const outbox = open({ fileBytesMax: 200 * 4096, writeDelayMs: 10_000 });
    const end = fill(outbox, NOON);
    const { expired, pendingRecords, diskFull } = outbox.status();
    expect(diskFull).toBe(1);
    expect(expired).toBeGreaterThan(0);
    expect(expired + pendingRecords).toBe(end - NOON);
    expect(outbox.pending('live', ALL)).toHaveLength(pendingRecords);
    outbox.close();
  });

  test('one poll that is larger than everything is a fault, and nothing else is hurt by it', () => {
    const outbox = open({ fileBytesMax: 60 * 4096, writeDelayMs: 10_000 });
    outbox.append([draft(NOON)]);
    const stored = outbox.append([draft(NOON + 1, 30_000)]);
    expect(stored).toMatchObject({ ok: false, fault: { code: 'OUTBOX_FULL' } });
    const { pendingRecords, bytes, expired } = outbox.status();
    expect(outbox.pending('live', ALL)).toHaveLength(pendingRecords);
    expect(pendingRecords + expired).toBe(1);
    expect(bytes).toBeLessThan(1_000);
    expect(outbox.append([draft(NOON + 2)]).ok).toBe(true);
    outbox.close();
  });
});
