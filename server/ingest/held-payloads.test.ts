import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DataPayload } from '#contract/data.js';
import { createHeldPayloads } from './held-payloads.js';

const payload = (birth: number, record = 1): DataPayload => ({
  birth,
  epoch: '0123456789abcdef',
  first: record,
  last: record,
  historical: false,
  samples: [],
});

test('each birth gets what waits for it; the data of another gateway goes on waiting', () => {
  const held = createHeldPayloads(1000, { monotonic: () => 0 });
  held.keep('langar', payload(5, 1), 10);
  held.keep('langar', payload(6, 2), 10);
  held.keep('langar', payload(5, 3), 10);
  held.keep('karakul', payload(5, 4), 10);
  expect(held.take('langar', 5).map(({ first }) => first)).toEqual([1, 3]);
  expect(held.take('langar', 5)).toEqual([]);
  expect(held.take('langar', 6).map(({ first }) => first)).toEqual([2]);
});

test('what nobody fetches makes room after a minute, and a flood is counted', () => {
  let now = 0;
  const held = createHeldPayloads(100, { monotonic: () => now });
  for (let birth = 1; birth <= 20; birth += 1) held.keep('langar', payload(birth), 10);
  expect(held.counters()).toEqual({ payloadsHeld: 10, payloadsHeldOverLimit: 10 });
  now = 61_000;
  held.keep('karakul', payload(1), 100);
  expect(held.counters()).toMatchObject({ payloadsHeld: 11 });
  expect([held.take('langar', 1), held.take('karakul', 1).length]).toEqual([[], 1]);
});

test('whatever is kept and taken, the room that was there is there again', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          post: fc.constantFrom('a', 'b'),
          birth: fc.nat(3),
          bytes: fc.nat(30),
          take: fc.boolean(),
          wait: fc.nat(40_000),
        }),
        { maxLength: 60 },
      ),
      (steps) => {
        let now = 0;
        const held = createHeldPayloads(100, { monotonic: () => now });
        for (const { birth, bytes, post, take, wait } of steps) {
          now += wait;
          if (take) held.take(post, birth);
          else held.keep(post, payload(birth), bytes);
        }
        for (const post of ['a', 'b']) for (let birth = 0; birth <= 3; birth += 1) held.take(post, birth);
        const before = held.counters().payloadsHeld;
        held.keep('a', payload(9), 100);
        expect(held.counters().payloadsHeld).toBe(before + 1);
      },
    ),
  );
});
