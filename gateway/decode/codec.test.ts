import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Register } from '#profiles/profile.js';
import { clockOf, floatOf, rawBitsOf, setBitsOf, signedOf, textOf } from './codec.js';

const register = (fields: Partial<Register>): Register =>
  ({ at: 0, type: 'u16', metric: 'ac.power', ...fields }) as Register;
const big = { order: 'big' } as const;
const little = { order: 'little' } as const;

/** Words of an unsigned number by arithmetic alone, most significant first. */
function wordsOf(unsigned: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Number((unsigned / 65_536n ** BigInt(count - 1 - index)) % 65_536n),
  );
}

describe('words spell numbers', () => {
  test.each([
    ['u16', 1, false],
    ['s16', 1, true],
    ['u32', 2, false],
    ['s32', 2, true],
    ['u64', 4, false],
    ['s64', 4, true],
  ] as const)('every %s comes back as it was written', (type, count, signed) => {
    const bits = BigInt(16 * count);
    const numbers = signed
      ? fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n })
      : fc.bigInt({ min: 0n, max: 2n ** bits - 1n });
    fc.assert(
      fc.property(numbers, fc.boolean(), fc.boolean(), (number, reversed, swapBytes) => {
        const ordered = wordsOf(number < 0n ? number + 2n ** bits : number, count);
        const bytes = ordered.map((word) => (swapBytes ? (word % 256) * 256 + Math.floor(word / 256) : word));
        const own = reversed ? bytes.reverse() : bytes;
        const raw = rawBitsOf(register({ type, swapBytes }), { own }, reversed ? little : big);
        expect(BigInt(signed ? signedOf(raw) : raw.unsigned)).toBe(number);
      }),
    );
  });

  test('every 32-bit float is the shortest decimal that gives the same float', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (number) => {
        const bytes = Buffer.alloc(4);
        bytes.writeFloatBE(number);
        const raw = rawBitsOf(register({ type: 'f32' }), { own: [bytes.readUInt16BE(0), bytes.readUInt16BE(2)] }, big);
        const decimal = floatOf(raw);
        expect(Math.fround(decimal)).toBe(number);
        expect(
          String(Math.abs(decimal))
            .replace(/e.*|\D/g, '')
            .replace(/^0+|0+$/g, '').length,
        ).toBeLessThanOrEqual(10);
      }),
    );
  });

  test.each([
    [0x4366, 0x199a, 230.1],
    [0x43e1, 0x0ccd, 450.1],
    [0x3dcc, 0xcccd, 0.1],
    [0x44c5, 0xdd00, 1582.90625],
    [0xc080, 0x0000, -4],
    [0x47c0, 0xe6b3, 98_765.4],
    [0x8000, 0x0000, -0],
  ])('float of the words %i %i is %d', (high, low, number) => {
    expect(floatOf(rawBitsOf(register({ type: 'f32' }), { own: [high, low] }, big))).toBe(number);
  });

  test('a 64-bit float keeps all its digits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (number) => {
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleBE(number);
        const own = [0, 2, 4, 6].map((offset) => bytes.readUInt16BE(offset));
        expect(floatOf(rawBitsOf(register({ type: 'f64' }), { own }, big))).toBe(number);
      }),
    );
  });

  test('a mask keeps its bits where they are', () => {
    expect(rawBitsOf(register({ mask: 0x00ff }), { own: [0x0357] }, big).unsigned).toBe(0x57);
    expect(rawBitsOf(register({ mask: 0xff00 }), { own: [0x0357] }, big).unsigned).toBe(0x300);
    const wide = rawBitsOf(register({ type: 'u32', mask: 0xffff0000 }), { own: [0xabcd, 0x1234] }, big);
    expect(wide.unsigned).toBe(0xabcd0000);
  });

  test('bits are counted from the least significant', () => {
    expect(setBitsOf({ unsigned: 0x80000001, bits: 32 })).toEqual([0, 31]);
    expect(setBitsOf({ unsigned: 1n << 63n, bits: 64 })).toEqual([63]);
    expect(setBitsOf({ unsigned: 0, bits: 16 })).toEqual([]);
  });
});

describe('a high word that is kept apart', () => {
  const load = register({ type: 's16', highWordAt: 9 });
  const number = (low: number, high: number) => Number(signedOf(rawBitsOf(load, { own: [low], high }, big)));

  test.each([
    ['firmware without it', 0xfff6, 0, -10],
    ['continues the sign', 0xfff6, 0xffff, -10],
    ['a large load', 0x1170, 1, 70_000],
    ['a large negative', 0xee90, 0xfffe, -70_000],
    ['a positive value', 900, 0, 900],
  ])('%s', (_, low, high, expected) => {
    expect(number(low, high)).toBe(expected);
  });
});

describe('texts', () => {
  const text = register({ type: 'string', words: 4 });

  test('end at the first zero byte and lose the spaces at their end', () => {
    expect(textOf(text, [0x4142, 0x2043, 0x2020, 0x0041])).toBe('AB C');
    expect(textOf({ ...text, charPerWord: true }, [0x41, 0x42, 0, 0x43])).toBe('AB');
    expect(textOf({ ...text, swapBytes: true }, [0x4241, 0x0043, 0, 0])).toBe('ABC');
  });

  test('that no printer could print are none', () => {
    expect(textOf(text, [0xffff, 0xffff, 0xffff, 0xffff])).toBeUndefined();
  });

  test('clocks are three packed words or six single ones, and only times that a calendar has', () => {
    const clock = register({ type: 'clock' });
    expect(clockOf(clock, [0x1a06, 0x150c, 0x2238])).toBe('2026-06-21T12:34:56');
    expect(clockOf(clock, [26, 2, 28, 23, 59, 59])).toBe('2026-02-28T23:59:59');
    expect(clockOf(clock, [2026, 2, 28, 23, 59, 59])).toBe('2026-02-28T23:59:59');
    expect(clockOf(clock, [26, 2, 29, 0, 0, 0])).toBeUndefined();
    expect(clockOf(clock, [26, 1, 1, 24, 0, 0])).toBeUndefined();
    expect(clockOf(clock, [0, 0, 0])).toBeUndefined();
  });
});
