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

    test('goes on behind a record, and gives what is receipted where that is asked for', () => {
      const [first] = append(...[0, 1, 2, 3].map((i) => draftAt(NOON + i, { offline: true })));
      append(draftAt(NOON + 4));
      const after = { epoch: outbox.epoch, id: 2 };
      expect(idsOf('history', { after })).toEqual([3, 4]);
      expect(idsOf('live', { after })).toEqual([5]);
      expect(idsOf('history', { after: { ...after, id: 4 } })).toEqual([]);
      outbox.markReceipted(outbox.epoch, [[first?.id ?? 0, 3]], NOON);
      expect(idsOf('history')).toEqual([4]);
      expect(idsOf('history', { receipted: true })).toEqual([1, 2, 3, 4]);
      expect(idsOf('history', { receipted: true, after, recordsMax: 1 })).toEqual([3]);
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

    describe('under pressure, never-sent gauges of whole minutes become their means before anything expires', () => {
      const MINUTES = 30;
      /** Six polls a minute: a gauge, a counter and a state. */
      const poll = (n: number): RecordDraft => {
        const at = NOON + n * 10_000;
        const more: OutboxSample = { device: 'meter', metric: 'ac.energyImport', value: n, reason: 'good', at };
        return { samples: [sampleAt(at, n), more, sampleAt(at, 'on')], offline: true, at };
      };
      const fill = () => append(...Array.from({ length: MINUTES * 6 }, (_, n) => poll(n)));
      const all = () => outbox.pending('history', EVERYTHING);
      /** The limit that was configured is so little above what is there that the next record is too many. */
      const press = (before: () => void = () => {}): void => {
        fill();
        const bytesMax = outbox.status().bytes + 50;
        reopen({ bytesMax });
        fill();
        before();
        append(poll(MINUTES * 6));
      };

      test('a mean stands where the last of its samples stood, and nothing else changes', () => {
        press();
        const { aggregated, aggregatedSamples, expired } = outbox.status();
        expect([aggregated > 0, aggregatedSamples > 0, expired]).toEqual([true, true, 0]);
        const samples = all().flatMap((record) => record.samples);
        const gauges = samples.filter(({ metric }) => metric === 'ac.voltage');
        const means = gauges.filter(({ reason }) => reason === 'aggregated');
        expect(gauges.length - means.length + aggregatedSamples).toBe(MINUTES * 6 + 1);
        // The first minute's first sample has no known one before it.
        expect(means[0]).toMatchObject({ value: 3, at: NOON + 50_000 });
        expect(means[1]).toMatchObject({ value: 8.5, at: NOON + 110_000 });
        for (const metric of ['ac.energyImport', 'inverter.state'])
          expect(samples.filter((sample) => sample.metric === metric)).toEqual(
            Array.from({ length: MINUTES * 6 + 1 }, (_, n) =>
              poll(n).samples.find((sample) => sample.metric === metric),
            ),
          );
      });

      test('the record that stays has the highest id of those it replaces; the others are gone, and receipts for them too', () => {
        press();
        const ids = all().map(({ id }) => id);
        expect(ids.slice(0, 2)).toEqual([6, 12]);
        expect(outbox.status().pendingRecords).toBe(ids.length);
        expect(outbox.markReceipted(outbox.epoch, [[1, 5]], NOON)).toBe(0);
        expect(outbox.markReceipted(outbox.epoch, [[1, 8]], NOON)).toBe(1);
        expect(all().map(({ id }) => id)).toEqual(ids.slice(1));
      });

      test('what went out already is left as it was', () => {
        press(() => outbox.markSent(outbox.epoch, [1, 2, 3, 4, 5, 6]));
        expect(
          all()
            .map(({ id }) => id)
            .slice(0, 7),
        ).toEqual([1, 2, 3, 4, 5, 6, 12]);
      });

      test('what is sent again at an operator’s wish is left as it was too: the store may have it', () => {
        press(() => {
          outbox.markSent(outbox.epoch, [1, 2, 3, 4, 5, 6]);
          outbox.markReceipted(outbox.epoch, [[1, 6]], NOON);
          expect(outbox.replay(NOON)).toBe(6);
        });
        const ids = all().map(({ id }) => id);
        expect(ids.slice(0, 7)).toEqual([1, 2, 3, 4, 5, 6, 12]);
      });

      test('no mean is made of means: then the oldest expire', () => {
        reopen({ bytesMax: 12_000 });
        for (let n = 0; outbox.status().expired === 0 && n < 5_000; n += 1) append(poll(n));
        const { expiredSamples, aggregatedSamples, expired, pendingRecords } = outbox.status();
        expect([expired > 0, aggregatedSamples > 0]).toEqual([true, true]);
        const records = all();
        expect(records).toHaveLength(pendingRecords);
        for (const { samples } of records)
          expect(samples.filter(({ reason }) => reason === 'aggregated').length).toBeLessThanOrEqual(1);
        expect(expiredSamples).toBeGreaterThan(expired);
      });
    });

    test('tells where samples expired: one without a value for each metric, at the time of the first that is gone', () => {
      reopen({ bytesMax: 4_000 });
      for (let n = 0; outbox.status().expired === 0 && n < 1_000; n += 1)
        append(draftAt(NOON + n, { samples: [sampleAt(NOON + n), sampleAt(NOON + n, 'on')] }));
      expect(outbox.status().expiredSamples).toBe(outbox.status().expired * 2);
      const before = outbox.status().pendingRecords;
      expect(outbox.recordLost(NOON + 5_000)).toBe(2);
      expect(outbox.recordLost(NOON + 5_000)).toBe(0);
      expect(outbox.status().pendingRecords).toBe(before + 1);
      const [told] = outbox.pending('history', EVERYTHING);
      const lost = { device: 'meter', value: null, reason: 'expired', at: NOON };
      expect(told).toMatchObject({ offline: true, at: NOON + 5_000 });
      expect([...told!.samples].sort((a, b) => (a.metric < b.metric ? -1 : 1))).toEqual([
        { ...lost, metric: 'ac.voltage' },
        { ...lost, metric: 'inverter.state' },
      ]);
    });

    test('marks no time of a sample that was sent: the store may have it', () => {
      reopen({ bytesMax: 4_000 });
      const fill = (sent: number): void => {
        for (let n = 0; outbox.status().expired === 0 && n < 1_000; n += 1) {
          append(draftAt(NOON + n));
          if (n < sent) outbox.markSent(outbox.epoch, [n + 1]);
        }
      };
      const marks = (): (number | undefined)[] => {
        outbox.recordLost(NOON + 5_000);
        return outbox.pending('history', EVERYTHING).flatMap(({ samples }) => samples.map(({ at }) => at - NOON));
      };
      fill(2);
      expect(outbox.status().expired).toBeGreaterThan(2);
      expect(marks()).toEqual([2]);

      reopen({ bytesMax: 4_000 });
      fill(1_000);
      const { expired } = outbox.status();
      const waiting = outbox.pending('live', EVERYTHING).map(({ samples }) => (samples[0]?.at ?? 0) - NOON);
      const [mark = 0] = marks();
      expect(mark).toBeGreaterThan(0);
      expect(waiting).not.toContain(mark);
      expect(expired).toBeGreaterThan(0);
    });

    test('tells how much of it waits for a receipt', () => {
      append(...Array.from({ length: 10 }, (_, n) => draftAt(NOON + n)));
      const { bytes } = outbox.status();
      expect(outbox.status().pendingBytes).toBe(bytes);
      outbox.markReceipted(outbox.epoch, [[1, 5]], NOON);
      expect(outbox.status()).toMatchObject({ bytes, pendingBytes: bytes / 2 });
      outbox.markReceipted(outbox.epoch, [[6, 10]], NOON);
      expect(outbox.status()).toMatchObject({ bytes, pendingBytes: 0 });
    });

    test('sends dead letters again under their old names, but for those without a time', () => {
      append(draftAt(NOON), draftAt(NOON + 1), draftAt(5_000, { boot: 'b0' }));
      outbox.learnTime('b1', NOON);
      outbox.refuse(outbox.epoch, [{ id: 1, code: 'STORE_TYPE' }]);
      outbox.markReceipted(outbox.epoch, [[1, 2]], NOON);
      expect(idsOf('live')).toEqual([]);
      expect(outbox.retryDeadLetters()).toBe(1);
      expect(outbox.pending('live', EVERYTHING)).toMatchObject([
        { epoch: outbox.epoch, id: 1, samples: [sampleAt(NOON)] },
      ]);
      expect(outbox.deadLetters(10)).toMatchObject([{ id: 3, code: 'OUTBOX_TIME_UNKNOWN' }]);
      expect(outbox.markReceipted(outbox.epoch, [[1, 1]], NOON)).toBe(1);
      expect(outbox.status().pendingRecords).toBe(0);
    });

    test('counts what an operator has sent again', () => {
      append(draftAt(NOON), draftAt(NOON + 1), draftAt(NOON + 2));
      outbox.markReceipted(outbox.epoch, [[1, 3]], NOON);
      expect(outbox.replay(NOON + 1)).toBe(2);
      expect(idsOf('live')).toEqual([2, 3]);
      expect(outbox.status()).toMatchObject({ replayed: 2, pendingRecords: 2 });
    });

    test('says how long it would take to fill at the rate of the last day, after an hour', () => {
      const hour = 3_600_000;
      reopen({ bytesMax: 1_000_000 });
      for (let n = 0; n < 60; n += 1) append(draftAt(NOON + Math.floor((n * hour) / 61)));
      expect(outbox.status().capacityMs).toBeUndefined();
      append(draftAt(NOON + hour), draftAt(NOON + 2 * hour));
      const { capacityMs, bytes } = outbox.status();
      expect(capacityMs).toBeCloseTo((1_000_000 / bytes) * 2 * hour, -1);
    });

    test('counts what learns its time late to the rate of filling', () => {
      const hour = 3_600_000;
      reopen({ bytesMax: 1_000_000 });
      append({ ...draftAt(1000), boot: 'b1' }, { ...draftAt(2 * hour), boot: 'b1' });
      expect(outbox.status().capacityMs).toBeUndefined();
      outbox.learnTime('b1', NOON);
      expect(outbox.status().capacityMs).toBeGreaterThan(2 * hour);
    });

    test('keeps small numbers', () => {
      expect(outbox.number('budget')).toBeUndefined();
      outbox.keepNumber('budget', 0);
      expect(outbox.number('budget')).toBe(0);
      outbox.keepNumber('budget', 12);
      expect(outbox.number('budget')).toBe(12);
      expect(outbox.start).toBe(1);
    });

    test('syncs what is new, and nothing where nothing is', () => {
      expect(outbox.sync().ok).toBe(true);
      append(draftAt(NOON));
      expect([outbox.sync().ok, outbox.sync().ok]).toEqual([true, true]);
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
