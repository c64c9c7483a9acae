import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addRanges, clipRanges, type IdRange, joinRanges, rangesHave, rangesOf } from './id-ranges.js';
import { reconnectDelayMs } from './reconnect.js';
import { RECEIPT_TIMEOUT_MAX_MS, RECEIPT_TIMEOUT_MS, type SentPayload, WINDOW_BYTES, Windows } from './windows.js';

const EPOCH = '0123456789abcdef';
const payload = (ids: number[], more: Partial<SentPayload> = {}): SentPayload => ({
  stream: 'live',
  epoch: EPOCH,
  ids,
  bytes: 1000,
  at: 0,
  ...more,
});
const windows = () => new Windows(() => 0);

describe('ranges of ids', () => {
  const ids = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 });
  const membersOf = (ranges: readonly (readonly [number, number])[]) =>
    Array.from({ length: 62 }, (_, id) => id).filter((id) => rangesHave(ranges, id));
  const sorted = (list: readonly number[]) => [...new Set(list)].sort((a, b) => a - b);

  test('hold what was put in, and as few ranges as can be', () => {
    fc.assert(
      fc.property(ids, (list) => {
        const ranges = rangesOf(list);
        expect(membersOf(ranges)).toEqual(sorted(list));
        for (const [i, [first]] of ranges.entries()) if (i > 0) expect(first).toBeGreaterThan(ranges[i - 1]![1] + 1);
      }),
    );
  });

  test('added to one after the other are as joined at once', () => {
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 8 }), (lists) => {
        const grown: IdRange[] = [];
        for (const list of lists) addRanges(grown, rangesOf(list));
        expect(grown).toEqual(rangesOf(lists.flat()));
      }),
    );
  });

  test('clipped have what both have', () => {
    fc.assert(
      fc.property(ids, ids, (left, right) => {
        expect(membersOf(clipRanges(rangesOf(left), joinRanges(rangesOf(right))))).toEqual(
          sorted(left.filter((id) => right.includes(id))),
        );
      }),
    );
  });
});

describe('a window', () => {
  test('always lets one payload go, and then as many as fit', () => {
    const one = windows();
    expect(one.hasRoom('live', WINDOW_BYTES * 2)).toBe(true);
    one.add(payload([1], { bytes: WINDOW_BYTES - 10 }));
    expect([one.hasRoom('live', 10), one.hasRoom('live', 11), one.hasRoom('history', 1)]).toEqual([true, false, true]);
  });

  test('is freed when all records of a payload are receipted, in whatever pieces', () => {
    const one = windows();
    one.add(payload([1, 2, 5]));
    expect(one.settle(EPOCH, [[2, 3]], 1)).toEqual([[2, 2]]);
    expect([one.unreceiptedBytes('live'), one.isInFlight(EPOCH, 2), one.isInFlight(EPOCH, 5)]).toEqual([
      1000,
      false,
      true,
    ]);
    expect(one.settle(EPOCH, [[1, 9]], 1)).toEqual([
      [1, 2],
      [5, 5],
    ]);
    expect(one.unreceiptedBytes('live')).toBe(0);
    expect(one.stray).toBe(2);
  });

  test('believes a receipt that comes after the time-out', () => {
    const one = windows();
    one.add(payload([1, 2]));
    one.expire(RECEIPT_TIMEOUT_MS);
    expect(one.isInFlight(EPOCH, 1)).toBe(false);
    expect(one.settle(EPOCH, [[1, 2]], RECEIPT_TIMEOUT_MS + 1)).toEqual([[1, 2]]);
  });

  test('waits longer and tries less after each failure, within limits, and recovers with the first receipt', () => {
    const one = windows();
    let now = 0;
    const waits: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      one.add(payload([failure + 1], { at: now }));
      one.add(payload([100 + failure], { at: now }));
      const next = one.nextTimeoutAt() ?? 0;
      waits.push(next - now);
      now = next;
      expect(one.expire(now)).toBe(2);
    }
    expect(waits.slice(0, 4)).toEqual([30_000, 60_000, 120_000, 240_000]);
    expect(Math.max(...waits)).toBe(RECEIPT_TIMEOUT_MAX_MS);
    one.add(payload([50], { at: now, bytes: 4000 }));
    expect([one.hasRoom('live', 4192), one.hasRoom('live', 4193)]).toEqual([true, false]);
    one.settle(EPOCH, [[50, 50]], now + 100);
    one.add(payload([51], { at: now, bytes: 4000 }));
    expect(one.hasRoom('live', WINDOW_BYTES - 4000)).toBe(true);
  });

  test('is patient with a slow link', () => {
    const one = windows();
    for (let i = 1; i < 30; i += 1) {
      one.add(payload([i], { at: i * 100_000 }));
      one.settle(EPOCH, [[i, i]], i * 100_000 + 20_000);
    }
    one.add(payload([99], { at: 0 }));
    expect(one.nextTimeoutAt()).toBeGreaterThan(55_000);
  });

  test('keeps a record that was sent twice as on its way until the newer payload is settled', () => {
    const one = windows();
    one.add(payload([1]));
    one.releaseAll();
    one.add(payload([1, 2], { stream: 'history', epoch: EPOCH }));
    expect(one.isInFlight(EPOCH, 1)).toBe(true);
    expect(one.isInFlight('ffffffffffffffff', 1)).toBe(false);
    one.settle(EPOCH, [[1, 1]], 5);
    expect([one.isInFlight(EPOCH, 1), one.isInFlight(EPOCH, 2)]).toEqual([false, true]);
  });
});

test('the pause before the next try to connect grows, is random, and stays within a minute', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempts, random) => {
        const delay = reconnectDelayMs(attempts, () => random);
        expect(delay).toBeGreaterThanOrEqual(500);
        expect(delay).toBeLessThanOrEqual(60_000);
      },
    ),
  );
  expect(reconnectDelayMs(1, () => 0.5)).toBeLessThan(reconnectDelayMs(3, () => 0.5));
});
