import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { followMbap } from './mbap.js';

function frame(transaction: number, unit: number, pdu: readonly number[]): number[] {
  return [transaction >> 8, transaction & 0xff, 0, 0, 0, pdu.length + 1, unit, ...pdu];
}

const pdus = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 2, maxLength: 253 });
const frames = fc.array(fc.record({ transaction: fc.nat(65_535), unit: fc.nat(255), pdu: pdus }), { maxLength: 6 });

/** Cuts bytes into pieces as a network might. */
function pieces(bytes: readonly number[], cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => Uint8Array.from(bytes.slice(places[index], end)));
}

describe('the stream of a Modbus TCP peer', () => {
  test('makes sense however it is cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(2000)), (all, cuts) => {
        const follower = followMbap();
        const bytes = all.flatMap(({ transaction, unit, pdu }) => frame(transaction, unit, pdu));
        for (const piece of pieces(bytes, cuts)) expect(follower.follow(piece)).toBeUndefined();
      }),
    );
  });

  test('shows its units as those that were asked, and changes nothing else', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(2000)), (all, cuts) => {
        const follower = followMbap((unit) => (unit === 1 ? 255 : unit));
        const bytes = all.flatMap(({ transaction, unit, pdu }) => frame(transaction, unit, pdu));
        const wanted = all.flatMap(({ transaction, unit, pdu }) => frame(transaction, unit === 1 ? 255 : unit, pdu));
        const seen = pieces(bytes, cuts).flatMap((piece) => {
          follower.follow(piece);
          return [...piece];
        });
        expect(seen).toEqual(wanted);
      }),
    );
  });

  test.each([
    ['a length that no frame has', [0, 1, 0, 0, 0xff, 0xff]],
    ['a length of nothing', [0, 1, 0, 0, 0, 2]],
    ['another protocol', [0, 1, 0x48, 0x54]],
  ])('is cut at %s', (_, bytes) => {
    expect(followMbap().follow(Uint8Array.from(bytes))).toBeDefined();
  });
});
