// What a session holds back: history by its rate, everything by the bytes of the day.
import { describe, expect, test } from 'vitest';
import { goodReading, invalidReading } from '#domain/reading.js';
import type { FakeCentre } from '#tests/support/fake-centre.js';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import { makeScene, NOON, type TestScene } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MIDNIGHT = NOON + 12 * HOUR;

const bytesOf = (centre: FakeCentre, historical: boolean) =>
  centre.data.filter((data) => data.historical === historical).reduce((sum, { bytes }) => sum + bytes, 0);
const noisyPower = (at: number) => goodReading('load.power', Math.sin(at * 12.9898) * 43758.5453, at);

function bringPast({ gateway, reader }: TestScene, polls: number): void {
  reader.powerAt = noisyPower;
  for (let from = 0; from < polls; from += 1000) {
    const past = Array.from({ length: 1000 }, (_, i) => reader.resultAt(NOON - 5e9 + (from + i) * 10_000));
    gateway.record(past, { historical: true });
  }
}

describe('the rate of history', () => {
  test('holds it back to so many bytes a second, one payload ahead, and live data not at all', async () => {
    const scene = makeScene({ config: { full: true, uplink: { historyBytesPerS: 500 } } });
    const { time, centre, gateway } = scene;
    gateway.start();
    await time.advance(5 * SECOND);
    bringPast(scene, 30_000);
    for (let minute = 1; minute <= 5; minute += 1) {
      await time.advance(MINUTE);
      expect(bytesOf(centre, true)).toBeLessThan(minute * 30_000 + 17_000);
    }
    expect(bytesOf(centre, true)).toBeGreaterThan(120_000);
    expect(gateway.status().session.historyWaits).toBeGreaterThan(5);
    expect(centre.data.filter(({ historical }) => !historical).at(-1)?.at).toBeGreaterThan(time.now() - MINUTE);
  }, 30_000);
});

describe('the bytes of a day', () => {
  test('are left to live data: history waits for the next day, and live data keeps its minute', async () => {
    const time = new VirtualTime(MIDNIGHT - 2 * HOUR);
    const outbox = new MemoryOutbox({ epoch: '0123456789abcdef' });
    const day = Math.floor(time.now() / (24 * HOUR));
    const kept = { budgetDay: day, budgetUsed: 1_300_000, budgetLive: 750_000, budgetCountedMs: 22 * HOUR };
    for (const [name, value] of Object.entries(kept)) outbox.keepNumber(name, value);
    const scene = makeScene({ time, outbox, config: { full: true, uplink: { dailyBytesMax: 1_500_000 } } });
    const { centre, gateway } = scene;
    gateway.start();
    await time.advance(20 * MINUTE);
    bringPast(scene, 20_000);
    await time.advance(99 * MINUTE);
    const status = gateway.status().session;
    expect(status.budgetHistoryStops).toBeGreaterThan(0);
    expect([status.budgetLiveStops, status.budgetUsed < 100, status.budgetUsed > 95]).toEqual([0, true, true]);
    expect(gateway.status().outbox.pendingRecords).toBeGreaterThan(1000);
    expect(centre.data.filter(({ historical }) => !historical).at(-1)?.at).toBeGreaterThan(time.now() - 2 * MINUTE);
    const before = bytesOf(centre, true);
    await time.advance(5 * MINUTE);
    expect(bytesOf(centre, true)).toBeGreaterThan(before);
  }, 60_000);

  test('once gone, batches go each ten minutes, and what is urgent or attended at once', async () => {
    const scene = makeScene({ config: { full: true, uplink: { dailyBytesMax: 8_000 } } });
    const { time, centre, gateway, reader } = scene;
    gateway.start();
    // By then also the outbox's capacity is known, whose change of quality is urgent.
    await time.advance(2 * HOUR + SECOND);
    expect(gateway.status().session).toMatchObject({ budgetLiveStops: 1 });
    const before = centre.data.length;
    await time.advance(HOUR);
    const batches = centre.data.slice(before);
    expect(batches).toHaveLength(6);
    expect(batches.every(({ historical }) => !historical)).toBe(true);
    reader.powerAt = (at) => invalidReading('load.power', 'timeout', at);
    await time.advance(10 * SECOND);
    expect(centre.data.length - before).toBe(7);
    centre.attend(60);
    await time.advance(55 * SECOND);
    expect(centre.data.length - before).toBeGreaterThan(11);
    expect(gateway.status().outbox).toMatchObject({ expired: 0 });
  }, 60_000);

  test('are counted over a restart', async () => {
    const outbox = new MemoryOutbox({ epoch: '0123456789abcdef' });
    outbox.close = () => {};
    const config = { uplink: { dailyBytesMax: 100_000 } };
    const first = makeScene({ outbox, config });
    first.gateway.start();
    await first.time.advance(HOUR);
    const { budgetUsed } = first.gateway.status().session;
    expect(budgetUsed).toBeGreaterThan(5);
    await first.gateway.stop();
    const second = makeScene({ time: first.time, centre: first.centre, outbox, config });
    second.gateway.start();
    expect(second.gateway.status().session.budgetUsed).toBeCloseTo(budgetUsed, 0);
    await second.time.advance(MINUTE);
    const health = [...second.centre.stored].filter(([name]) => name.startsWith('gateway/gateway.budgetUsed@'));
    expect(health.at(-1)?.[1].value).toBeGreaterThan(5);
  }, 30_000);
});
