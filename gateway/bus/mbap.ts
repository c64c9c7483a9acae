// The frame of Modbus TCP (MBAP), followed byte by byte. The library trusts a length that it is told and then waits for ever
// for bytes that never come; whoever follows the frames can cut the line at the first sign of nonsense.

const HEADER_BYTES = 7;
/** Unit, function and at least one byte more. */
const LENGTH_MIN = 3;
/** A PDU has 253 bytes at most, the unit one. */
const LENGTH_MAX = 254;

export interface MbapFollower {
  /** What is wrong with the stream, after these bytes; `undefined` while it makes sense. */
  follow(bytes: Uint8Array): string | undefined;
}

/**
 * Follows the answers of one connection. `unitFor` says which unit the next answer must be shown to come from, where a
 * device answers under another number than it is asked by; the byte is rewritten in place.
 */
export function followMbap(unitFor: (unit: number) => number = (unit) => unit): MbapFollower {
  /** Offset in the frame that the next byte has. */
  let offset = 0;
  let length = 0;
  const step = (byte: number): string | undefined => {
    if ((offset === 2 || offset === 3) && byte !== 0) return `protocol id is not 0`;
    if (offset === 4) length = byte << 8;
    if (offset === 5) {
      length |= byte;
      if (length < LENGTH_MIN || length > LENGTH_MAX) return `announces ${length} bytes`;
    }
    offset += 1;
    if (offset >= HEADER_BYTES && offset === HEADER_BYTES - 1 + length) offset = 0;
    return undefined;
  };
  return {
    follow(bytes) {
      for (let index = 0; index < bytes.length; index += 1) {
        const byte = bytes[index] ?? 0;
        if (offset === HEADER_BYTES - 1) bytes[index] = unitFor(byte);
        const fault = step(byte);
        if (fault !== undefined) return fault;
      }
      return undefined;
    },
  };
}
