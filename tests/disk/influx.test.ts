import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createInfluxStore } from '#server/store/influx-store.js';
import { type RunningInflux, startInflux } from '../support/influx.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { differences, pointsOf, storedIn } from './counted-points.js';
import { describeOnSmallDisks } from './on-small-disks.js';

/** More than the rest of a page of InfluxDB's log. */
const LOT = 500;
const FULL = { ok: false, fault: { code: 'STORE_FULL', message: expect.stringContaining('no space left') } };
let influx: RunningInflux | undefined;

afterEach(async () => {
  await influx?.stop();
  influx = undefined;
});

describeOnSmallDisks('InfluxDB on a disk that runs full', import.meta.url, () => {
  test('confirms nothing that is not there after a crash, says why it refuses, and goes on by itself when there is room', async () => {
    const disk = mountSmallDisk(64);
    const data = join(disk.folder, 'influx');
    mkdirSync(data);
    influx = await startInflux({ dataFolder: data });
    const store = createInfluxStore({ url: influx.url, database: 'full' });
    let confirmed = 0;
    const write = async () => {
      const written = await store.write(pointsOf(confirmed, LOT));
      if (written.ok) confirmed += LOT;
      return written;
    };
    for (let n = 0; n < 4; n += 1) expect(await write()).toEqual({ ok: true, value: [] });
    disk.fill();
    for (let n = 0; n < 3; n += 1) expect(await write()).toMatchObject(FULL);

    await influx.kill();
    await influx.restart();
    for (let n = 0; n < 3; n += 1) expect(await write()).toMatchObject({ ok: false });
    expect(store.counters()).toMatchObject({ storeFaults: 6, storePoints: confirmed, storePointsRefused: 0 });
    expect(confirmed).toBe(4 * LOT);

    disk.clear();
    await expect.poll(write, { timeout: 30_000 }).toEqual({ ok: true, value: [] });
    expect(differences(await storedIn(store), pointsOf(0, confirmed))).toEqual([]);
    await influx.kill();
    await influx.restart();
    expect(differences(await storedIn(store), pointsOf(0, confirmed))).toEqual([]);
    await store.close();
  });
});
