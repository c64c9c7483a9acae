import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WindowRollup } from '#domain/series-rollup.js';
import { decodeRollups, encodeRollups } from './rollup-block.js';

const T0 = Date.UTC(2026, 0, 15);
const number = fc.oneof(
  fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 10),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const maybe = fc.oneof(number, fc.constant(null));
const word = fc.constantFrom('off', 'on', '', '__proto__', 'it’s ☀');
const base = {
  count: fc.nat(10_000),
  coverage: fc.double({ min: 0, max: 1, noNaN: true }),
};
const oneOf = {
  gauge: fc.record({ ...base, min: maybe, max: maybe, mean: maybe, first: maybe, last: maybe }),
  counter: fc.record({ ...base, increase: maybe, estimated: fc.boolean(), first: maybe, last: maybe }),
  state: fc.record({
    ...base,
    timeInMs: fc.dictionary(word, fc.nat(900_000)),
    first: fc.oneof(word, fc.constant(null)),
    last: fc.oneof(word, fc.constant(null)),
  }),
};

const windows = fc.constantFrom<('gauge' | 'counter' | 'state')[]>('gauge', 'counter', 'state').chain((kind) =>
  fc
    .array(fc.tuple(oneOf[kind] as fc.Arbitrary<object>, fc.integer({ min: 0, max: 3 })), { maxLength: 40 })
    .map((all) => {
      let from = T0;
      return all.map(([rest, skipped]) => {
        from += skipped * 900_000;
        const window = { kind, from, to: from + 900_000, ...rest };
        from = window.to;
        return window as unknown as WindowRollup;
      });
    }),
);

test('rollups come out as they went in, whatever is missing in them', () => {
  fc.assert(
    fc.property(windows, (all) => {
      expect(decodeRollups(encodeRollups(all))).toEqual(all);
    }),
    { numRuns: 300 },
  );
});

test('rollups of a metric that became another kind are kept by time', () => {
  const common = { to: T0 + 900_000, count: 1, coverage: 1, first: null, last: null };
  const all: WindowRollup[] = [
    { ...common, kind: 'state', from: T0, timeInMs: { on: 5 } },
    { ...common, kind: 'gauge', from: T0 + 1_000_000, to: T0 + 1_900_000, min: 1, max: 2, mean: 1.5 },
  ];
  expect(decodeRollups(encodeRollups(all))).toEqual(all);
});

test('one bit that is another is told', () => {
  const block = encodeRollups([
    { kind: 'gauge', from: T0, to: T0 + 900_000, count: 1, coverage: 1, min: 1, max: 2, mean: 1, first: 1, last: 2 },
  ]);
  for (let bit = 0; bit < block.length * 8; bit += 1) {
    const flipped = block.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => decodeRollups(flipped)).toThrow();
  }
});
