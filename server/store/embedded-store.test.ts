import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Point } from '../ports.js';
import { type EmbeddedStore, openEmbeddedStoreHere } from './embedded-store.js';
import { createReserve, openSqlite } from './sqlite.js';

const T0 = Date.UTC(2026, 0, 15);
let folder: string;
const open: { close(): unknown }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-embedded-'));
});
afterEach(() => {
  for (const store of open.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

function openStore(pagesMax?: number): EmbeddedStore {
  const opened = openEmbeddedStoreHere({ folder, ...(pagesMax === undefined ? {} : { pagesMax }) });
  if (!opened.ok) throw new Error(opened.fault.message);
  open.push(opened.value);
  return opened.value;
}

function points(from: number, count: number): Point[] {
  return Array.from({ length: count }, (_, i) => ({
    post: 'langar',
    device: 'meter',
    metric: 'ac.power',
    at: T0 + (from + i) * 1000,
    value: Math.sin(from + i),
    code: 0,
  }));
}

test('a commit is on the disk before it is told: WAL with synchronous=FULL', () => {
  const opened = openSqlite(join(folder, 'x.sqlite'));
  if (!opened.ok) throw new Error(opened.fault.message);
  open.push(opened.value);
  expect(opened.value.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(opened.value.pragma('synchronous', { simple: true })).toBe(2);
  expect(opened.value.pragma('journal_size_limit', { simple: true })).toBe(4 * 1024 * 1024);
});

test('a second server on the same folder is told to leave', () => {
  openStore();
  expect(openEmbeddedStoreHere({ folder })).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('in use by another process') },
  });
});

test('a file that is no database is a fault, not a crash', () => {
  writeFileSync(join(folder, 'telemetry.sqlite'), 'x'.repeat(10_000));
  expect(openEmbeddedStoreHere({ folder })).toMatchObject({
    ok: false,
    fault: { code: 'STORE_UNAVAILABLE', message: expect.stringContaining('put it aside') },
  });
});

test('on a full disk writes are refused whole, the reserve is given up, and what is stored stays readable', async () => {
  const store = openStore(40);
  const reserve = join(folder, 'telemetry.sqlite.reserve');
  expect(statSync(reserve).size).toBe(16 * 1024 * 1024);
  expect(await store.write(points(0, 500))).toEqual({ ok: true, value: [] });
  const answer = await store.write([
    { ...points(0, 1)[0]!, device: 'unheard-of', metric: 'novel.metric' },
    ...points(1000, 40_000),
  ]);
  expect(answer).toMatchObject({ ok: false, fault: { code: 'STORE_FULL' } });
  expect(existsSync(reserve)).toBe(false);
  expect(store.counters()).toMatchObject({ storeReserveReleased: 1, storeFaults: 1, storePoints: 500 });
  const name = { post: 'langar', device: 'meter', metric: 'ac.power' };
  const read = await store.read(name, 0, T0 * 2);
  expect(read.ok && read.value).toEqual(points(0, 500));
  expect(await store.latest('langar')).toMatchObject({ ok: true, value: [{ device: 'meter' }] });
  // Space again (here: a write that still fits): it goes on, with a reserve.
  expect(await store.write(points(500, 10))).toEqual({ ok: true, value: [] });
  expect(existsSync(reserve)).toBe(true);
  const novel = { ...points(0, 1)[0]!, device: 'unheard-of', metric: 'novel.metric', value: 'word' };
  expect(await store.write([novel])).toEqual({ ok: true, value: [] });
});

test('without a reserve nothing is held', () => {
  const reserve = createReserve(join(folder, 'no-such-folder', 'x.sqlite'));
  expect(reserve.hold()).toBe(false);
});
