import { mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RESERVE_BYTES, reserveBeside } from './reserve.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-reserve-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the reserve really takes its space, and gives it back', () => {
  const reserve = reserveBeside(join(folder, 'outbox.db'));
  reserve.hold();
  const { size, blocks } = statSync(join(folder, 'outbox.db.reserve'));
  expect([size, reserve.isHeld(), reserve.growthBytes()]).toEqual([RESERVE_BYTES, true, Number.POSITIVE_INFINITY]);
  expect(blocks * 512).toBeGreaterThanOrEqual(RESERVE_BYTES);
  reserve.release();
  reserve.release();
  expect(reserve.isHeld()).toBe(false);
});

test('a disk without room for it is not written to, and its database may hardly grow', () => {
  const { bavail, bsize } = statfsSync(folder);
  const reserve = reserveBeside(join(folder, 'outbox.db'), bavail * bsize * 2.5);
  reserve.hold();
  expect([reserve.isHeld(), reserve.growthBytes()]).toEqual([false, 0]);
});
