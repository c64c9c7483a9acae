import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc16, encodeQuestion, findAnswer, frameGapMs, shapeOf, valuesOf } from './rtu-frame.js';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const question = { unit: 1, table: 'holding', start: 4, count: 1 } as const;
const noise = fc.uint8Array({ maxLength: 20 });

function frameOf(...content: number[]): Uint8Array {
  const crc = crc16(Uint8Array.from(content));
  return Uint8Array.from([...content, crc & 0xff, crc >> 8]);
}

describe('RTU frames', () => {
  test('are those that real devices exchange', () => {
    // A level probe and a request of the Modbus specification's serial guide.
    expect(encodeQuestion(question)).toEqual(Buffer.from(hex('01 03 00 04 00 01 C5 CB')));
    expect(encodeQuestion({ unit: 17, table: 'holding', start: 0x6b, count: 3 })).toEqual(
      Buffer.from(hex('11 03 00 6B 00 03 76 87')),
    );
  });

  test('an answer is found behind noise, and an echo of the question is none', () => {
    const answer = frameOf(1, 3, 2, 0x07, 0x2d);
    fc.assert(
      fc.property(noise, (before) => {
        const buffer = Uint8Array.from([...encodeQuestion(question), ...before, ...answer]);
        const found = findAnswer(buffer, [shapeOf(question)]);
        expect(found?.answer).toEqual({ kind: 'values', bytes: Uint8Array.from([0x07, 0x2d]) });
      }),
    );
  });

  test('no flipped bit goes unseen', () => {
    const answer = frameOf(1, 3, 2, 0x07, 0x2d);
    for (let bit = 0; bit < answer.length * 8; bit += 1) {
      const damaged = Uint8Array.from(answer);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(findAnswer(damaged, [shapeOf(question)])).toBeUndefined();
    }
  });

  test('unit, function and length are those of the question', () => {
    for (const other of [
      { ...question, unit: 2 },
      { ...question, table: 'input' as const },
      { ...question, count: 2 },
    ])
      expect(findAnswer(frameOf(1, 3, 2, 0x07, 0x2d), [shapeOf(other)])).toBeUndefined();
  });

  test('an exception is an answer of any length', () => {
    expect(findAnswer(frameOf(1, 0x83, 2), [shapeOf({ ...question, count: 50 })])?.answer).toEqual({
      kind: 'exception',
      exception: 2,
    });
  });

  test('half an answer is not yet one', () => {
    const answer = frameOf(1, 3, 2, 0x07, 0x2d);
    for (let length = 0; length < answer.length; length += 1)
      expect(findAnswer(answer.subarray(0, length), [shapeOf(question)])).toBeUndefined();
  });

  test('words are big-endian, coils come lowest bit first', () => {
    expect(valuesOf('input', 2, Uint8Array.from([0x12, 0x34, 0xff, 0xfe]))).toEqual([0x1234, 0xfffe]);
    expect(valuesOf('coil', 10, Uint8Array.from([0b1000_0101, 0b10]))).toEqual([1, 0, 1, 0, 0, 0, 0, 1, 0, 1]);
  });

  test('the silence between frames is 3.5 characters, and fixed above 19200 baud', () => {
    expect(frameGapMs({ baud: 9600, parity: 'none', stopBits: 1 })).toBeCloseTo(3.65, 2);
    expect(frameGapMs({ baud: 19_200, parity: 'even', stopBits: 1 })).toBeCloseTo(2.01, 2);
    expect(frameGapMs({ baud: 115_200, parity: 'none', stopBits: 1 })).toBe(1.75);
  });
});
