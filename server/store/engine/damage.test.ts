import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdNothing } from '#tests/support/store-model.js';
import type { Point, SeriesName } from '../../ports.js';
import { type EmbeddedStore, openEmbeddedStoreHere } from '../embedded-store.js';

const T0 = Date.UTC(2026, 0, 15);
const HOUR = 3_600_000;
const SERIES: readonly SeriesName[] = Array.from({ length: 12 }, (_, i) => ({
  post: 'langar',
  device: 'meter',
  metric: `bench.m${i}`,
}));
const PER_SERIES = 3 * 24 * 20;
let root: string;
let copies = 0;

function numberOf(series: number, i: number): number {
  return Math.round(1000 * Math.sin(i / 50 + series) + 37 * series) / 100;
}

function pointsOf(from: number, to: number): Point[] {
  const points: Point[] = [];
  for (let i = from; i < to; i += 1)
    for (const [number, name] of SERIES.entries())
      points.push({ ...name, at: T0 + i * 180_000, value: numberOf(number, i), code: 0 });
  return points;
}

const told: { code?: string; saved?: Record<string, number> }[] = [];

function open(folder: string): EmbeddedStore {
  told.length = 0;
  const opened = openEmbeddedStoreHere({ folder, log: { warn: (fields) => told.push(fields) } });
  if (!opened.ok) throw Object.assign(new Error(opened.fault.message), { code: opened.fault.code });
  return opened.value;
}

/** A store that is partly in day blocks, partly in blocks, partly in the log; closed as a kill leaves it is copied by the caller. */
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'oftob-damage-'));
  const folder = join(root, 'whole');
  mkdirSync(folder);
  const store = open(folder);
  await store.write(pointsOf(0, 40 * 20));
  await store.seal(T0 + 24 * HOUR);
  await store.write(pointsOf(40 * 20, 60 * 20));
  await store.seal(T0 + 24 * HOUR);
  for (let hour = 60; hour < 72; hour += 1) await store.write(pointsOf(hour * 20, hour * 20 + 20));
  await store.close();
  rmSync(join(folder, 'telemetry.sqlite.reserve'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function copyOf(name: string): string {
  copies += 1;
  const folder = join(root, String(copies));
  cpSync(join(root, name), folder, { recursive: true });
  holdNothing(folder);
  return folder;
}

/** Reads all; gives how many values there are. None is other than what was written. */
async function count(store: EmbeddedStore): Promise<number> {
  let found = 0;
  for (const [number, name] of SERIES.entries()) {
    const read = await store.read(name, 0, T0 + 1000 * HOUR);
    if (!read.ok) {
      expect(read.fault.code).toBe('STORE_DAMAGED');
      continue;
    }
    for (const { at, value } of read.value) {
      const i = (at - T0) / 180_000;
      expect(value).toBe(numberOf(number, i));
      found += 1;
    }
  }
  return found;
}

const ALL = PER_SERIES * SERIES.length;

describe('a store whose file is damaged', () => {
  test('has all of it while it is whole', async () => {
    const store = open(copyOf('whole'));
    expect(await count(store)).toBe(ALL);
    expect(told).toEqual([]);
    await store.close();
  });

  test('is saved whole, and said to be, whichever bit of its first bytes flips', async () => {
    const bytes = readFileSync(join(root, 'whole', 'telemetry.sqlite'));
    for (let place = 0; place < 24; place += 1) {
      const folder = copyOf('whole');
      const flipped = Buffer.from(bytes);
      flipped[place]! ^= 1 << (place % 8);
      writeFileSync(join(folder, 'telemetry.sqlite'), flipped);
      const store = open(folder);
      expect([place, await count(store)]).toEqual([place, ALL]);
      await store.close();
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  test('is saved whole, and said to be, whichever bit of its list of tables flips', async () => {
    const bytes = readFileSync(join(root, 'whole', 'telemetry.sqlite'));
    const list = Array.from({ length: 8192 - 24 }, (_, i) => 24 + i).filter(
      (place) => place < 100 || bytes[place] !== 0,
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...list), fc.nat(7), async (place, bit) => {
        const folder = copyOf('whole');
        const flipped = Buffer.from(bytes);
        flipped[place]! ^= 1 << bit;
        writeFileSync(join(folder, 'telemetry.sqlite'), flipped);
        const store = open(folder);
        expect(await count(store)).toBe(ALL);
        expect(await store.write(pointsOf(0, 1))).toEqual({ ok: true, value: [] });
        await store.close();
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('never gives a wrong value, says what it found, and saves what can be read, wherever a bit flips', async () => {
    const bytes = readFileSync(join(root, 'whole', 'telemetry.sqlite'));
    let least = ALL;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), fc.nat(7), async (place, bit) => {
        const folder = copyOf('whole');
        const flipped = Buffer.from(bytes);
        flipped[place]! ^= 1 << bit;
        writeFileSync(join(folder, 'telemetry.sqlite'), flipped);
        const store = open(folder);
        const found = await count(store);
        await store.lookOver();
        const { storeBlocksDamaged = 0, storeRecordsDamaged = 0, storeFaults = 0 } = store.counters();
        if (found < ALL)
          expect(told.length + storeBlocksDamaged + storeRecordsDamaged + storeFaults).toBeGreaterThan(0);
        await store.close();
        // What SQLite finds damaged is saved at the next start.
        const again = open(folder);
        least = Math.min(least, await count(again));
        expect(await again.write(pointsOf(0, 1))).toEqual({ ok: true, value: [] });
        await again.close();
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 25 },
    );
    // One bit costs a block or a page of them, not the store.
    expect(least).toBeGreaterThan(ALL / 2);
  }, 60_000);

  test('that is cut off is put aside, and a new one has what can be read', async () => {
    const { length } = readFileSync(join(root, 'whole', 'telemetry.sqlite'));
    for (const share of [0.2, 0.5, 0.8, 0.95]) {
      const folder = copyOf('whole');
      const path = join(folder, 'telemetry.sqlite');
      truncateSync(path, Math.floor(length * share));
      const store = open(folder);
      expect(told).toContainEqual(
        expect.objectContaining({ code: 'STORE_SALVAGED', damagedPath: `${path}.damaged-1` }),
      );
      const found = await count(store);
      if (share === 0.95) expect(found).toBeGreaterThan(ALL / 2);
      expect(await store.write(pointsOf(0, 60))).toEqual({ ok: true, value: [] });
      expect(await count(store)).toBeGreaterThanOrEqual(60 * SERIES.length);
      await store.close();
      expect(readdirSync(folder)).not.toContain('telemetry.sqlite.salvage');
    }
  });

  test('is saved to the end also where the server was killed in the middle of it', async () => {
    const folder = copyOf('whole');
    const path = join(folder, 'telemetry.sqlite');
    // Killed before the damaged file was put aside: what was begun is begun anew.
    writeFileSync(`${path}.salvage`, 'half');
    let store = open(folder);
    expect(existsSync(`${path}.salvage`)).toBe(false);
    await store.close();
    // Killed between the two renames: the new file takes its place.
    copyFileSync(path, `${path}.salvage`);
    rmSync(path);
    store = open(folder);
    expect(await count(store)).toBe(ALL);
    await store.close();
  });
});
