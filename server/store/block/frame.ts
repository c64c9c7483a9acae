// What stands around the bytes of every block: a byte that tells version and form, and a checksum of it and of the content.
import { constants, crc32, inflateRawSync } from 'node:zlib';
import { BlockDamage } from './bytes.js';

const HEAD_BYTES = 5;
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

/** @param head version and form, 0 … 255 */
export function framed(head: number, content: Uint8Array): Uint8Array {
  const block = new Uint8Array(HEAD_BYTES + content.length);
  block[0] = head;
  block.set(content, HEAD_BYTES);
  new DataView(block.buffer).setUint32(1, crc32(content, head));
  return block;
}

/** The first byte; 0, which no block has, where there is none. */
export function headOf(block: Uint8Array): number {
  return block[0] ?? 0;
}

/** Whether the bytes are those that {@link framed} gave. */
export function isIntact(block: Uint8Array): boolean {
  if (block.length < HEAD_BYTES) return false;
  return new DataView(block.buffer, block.byteOffset).getUint32(1) === crc32(block.subarray(HEAD_BYTES), headOf(block));
}

/** What was framed. Throws {@link BlockDamage} on other bytes. */
export function contentOf(block: Uint8Array, isDeflated: boolean): Uint8Array {
  if (!isIntact(block)) throw new BlockDamage('a block with a wrong checksum');
  const content = block.subarray(HEAD_BYTES);
  if (!isDeflated) return content;
  try {
    return inflateRawSync(content, { maxOutputLength: INFLATED_BYTES_MAX, finishFlush: constants.Z_FINISH });
  } catch {
    throw new BlockDamage('a block that does not inflate');
  }
}
