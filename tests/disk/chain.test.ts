import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { freePort } from '../support/real-server.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { describeOnSmallDisks } from './on-small-disks.js';
import { holesIn, type RealPost, startRealPost } from './real-post.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
let folder: string;
let post: RealPost | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-full-'));
});
afterEach(async () => {
  await post?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** True once no poll of [from, to] is missing in a copy of the store that a server is using. */
async function isWhole(serverData: string, from: number, to: number): Promise<boolean> {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of readdirSync(serverData))
    if (/^telemetry\.sqlite(-wal)?$/.test(name)) copyFileSync(join(serverData, name), join(copy, name));
  const store = openEmbeddedStoreHere({ folder: copy });
  if (!store.ok) return false;
  const holes = await holesIn(store.value, from, to);
  await store.value.close();
  return holes?.length === 0;
}

describeOnSmallDisks('the chain on a disk that runs full', import.meta.url, () => {
  test('the server’s: nothing is confirmed, it says so, starts and answers; when there is room all of it arrives', {
    timeout: 5 * MINUTE,
  }, async () => {
    const disk = mountSmallDisk(56);
    const serverData = join(disk.folder, 'data');
    post = await startRealPost({
      folder,
      serverData,
      gatewayData: join(folder, 'gateway'),
      mqttPort: await freePort(),
    });
    const { until } = post;
    await post.startServer();
    await post.startGateway();
    await until('live', async () => ((await post?.newestAt()) ?? 0) > 0);
    const from = Date.now();
    // Also what the reserves give.
    await until('the store is full', async () => {
      disk.fill();
      return (await post?.health())?.store === 'failing';
    });
    disk.fill();
    await pause(4 * SECOND);
    expect(post.server.output()).toMatch(/STORE_FULL/);
    const { counters } = await post.health();
    expect(counters.storeReserveReleased).toBe(1);
    expect(counters.storeFaults).toBeGreaterThan(1);

    // As after a power cut: it starts, shows what it has, and takes nothing.
    await post.server.stop('SIGKILL');
    disk.fill();
    await post.startServer();
    await until('failing again', async () => (await post?.health())?.store === 'failing');
    expect(post.server.output()).toMatch(/STORE_FULL/);

    disk.clear();
    const roomAt = Date.now();
    await until('well again', async () => (await post?.health())?.store === 'ok');
    await until('live again', async () => ((await post?.newestAt()) ?? 0) > roomAt);
    const to = Date.now() - 2 * SECOND;
    await until('all of it arrived', () => isWhole(serverData, from, to), 2 * MINUTE);
    expect(await post.gateway.stop('SIGTERM')).toBe(0);
    expect(await post.server.stop('SIGTERM')).toBe(0);
  });

  test('a server that cannot make its databases ends with a line that says so', async () => {
    const disk = mountSmallDisk(24);
    disk.fill();
    post = await startRealPost({ folder, serverData: disk.folder, gatewayData: folder, mqttPort: await freePort() });
    await post.startServer().catch(() => undefined);
    expect(await post.server.ended).toBe(1);
    expect(post.server.output()).toMatch(
      /^oftob: STORE_FULL: no space left for .+telemetry\.sqlite; .+20 MB are free$/m,
    );
    expect(post.server.output()).not.toMatch(/\n\s+at /);
  });

  test('the gateway’s: it goes on polling and says so once; when there is room what it held is kept and sent', {
    timeout: 5 * MINUTE,
  }, async () => {
    const disk = mountSmallDisk(32);
    const serverData = join(folder, 'server');
    post = await startRealPost({
      folder,
      serverData,
      gatewayData: join(disk.folder, 'data'),
      mqttPort: await freePort(),
    });
    const { until } = post;
    await post.startServer();
    await post.startGateway();
    await until('live', async () => ((await post?.newestAt()) ?? 0) > 0);
    const from = Date.now();
    await until('the outbox is full', async () => {
      disk.fill();
      return /OUTBOX_FULL/.test(post?.gateway.output() ?? '');
    });
    for (let second = 0; second < 8; second += 1) {
      disk.fill();
      await pause(SECOND);
    }
    expect(post.gateway.child.exitCode).toBe(null);
    expect(count(post.gateway.output(), /"code":"OUTBOX_FULL"/g)).toBe(1);
    disk.clear();
    await post.gateway.until(/the outbox takes records again/);
    const roomAt = Date.now();
    await until('live again', async () => ((await post?.newestAt()) ?? 0) > roomAt);
    const to = Date.now() - 2 * SECOND;
    await until('all of it arrived', () => isWhole(serverData, from, to), 2 * MINUTE);
    expect(await post.gateway.stop('SIGTERM')).toBe(0);
    expect(await post.server.stop('SIGTERM')).toBe(0);
  });
});
