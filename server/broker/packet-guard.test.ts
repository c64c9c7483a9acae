import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPacketGuard } from './packet-guard.js';

function packet(length: number, body = length): Buffer {
  const header = [0x30];
  let rest = length;
  do {
    header.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(body, 0xff)]);
}

test('packets within the limit pass, however their bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      fc.boolean(),
      (lengths, cuts, oneTooMany) => {
        const guard = createPacketGuard(300);
        let bytes = Buffer.concat(lengths.map((length) => packet(length)));
        if (oneTooMany) bytes = Buffer.concat([bytes, packet(301, 0)]);
        let passes = true;
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const step = cuts[turn % cuts.length] as number;
          passes = guard(bytes.subarray(at, at + step));
          at += step;
        }
        expect(passes).toBe(!oneTooMany);
      },
    ),
  );
});

test('the largest promise that MQTT can make is seen in five bytes', () => {
  expect(createPacketGuard(262_144)(packet(268_435_455, 0))).toBe(false);
  expect(createPacketGuard(262_144)(packet(262_144, 0))).toBe(true);
});

test('a length of more than four bytes breaks the protocol', () => {
  expect(createPacketGuard(262_144)(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe(false);
});

test('of a packet that is too long it is told what it is, and what came of it', () => {
  const told: { first: number; start: string }[] = [];
  const guard = createPacketGuard(300, ({ first, start }) =>
    told.push({ first, start: Buffer.from(start).toString('latin1') }),
  );
  expect(guard(Buffer.concat([packet(20), Buffer.from([0x31, 0xff, 0x7f]), Buffer.from('\0\x01t')]))).toBe(false);
  expect(guard(Buffer.from('more'))).toBe(false);
  expect(told).toEqual([{ first: 0x31, start: '\0\x01t' }]);
});
