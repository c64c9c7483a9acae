// Whatever the wall clock does, every reading comes out once, in the order of the polls, at a time of its own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClockQuality } from '#domain/clock.js';
import { goodReading } from '#domain/reading.js';
import { FakeCentre } from '#tests/support/fake-centre.js';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import { METER, makeScene, NOON } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const step = fc.record({
  forMs: fc.integer({ min: 1, max: 4 * MINUTE }),
  /** Whole poll periods too, so that times meet exactly. */
  clockMs: fc.oneof(
    fc.integer({ min: -20 * MINUTE, max: 20 * MINUTE }),
    fc.integer({ min: -90, max: 90 }).map((periods) => periods * 10 * SECOND),
    fc.constantFrom(-1, 0, 1, -86_400_000, 86_400_000),
  ),
  quality: fc.constantFrom<ClockQuality>('synchronised', 'synchronised', 'unsynchronised', 'unknown'),
  linked: fc.boolean(),
  attend: fc.boolean(),
});

test('steps of the clock neither reorder, lose, merge nor duplicate a reading', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), async (steps) => {
      const time = new VirtualTime(NOON);
      // The server's clock stands still in its truth while the post's is moved.
      const truth = { now: () => NOON + time.monotonic(), after: time.after.bind(time) };
      const centre = new FakeCentre(truth);
      const outbox = new MemoryOutbox({ epoch: '0123456789abcdef' });
      let quality: ClockQuality = 'unknown';
      const { gateway, reader } = makeScene({
        time,
        centre,
        outbox,
        clockQuality: () => quality,
        config: { full: true },
      });
      let polls = 0;
      const pollOrder: number[] = [];
      const append = outbox.append.bind(outbox);
      outbox.append = (drafts) => {
        const appended = append(drafts);
        for (const { samples } of drafts)
          for (const { metric, value } of samples)
            if (metric === 'load.power' && !pollOrder.includes(Number(value))) pollOrder.push(Number(value));
        return appended;
      };
      reader.powerAt = (at) => {
        polls += 1;
        return goodReading('load.power', polls, at);
      };
      gateway.start();
      for (const { forMs, clockMs, linked, attend, ...change } of steps) {
        quality = change.quality;
        time.stepClock(clockMs);
        centre.faults.unreachable = !linked;
        if (!linked) centre.breakLinks();
        if (attend) centre.attend(60);
        await time.advance(forMs);
      }
      const due = polls;
      quality = 'synchronised';
      centre.faults.unreachable = false;
      await time.advance(10 * MINUTE);
      const stored = [...centre.stored].filter(([name]) => name.startsWith(`${METER}/load.power@`));
      const values = stored.map(([, { value }]) => Number(value)).sort((a, b) => a - b);
      expect(values.slice(0, due)).toEqual(Array.from({ length: due }, (_, i) => i + 1));
      expect(pollOrder).toEqual(Array.from({ length: polls }, (_, i) => i + 1));
      expect(gateway.status().outbox).toMatchObject({ refused: 0, expired: 0, untimedRecords: 0 });
      await gateway.stop();
    }),
    { numRuns: 60, seed: 20_260_115 },
  );
}, 120_000);
