// Counts what MQTT packets announce, before the broker gathers them: a header of five bytes can promise 256 MB.

/** Called with each chunk of a connection, in order. True while every packet stays within the limit. */
export type PacketGuard = (chunk: Uint8Array) => boolean;

/** What is known of a packet that is too long. */
export interface LongPacket {
  /** First byte of its fixed header: type and flags. */
  readonly first: number;
  /** What came of it in the chunk that gave it away, from behind its length. */
  readonly start: Uint8Array;
}

/**
 * Follows the fixed headers of MQTT 3.1.1 (section 2.2): one byte of type, then the remaining length in one to four bytes of
 * seven bits, lowest first. A fifth length byte breaks the protocol and counts as too long.
 */
export function createPacketGuard(bytesMax: number, tooLong?: (packet: LongPacket) => void): PacketGuard {
  let skip = 0;
  let first = 0;
  let lengthBytes = -1;
  let length = 0;
  let broken = false;
  return (chunk) => {
    let at = 0;
    while (!broken && at < chunk.length) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
      } else if (lengthBytes < 0) {
        lengthBytes = 0;
        length = 0;
        first = chunk[at] as number;
        at += 1;
      } else {
        const byte = chunk[at] as number;
        at += 1;
        length += (byte & 0x7f) * 128 ** lengthBytes;
        lengthBytes += 1;
        const more = (byte & 0x80) !== 0;
        broken = length > bytesMax || (more && lengthBytes === 4);
        if (broken) tooLong?.({ first, start: chunk.subarray(at) });
        if (more) continue;
        skip = length;
        lengthBytes = -1;
      }
    }
    return !broken;
  };
}
