// What every outbox promises.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REASONS, type Reason } from '#domain/quality.js';
import type { Outbox, PendingQuery, RecordDraft } from '#gateway/outbox/outbox.js';
import type { OutboxRecord, OutboxSample } from '#gateway/ports.js';

export interface OutboxUnderTest {
  readonly outbox: Outbox;
  /** Closes it and frees what it took. */
  dispose(): void;
}

export interface OutboxSettings {
  readonly bytesMax?: number;
  readonly keepReceiptedMs?: number;
}

const NOON = Date.UTC(2026, 0, 15, 12);
const EVERYTHING: PendingQuery = { liveSince: NOON, samplesMax: 1e6, recordsMax: 1e6, skip: () => false };

export function sampleAt(at: number, value: number | string = 230.1, device = 'meter'): OutboxSample {
  return { device, metric: typeof value === 'string' ? 'inverter.state' : 'ac.voltage', value, reason: 'good', at };
}

export function draftAt(at: number, more: Partial<RecordDraft> = {}): RecordDraft {
  return { samples: [sampleAt(at)], offline: false, at, ...more };
}

export function describeOutbox(name: string, open: (settings: OutboxSettings) => OutboxUnderTest): void {
  describe(`${name}: an outbox`, () => {
    let under: OutboxUnderTest;
    let outbox: Outbox;
    const reopen = (settings: OutboxSettings): void => {
      under.dispose();
      under = open(settings);
      outbox = under.outbox;
    };
    const append = (...drafts: RecordDraft[]): readonly OutboxRecord[] => {
      const stored = outbox.append(drafts);
      if (!stored.ok) throw new Error(stored.fault.message);
      return stored.value;
    };
    const idsOf = (stream: 'live' | 'history', query: Partial<PendingQuery> = {}) =>
      outbox.pending(stream, { ...EVERYTHING, ...query }).map(({ id }) => id);

    beforeEach(() => {
      under = open({});
      outbox = under.outbox;
    });
    afterEach(() => under.dispose());

    test('has an epoch of 16 hexadecimal characters and counts its records from 1', () => {
      expect(outbox.epoch).toMatch(/^[0-9a-f]{16}$/);
      expect(append(draftAt(NOON), draftAt(NOON + 1)).map(({ id }) => id)).toEqual([1, 2]);
      expect(append(draftAt(NOON + 2)).map(({ id, epoch }) => [id, epoch])).toEqual([[3, outbox.epoch]]);
    });

    test('gives back every sample bit for bit', () => {
      const reason = fc.constantFrom(...(Object.keys(REASONS) as Reason[]));
      const value = fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
        fc.string({ maxLength: 50 }),
        fc.constant(null),
      );
      const sample = fc.record({
        device: fc.constantFrom('meter', 'inverter', 'gateway'),
        metric: fc.constantFrom('ac.voltage', 'inverter.state', 'ac.l1.power'),
        value,
        reason,
        at: fc.integer({ min: 0, max: NOON * 2 }),
      });
      fc.assert(
        fc.property(fc.array(sample, { minLength: 1, maxLength: 30 }), (samples) => {
          const [record] = append({ samples, offline: true, at: NOON });
          const found = outbox.pending('history', EVERYTHING)[0];
          expect(found).toMatchObject({ epoch: outbox.epoch, id: record!.id, offline: true, at: NOON });
          const order = (list: readonly OutboxSample[]) =>
            list.map((one) => JSON.stringify(one, Object.keys(one).sort())).sort();
          expect(order(found!.samples)).toEqual(order(samples));
          outbox.markReceipted(outbox.epoch, [[record!.id, record!.id]], NOON);
        }),
        { numRuns: 50 },
      );
    });

    test('separates live data from what was made unconnected or long ago', () => {
      append(draftAt(NOON - 1), draftAt(NOON), draftAt(NOON + 1, { offline: true }));
      expect(idsOf('live')).toEqual([2]);
      expect(idsOf('history')).toEqual([1, 3]);
      expect(idsOf('history', { liveSince: NOON + 1 })).toEqual([1, 2, 3]);
    });

    test('gives the oldest first, within the asked number of samples and records, without what is on its way', () => {
      append(
        ...[0, 1, 2, 3].map((i) => draftAt(NOON + i, { samples: [sampleAt(NOON + i), sampleAt(NOON + i, 'on')] })),
      );
      expect(idsOf('live', { samplesMax: 4 })).toEqual([1, 2]);
      expect(idsOf('live', { samplesMax: 1 })).toEqual([1]);
      expect(idsOf('live', { recordsMax: 3 })).toEqual([1, 2, 3]);
      expect(idsOf('live', { samplesMax: 4, skip: (epoch, id) => epoch === outbox.epoch && id < 3 })).toEqual([3, 4]);
    });

    test('frees a record by a receipt for its epoch and id, once', () => {
      append(draftAt(NOON), draftAt(NOON + 1), draftAt(NOON + 2), draftAt(NOON + 3));
      expect(
        outbox.markReceipted(
          outbox.epoch,
          [
            [1, 2],
            [4, 9],
          ],
          NOON,
        ),
      ).toBe(3);
      expect(outbox.markReceipted(outbox.epoch, [[1, 2]], NOON)).toBe(0);
      expect(outbox.markReceipted('ffffffffffffffff', [[1, 9]], NOON)).toBe(0);
      expect(idsOf('live')).toEqual([3]);
      expect(outbox.status().pendingRecords).toBe(1);
    });

    test('takes the server’s time as it comes', () => {
      append(draftAt(NOON));
      expect(outbox.markReceipted(outbox.epoch, [[1, 1]], NOON + 0.25)).toBe(1);
    });

    test('keeps receipted records until their time is over, and sends them again when asked', () => {
      reopen({ keepReceiptedMs: 1000 });
      append(draftAt(NOON), draftAt(NOON + 1));
      outbox.markReceipted(outbox.epoch, [[1, 1]], NOON);
      outbox.markReceipted(outbox.epoch, [[2, 2]], NOON + 500);
      outbox.trim(NOON + 1200);
      expect(outbox.replay(0)).toBe(1);
      expect(idsOf('live')).toEqual([2]);
      expect(outbox.status()).toMatchObject({ pendingRecords: 1, expired: 0 });
    });

    test('moves a refused record to the dead letters with its reason, and counts it', () => {
      append(draftAt(NOON), draftAt(NOON + 1));
      expect(
        outbox.refuse(outbox.epoch, [
          { id: 2, code: 'STORE_TYPE' },
          { id: 7, code: 'STORE_TYPE' },
        ]),
      ).toBe(1);
      expect(idsOf('live')).toEqual([1]);
      expect(outbox.deadLetters(10)).toEqual([
        { epoch: outbox.epoch, id: 2, code: 'STORE_TYPE', samples: [sampleAt(NOON + 1)] },
      ]);
      expect(outbox.status()).toMatchObject({ refused: 1, pendingRecords: 1 });
    });

    test('under pressure lets receipted records go first, uncounted, then the oldest, counted', () => {
      reopen({ bytesMax: 20_000 });
      const fill = (from: number, count: number) =>
        append(...Array.from({ length: count }, (_, i) => draftAt(NOON + from + i)));
      fill(0, 50);
      outbox.markReceipted(outbox.epoch, [[11, 50]], NOON);
      while (outbox.status().expired === 0 && outbox.status().pendingRecords < 1000) {
        fill(outbox.status().pendingRecords + 100, 5);
        if (outbox.status().expired === 0) expect(idsOf('live')[0]).toBe(1);
      }
      const { expired, bytes, pendingRecords } = outbox.status();
      expect(expired).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(20_000);
      expect(idsOf('live')).toHaveLength(pendingRecords);
      expect(idsOf('live')[0]).toBeGreaterThan(expired);
      expect(outbox.replay(0)).toBe(0);
    });

    test('holds records of unknown time back until the time is learnt', () => {
      append(draftAt(5_000, { boot: 'b1' }), draftAt(6_000, { boot: 'b1' }));
      expect([...idsOf('live', { liveSince: 0 }), ...idsOf('history')]).toEqual([]);
      expect(outbox.markReceipted(outbox.epoch, [[1, 2]], NOON)).toBe(0);
      expect(outbox.status()).toMatchObject({ pendingRecords: 2, untimedRecords: 2 });
      expect(outbox.learnTime('b1', NOON - 5_000)).toBe(2);
      expect(outbox.pending('live', EVERYTHING).map(({ at, samples }) => [at, samples[0]!.at])).toEqual([
        [NOON, NOON],
        [NOON + 1_000, NOON + 1_000],
      ]);
      expect(outbox.status().untimedRecords).toBe(0);
      expect(outbox.hasTime('meter', NOON)).toBe(true);
    });

    test('gives no learnt time twice: all of a boot move by milliseconds where one would meet another', () => {
      append(draftAt(NOON), draftAt(NOON + 1_001), draftAt(5_000, { boot: 'b1' }), draftAt(6_000, { boot: 'b1' }));
      outbox.learnTime('b1', NOON - 5_000);
      expect(outbox.pending('live', EVERYTHING).map(({ samples }) => samples[0]!.at - NOON)).toEqual([
        0, 1_001, 2, 1_002,
      ]);
    });

    test('buries records whose boot is over: nobody can tell their time any more', () => {
      append(draftAt(5_000, { boot: 'b0' }), draftAt(6_000, { boot: 'b1' }));
      expect(outbox.learnTime('b1', NOON)).toBe(1);
      expect(outbox.deadLetters(10)).toMatchObject([{ id: 1, code: 'OUTBOX_TIME_UNKNOWN' }]);
      expect(outbox.status()).toMatchObject({ pendingRecords: 1, untimedRecords: 0, refused: 1 });
    });

    test('knows which times a device has samples of', () => {
      append(draftAt(NOON));
      expect([outbox.hasTime('meter', NOON), outbox.hasTime('meter', NOON + 1), outbox.hasTime('pump', NOON)]).toEqual([
        true,
        false,
        false,
      ]);
    });

    test('tells of metrics that are measured no longer as long as records are there', () => {
      const entry = { device: 'meter', metric: 'ac.voltage', description: '{"unit":"V"}' };
      expect(outbox.declare([entry])).toEqual([]);
      append(draftAt(NOON));
      expect(outbox.declare([])).toEqual([entry]);
      expect(outbox.declare([entry])).toEqual([]);
      expect(outbox.declare([])).toEqual([entry]);
      outbox.markReceipted(outbox.epoch, [[1, 1]], 0);
      outbox.trim(NOON);
      expect(outbox.declare([])).toEqual([]);
    });

    test('has nothing to do for nothing', () => {
      expect(append()).toEqual([]);
      expect(outbox.pending('live', EVERYTHING)).toEqual([]);
      expect(outbox.markReceipted(outbox.epoch, [], NOON)).toBe(0);
      expect(outbox.learnTime('b1', NOON)).toBe(0);
      expect(outbox.status()).toMatchObject({ pendingRecords: 0, bytes: 0 });
    });
  });
}
