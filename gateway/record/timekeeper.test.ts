import { expect, test } from 'vitest';
import type { ClockQuality } from '#domain/clock.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { createTimekeeper } from './timekeeper.js';

test('a machine that knows the time needs nobody to tell it', () => {
  const clock = new VirtualTime(1000);
  const time = createTimekeeper(clock, () => 'unsynchronised');
  expect([time.now(), time.quality(), time.learn(5)]).toEqual([1000, 'unsynchronised', false]);
});

test('a machine without time learns it once from the server and carries it on by its monotonic clock', async () => {
  const clock = new VirtualTime(0);
  let quality: ClockQuality = 'unknown';
  const time = createTimekeeper(clock, () => quality);
  expect([time.now(), time.quality()]).toEqual([undefined, 'unknown']);
  expect([time.learn(50_000), time.learn(99_000)]).toEqual([true, false]);
  await clock.advance(1000);
  clock.stepClock(7_000_000);
  expect([time.now(), time.quality()]).toEqual([51_000, 'unsynchronised']);
  quality = 'synchronised';
  expect([time.now(), time.quality()]).toEqual([clock.now(), 'synchronised']);
});

test('a clock that falls back into the impossible past is not followed', async () => {
  const clock = new VirtualTime(1_000_000);
  let quality: ClockQuality = 'synchronised';
  const time = createTimekeeper(clock, () => quality);
  expect(time.now()).toBe(1_000_000);
  await clock.advance(1000);
  clock.stepClock(-900_000);
  quality = 'unknown';
  expect([time.now(), time.quality(), time.learn(5)]).toEqual([1_001_000, 'unsynchronised', false]);
  quality = 'unsynchronised';
  expect(time.now()).toBe(101_000);
});
