import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Value } from '#domain/reading.js';
import { decodeBlock, encodeBlock } from './block.js';
import { BlockDamage } from './bytes.js';
import { Columns, countBefore, seriesColumns } from './columns.js';

interface Row {
  readonly at: number;
  readonly value: Value;
  readonly code: number;
}

const T0 = Date.UTC(2026, 0, 15);

function columnsOf(rows: readonly Row[]): Columns {
  const columns = new Columns(1);
  for (const { at, code, value } of rows)
    columns.push(at, value === null ? Number.NaN : typeof value === 'string' ? columns.placeOf(value) : value, code);
  return columns;
}

function rowsOf(columns: Columns): Row[] {
  return Array.from({ length: columns.count }, (_, i) => ({
    at: columns.times[i]!,
    value: columns.valueAt(i),
    code: columns.codes[i]!,
  }));
}

function decoded(block: Uint8Array, before: readonly Row[] = []): Row[] {
  const into = columnsOf(before);
  decodeBlock(block, into);
  return rowsOf(into);
}

/** Values as devices give them: whole, with few decimals, 32-bit floats, anything; near one another, and far. */
const numbers = fc.oneof(
  fc.integer({ min: -1e6, max: 1e6 }),
  fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 100),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 2 ** 53, -(2 ** 53), 2 ** 50, 1e-9, 5e-324, 1.7e308, 0.1 + 0.2),
  fc.maxSafeInteger(),
);
const times = fc
  .array(fc.oneof(fc.constant(10_000), fc.integer({ min: 1, max: 1e12 })), { minLength: 1, maxLength: 300 })
  .map((steps) => {
    let at = T0;
    return steps.map((step) => (at += step));
  });

function rowsOver(value: fc.Arbitrary<Value>): fc.Arbitrary<Row[]> {
  return times.chain((all) =>
    fc.tuple(...all.map((at) => fc.record({ at: fc.constant(at), value, code: fc.constantFrom(0, 0, 0, 1, 39, 255) }))),
  );
}

const series = fc.oneof(
  rowsOver(numbers),
  rowsOver(fc.integer({ min: 0, max: 3 })),
  rowsOver(fc.oneof(numbers, fc.constant(null))),
  rowsOver(fc.oneof(fc.constantFrom('off', 'on', '', 'it’s ☀'), fc.constant(null))),
  rowsOver(fc.constant(null)),
);

describe('a block', () => {
  test('gives back what went in, bit for bit, deflated or not, also behind other points', () => {
    fc.assert(
      fc.property(series, fc.boolean(), (rows, deflate) => {
        const block = encodeBlock(columnsOf(rows), deflate);
        expect(decoded(block)).toEqual(rows);
        const kind = rows.find(({ value }) => value !== null)?.value;
        const before = [{ at: T0 - 1, value: typeof kind === 'string' ? 'before' : 7, code: 0 }];
        expect(decoded(block, before)).toEqual([...before, ...rows]);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps a negative zero', () => {
    expect(decoded(encodeBlock(columnsOf([{ at: T0, value: -0, code: 0 }]), false))[0]?.value).toBe(-0);
  });

  test('that is not what was written is damage, never a wrong value', () => {
    fc.assert(
      fc.property(series, fc.boolean(), fc.nat(), fc.integer({ min: 0, max: 7 }), (rows, deflate, place, bit) => {
        const block = encodeBlock(columnsOf(rows), deflate);
        const flipped = block.slice();
        flipped[place % block.length]! ^= 1 << bit;
        expect(() => decoded(flipped)).toThrow(BlockDamage);
        expect(() => decoded(block.subarray(0, place % block.length))).toThrow(BlockDamage);
      }),
    );
  });

  test('of steady readings takes about a byte for each', () => {
    const rows = Array.from({ length: 720 }, (_, i) => ({
      at: T0 + i * 10_000,
      value: Math.round(23_000 + 50 * Math.sin(i / 9)) / 100,
      code: 0,
    }));
    expect(encodeBlock(columnsOf(rows), false).length).toBeLessThan(800);
    expect(encodeBlock(columnsOf(rows), true).length).toBeLessThan(500);
  });
});

describe('columns', () => {
  test('are ordered by time, and of two points at one time the later one stays', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.integer({ min: 0, max: 30 }), value: fc.integer(), code: fc.constant(0) })),
        (rows) => {
          const expected = [...new Map(rows.map((row) => [row.at, row])).values()].sort((a, b) => a.at - b.at);
          const result = columnsOf(rows).ordered();
          expect(rowsOf(result)).toEqual(expected);
          expect(result.isOrdered).toBe(true);
          for (const at of [0, 7, 31])
            expect(countBefore(result, at)).toBe(expected.filter((row) => row.at < at).length);
        },
      ),
    );
  });

  test('take over points of others with their words', () => {
    const one = columnsOf([{ at: 1, value: 'on', code: 0 }]);
    one.append(
      columnsOf([
        { at: 2, value: 'off', code: 0 },
        { at: 3, value: 'on', code: 0 },
        { at: 4, value: null, code: 33 },
      ]),
      1,
    );
    expect(rowsOf(one)).toEqual([
      { at: 1, value: 'on', code: 0 },
      { at: 3, value: 'on', code: 0 },
      { at: 4, value: null, code: 33 },
    ]);
    expect(Array.from(seriesColumns(one).values as Value[])).toEqual(['on', 'on', null]);
  });
});
