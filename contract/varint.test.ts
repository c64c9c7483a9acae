import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from './varint.js';

const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 30, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER),
  fc.constantFrom(Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER + 1, Number.MAX_SAFE_INTEGER - 1),
);

describe('integers of one to eight bytes', () => {
  test('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(integers), (numbers) => {
        const writer = new ByteWriter(1);
        for (const number of numbers) {
          writer.signed(number);
          writer.unsigned(Math.abs(number));
        }
        const reader = new ByteReader(writer.written());
        for (const number of numbers) {
          expect(reader.signed()).toBe(number);
          expect(reader.unsigned()).toBe(Math.abs(number));
        }
        expect(reader.isDone).toBe(true);
      }),
    );
  });

  test('are short where they are small', () => {
    const bytesOf = (number: number) => {
      const writer = new ByteWriter();
      writer.signed(number);
      return writer.length;
    };
    expect([0, 63, -64, 64, -65, 8191, 8192, 2 ** 31, Number.MIN_SAFE_INTEGER].map(bytesOf)).toEqual([
      1, 1, 1, 2, 2, 2, 3, 5, 8,
    ]);
  });

  test('that are none leave nothing readable behind them', () => {
    for (const bytes of [[], [0x80], Array(9).fill(0xff), [...Array(7).fill(0xff), 0x7f]]) {
      const reader = new ByteReader(Uint8Array.from([...bytes]));
      expect(reader.unsigned()).toBeUndefined();
      expect([reader.unsigned(), reader.signed(), reader.raw(0), reader.left, reader.isDone]).toEqual([
        undefined,
        undefined,
        undefined,
        0,
        false,
      ]);
    }
  });
});
