import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followModel, openQuickly } from '#tests/support/store-model.js';
import type { Point, SeriesName } from '../../ports.js';
import { type EmbeddedStore, openEmbeddedStoreHere } from '../embedded-store.js';

const T0 = Date.UTC(2026, 0, 15);
const DAY = 86_400_000;
const METER: SeriesName = { post: 'langar', device: 'meter', metric: 'load.power' };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-engine-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (sealValues: number): EmbeddedStore => openQuickly(join(folder, 'store'), sealValues);

test('whatever is written, sealed, compacted, pruned and opened again, the last write of each point is what is read', async () => {
  await followModel(80);
}, 20_000);

test('what was sealed before a restart is still there when an older day was compacted since, and more came to it', async () => {
  const points = [T0, T0 + 4 * DAY, T0 + 4 * DAY + 1000].map((at): Point => ({ ...METER, at, value: 1, code: 0 }));
  let store = open(1);
  await store.write(points.slice(0, 2));
  await store.close();
  store = open(1);
  await store.seal(T0 + DAY);
  await store.write(points.slice(2));
  expect(await store.read(METER, 0, T0 + 10 * DAY)).toEqual({ ok: true, value: points });
  await store.close();
});

test('blocks that end before the cut are gone, and no other', async () => {
  const store = open(1e6);
  const days = Array.from(
    { length: 6 * 12 },
    (_, i): Point => ({ ...METER, at: T0 + i * 7_200_000, value: i, code: 0 }),
  );
  await store.write(days);
  await store.seal(T0 + 3 * DAY);
  // Three days are whole blocks, the rest is in blocks of two hours.
  expect(await store.prune({ raw: T0 + 2 * DAY + 7_200_000, quarter: 0 })).toEqual({ ok: true, value: 2 });
  expect(await store.prune({ raw: T0 + 3 * DAY + 4 * 3_600_000, quarter: 0 })).toEqual({ ok: true, value: 3 });
  const read = await store.read(METER, 0, T0 + 10 * DAY);
  expect(read.ok && read.value).toEqual(days.slice(3 * 12 + 2));
  await store.close();
});

test('a copy that is made while points are written opens, with what was confirmed before', async () => {
  const store = open(50);
  const some = (from: number): Point[] =>
    Array.from({ length: 70 }, (_, i) => ({ ...METER, at: T0 + (from + i) * 1000, value: i, code: 0 }));
  await store.write(some(0));
  const copying = store.backup(join(folder, 'copy', 'telemetry.sqlite'));
  await store.write(some(100));
  expect(await copying).toMatchObject({ ok: false, fault: { code: 'STORE_UNAVAILABLE' } });
  mkdirSync(join(folder, 'copy'));
  const again = store.backup(join(folder, 'copy', 'telemetry.sqlite'));
  await store.write(some(200));
  expect(await again).toEqual({ ok: true, value: undefined });
  await store.close();
  const copy = openEmbeddedStoreHere({ folder: join(folder, 'copy') });
  if (!copy.ok) throw new Error(copy.fault.message);
  const read = await copy.value.read(METER, 0, T0 + DAY);
  expect(read.ok && read.value.slice(0, 140)).toEqual([...some(0), ...some(100)]);
  await copy.value.close();
});
