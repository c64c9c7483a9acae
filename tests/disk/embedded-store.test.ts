import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { Registry } from '#server/ports.js';
import { type EmbeddedStore, openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.js';
import { differences, pointsOf, storedIn, T0 } from './counted-points.js';
import { describeOnSmallDisks } from './on-small-disks.js';

const MEGABYTE = 1024 * 1024;
const FULL = { ok: false, fault: { code: 'STORE_FULL' } };
const open = new Set<{ close(): unknown }>();

afterEach(() => {
  for (const one of open) one.close();
  open.clear();
});

function openStore({ folder }: SmallDisk): EmbeddedStore {
  const opened = openEmbeddedStoreHere({ folder });
  if (!opened.ok) throw new Error(opened.fault.message);
  open.add(opened.value);
  return opened.value;
}

/** Writes until the store refuses; gives how many points it has confirmed. */
async function writeUntilFull(store: EmbeddedStore, from: number): Promise<number> {
  for (let count = from; ; count += 2000) {
    const written = await store.write(pointsOf(count, 2000));
    if (written.ok) continue;
    expect(written).toMatchObject(FULL);
    return count;
  }
}

describeOnSmallDisks('the embedded store on a disk that runs full', import.meta.url, () => {
  test('confirms nothing that is not there, gives up its reserve, keeps answering, and goes on when there is room', async () => {
    const disk = mountSmallDisk(40);
    const reserve = join(disk.folder, 'telemetry.sqlite.reserve');
    const store = openStore(disk);
    expect(statSync(reserve).size).toBe(16 * MEGABYTE);
    disk.fill(2 * MEGABYTE);
    const confirmed = await writeUntilFull(store, 0);
    expect(confirmed).toBeGreaterThan(2000);
    expect(existsSync(reserve)).toBe(false);
    expect(await store.write(pointsOf(confirmed, 1))).toMatchObject(FULL);
    expect(await storedIn(store)).toEqual(pointsOf(0, confirmed));
    expect(store.counters()).toMatchObject({ storeReserveReleased: 1, storeFaults: 2, storePoints: confirmed });

    disk.clear();
    expect(await store.write(pointsOf(confirmed, 2000))).toEqual({ ok: true, value: [] });
    expect(existsSync(reserve)).toBe(true);
    await store.close();
    expect(await storedIn(openStore(disk))).toEqual(pointsOf(0, confirmed + 2000));
  });

  test('says how much has to be free, and goes on as soon as it is', async () => {
    const disk = mountSmallDisk(64);
    const store = openStore(disk);
    disk.fill(1 * MEGABYTE);
    const confirmed = await writeUntilFull(store, 0);
    disk.fill(1 * MEGABYTE);
    const refused = await store.write(pointsOf(confirmed, 1));
    expect(refused).toMatchObject({ ok: false, fault: { message: expect.stringContaining('once 20 MB are free') } });
    disk.clear(18 * MEGABYTE);
    expect(await store.write(pointsOf(confirmed, 1))).toMatchObject(FULL);
    disk.clear(1 * MEGABYTE);
    expect(disk.freeBytes()).toBeGreaterThanOrEqual(20 * MEGABYTE);
    expect(await store.write(pointsOf(confirmed, 1))).toEqual({ ok: true, value: [] });
  });

  test('a new store on a full disk is a fault with a code, and nothing of it is in the way later', async () => {
    const disk = mountSmallDisk(24);
    disk.fill();
    expect(openEmbeddedStoreHere({ folder: join(disk.folder, 'data') })).toMatchObject(FULL);
    expect(createSqliteRegistry({ folder: join(disk.folder, 'data') })).toMatchObject(FULL);
    disk.clear();
    const opened = openEmbeddedStoreHere({ folder: join(disk.folder, 'data') });
    if (!opened.ok) throw new Error(opened.fault.message);
    open.add(opened.value);
    expect(await opened.value.write(pointsOf(0, 1))).toEqual({ ok: true, value: [] });
  });

  test('a store that was there opens on a full disk, shows what it has and takes nothing', async () => {
    const disk = mountSmallDisk(40);
    let store = openStore(disk);
    await store.write(pointsOf(0, 500));
    disk.fill();
    await store.close();
    disk.fill();
    store = openStore(disk);
    expect(await storedIn(store)).toEqual(pointsOf(0, 500));
    const confirmed = 500 + (await writeUntilFull(store, 500)) - 500;
    // Again, now without a reserve.
    await store.close();
    disk.fill();
    store = openStore(disk);
    expect(await store.write(pointsOf(confirmed, 1))).toMatchObject(FULL);
    expect(await storedIn(store)).toEqual(pointsOf(0, confirmed));
    disk.clear();
    expect(await store.write(pointsOf(confirmed, 1))).toEqual({ ok: true, value: [] });
    expect(await storedIn(store)).toEqual(pointsOf(0, confirmed + 1));
  });

  test('alarms are still kept on what the reserves give, while telemetry waits', async () => {
    const disk = mountSmallDisk(48);
    const store = openStore(disk);
    const registry = createSqliteRegistry({ folder: disk.folder });
    if (!registry.ok) throw new Error(registry.fault.message);
    open.add(registry.value);
    disk.fill(MEGABYTE);
    await writeUntilFull(store, 0);
    const { saveAlarms, journal } = registry.value;
    const entries: Parameters<Registry['saveAlarms']>[1] = Array.from({ length: 500 }, () => ({
      at: T0,
      alarm: 'langar/postSilent',
      post: 'langar',
      rule: 'postSilent',
      from: 'normal',
      to: 'unacknowledged',
      event: 'raised',
      by: null,
      comment: 'x'.repeat(500),
      historical: false,
    }));
    saveAlarms([], entries);
    expect(journal({ limit: 10_000 })).toHaveLength(500);
    disk.fill();
    let kept = 500;
    const saveOn = () => {
      for (; ; kept += 500) saveAlarms([], entries);
    };
    expect(saveOn).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));
    expect(kept).toBeGreaterThan(500);
    expect(journal({ limit: 1e6 })).toHaveLength(kept);
    disk.clear();
    saveAlarms([], entries);
    expect(journal({ limit: 1e6 })).toHaveLength(kept + 500);
  });

  test('whatever happens to the disk, it holds exactly what it has confirmed', { timeout: 300_000 }, async () => {
    const act = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 8000 }) }),
      },
      fc.record({ kind: fc.constant('fill' as const), leaveBytes: fc.integer({ min: 0, max: 3 * MEGABYTE }) }),
      fc.record({ kind: fc.constant('clear' as const), bytes: fc.option(fc.integer({ min: 1, max: 30 * MEGABYTE })) }),
      fc.record({ kind: fc.constant('reopen' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40 }), async (acts) => {
        const disk = mountSmallDisk(40);
        try {
          let store = openStore(disk);
          let confirmed = 0;
          for (const one of acts) {
            if (one.kind === 'fill') disk.fill(one.leaveBytes);
            else if (one.kind === 'clear') disk.clear(one.bytes ?? undefined);
            else if (one.kind === 'reopen') {
              await store.close();
              open.delete(store);
              store = openStore(disk);
            } else {
              const written = await store.write(pointsOf(confirmed, one.count));
              if (written.ok) confirmed += one.count;
              else expect(written).toMatchObject(FULL);
            }
          }
          expect(differences(await storedIn(store), pointsOf(0, confirmed))).toEqual([]);
          disk.clear();
          if (disk.freeBytes() >= 20 * MEGABYTE)
            expect(await store.write(pointsOf(confirmed, 10))).toMatchObject({ ok: true });
          await store.close();
          open.delete(store);
        } finally {
          disk.unmount();
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });
});
