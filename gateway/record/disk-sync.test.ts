import { expect, test } from 'vitest';
import { failed, ok } from '#domain/result.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Outbox } from '../outbox/outbox.js';
import { DiskSync } from './disk-sync.js';

function scene(writeDelayMs: number) {
  const time = new VirtualTime(0);
  const syncedAt: number[] = [];
  const lines: string[] = [];
  const disk = { isFull: false };
  const outbox: Pick<Outbox, 'sync'> = {
    sync: () => {
      syncedAt.push(time.now());
      return disk.isFull ? failed({ code: 'OUTBOX_FULL', message: 'no space' }) : ok(undefined);
    },
  };
  const log = {
    info: (_facts: object, message: string) => lines.push(message),
    warn: (facts: object, message: string) => lines.push(`${'code' in facts ? facts.code : ''} ${message}`),
  };
  return { time, syncedAt, lines, disk, sync: new DiskSync({ outbox, scheduler: time, log, writeDelayMs }) };
}

test('nothing waits longer for the disk than the time allowed, counted from the first record', async () => {
  const { time, syncedAt, sync } = scene(10_000);
  sync.appended();
  await time.advance(9_000);
  sync.appended();
  await time.advance(1_000);
  expect(syncedAt).toEqual([9_500]);
  await time.advance(60_000);
  expect(syncedAt).toEqual([9_500]);
  sync.appended();
  await time.advance(10_000);
  expect(syncedAt).toEqual([9_500, 79_500]);
});

test('an outbox that writes through is left alone', async () => {
  const { time, syncedAt, sync } = scene(0);
  sync.appended();
  await time.advance(60_000);
  expect(syncedAt).toEqual([]);
});

test('a disk that refuses is told once, counted each time, tried again, and told when it is well', async () => {
  const { time, lines, disk, sync } = scene(10_000);
  disk.isFull = true;
  sync.appended();
  await time.advance(40_000);
  expect([sync.faults, lines]).toEqual([4, ['OUTBOX_FULL the disk does not keep records; nothing is sent meanwhile']]);
  disk.isFull = false;
  await time.advance(10_000);
  expect([sync.faults, lines.at(-1), sync.sync()]).toEqual([4, 'the disk keeps records again', true]);
});

test('nothing is written after the end', async () => {
  const { time, syncedAt, sync } = scene(10_000);
  sync.appended();
  sync.stop();
  await time.advance(60_000);
  expect(syncedAt).toEqual([]);
});
