// What stands around the bytes of every block: a byte that tells version and form, and a checksum of it and of the content.
import { constants, crc32, inflateRawSync } from 'node:zlib';
import { BlockDamage } from './bytes.js';

const HEAD_BYTES = 5;
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * @param head version and form, 0 … 255
 * @param key under which it is kept, so that it is not taken for another one where the key is no longer what it was
 */
export function framed(head: number, content: Uint8Array, key = 0): Uint8Array {
  const block = new Uint8Array(HEAD_BYTES + content.length);
  block[0] = head;
  block.set(content, HEAD_BYTES);
  new DataView(block.buffer).setUint32(1, crc32(content, seedOf(head, key)));
  return block;
}

/** The first byte; 0, which no block has, where there is none. */
export function headOf(block: Uint8Array): number {
  return block[0] ?? 0;
}

/** A sum that is begun with another number ends with another one. */
function seedOf(head: number, key: number): number {
  return (key ^ Math.imul(Math.floor(key / 2 ** 32), 0x9e37_79b1) ^ (head << 24)) >>> 0;
}

/** Whether the bytes are those that {@link framed} gave for the key. */
export function isIntact(block: Uint8Array, key = 0): boolean {
  if (block.length < HEAD_BYTES) return false;
  const told = new DataView(block.buffer, block.byteOffset).getUint32(1);
  return told === crc32(block.subarray(HEAD_BYTES), seedOf(headOf(block), key));
}

/** What was framed. Throws {@link BlockDamage} on other bytes. */
export function contentOf(block: Uint8Array, isDeflated: boolean, key = 0): Uint8Array {
  if (!isIntact(block, key)) throw new BlockDamage('a block with a wrong checksum');
  const content = block.subarray(HEAD_BYTES);
  if (!isDeflated) return content;
  try {
    return inflateRawSync(content, { maxOutputLength: INFLATED_BYTES_MAX, finishFlush: constants.Z_FINISH });
  } catch {
    throw new BlockDamage('a block that does not inflate');
  }
}
