// Modbus RTU frames: questions out, answers in. Pure. Only the functions that read exist here.
import type { Table } from '#profiles/profile.js';
import type { BusRequest } from '../ports.js';

const FUNCTIONS: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 };
const EXCEPTION_FLAG = 0x80;
const CRC_BYTES = 2;
const HEADER_BYTES = 3;
const EXCEPTION_BYTES = HEADER_BYTES + CRC_BYTES;

/** All that an RTU answer can be recognised by: there is no transaction number. */
export interface Shape {
  readonly unit: number;
  readonly function: number;
  readonly byteCount: number;
}

export type Answer =
  | { readonly kind: 'values'; readonly bytes: Uint8Array }
  | { readonly kind: 'exception'; readonly exception: number };

export interface Found {
  /** Index into the shapes that were looked for. */
  readonly index: number;
  readonly answer: Answer;
  /** Bytes of the buffer up to and with the frame. */
  readonly end: number;
}

/** CRC-16/MODBUS: polynomial 0xA001 reflected, start 0xFFFF. Goes on the wire low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

export function encodeQuestion(request: Pick<BusRequest, 'unit' | 'table' | 'start' | 'count'>): Uint8Array {
  const frame = Buffer.alloc(8);
  frame.writeUInt8(request.unit, 0);
  frame.writeUInt8(FUNCTIONS[request.table], 1);
  frame.writeUInt16BE(request.start, 2);
  frame.writeUInt16BE(request.count, 4);
  frame.writeUInt16LE(crc16(frame.subarray(0, 6)), 6);
  return frame;
}

/** What the answer to this question must look like. */
export function shapeOf(request: Pick<BusRequest, 'unit' | 'table' | 'count' | 'replyUnit'>): Shape {
  const bits = request.table === 'coil' || request.table === 'discrete';
  return {
    unit: request.replyUnit ?? request.unit,
    function: FUNCTIONS[request.table],
    byteCount: bits ? Math.ceil(request.count / 8) : request.count * 2,
  };
}

export function sameShape(left: Shape, right: Shape): boolean {
  return left.unit === right.unit && left.function === right.function && left.byteCount === right.byteCount;
}

/** Bytes of a complete answer of this shape. */
export function frameBytes(shape: Shape): number {
  return HEADER_BYTES + shape.byteCount + CRC_BYTES;
}

/**
 * The first frame in the buffer that is an answer to one of the shapes; on the same bytes the first shape wins. Bytes before
 * it (line noise, our own echo, another master's talk) are passed over.
 */
export function findAnswer(buffer: Uint8Array, shapes: readonly Shape[]): Found | undefined {
  for (let start = 0; start + EXCEPTION_BYTES <= buffer.length; start += 1)
    for (const [index, shape] of shapes.entries()) {
      const answer = answerAt(buffer, start, shape);
      if (answer !== undefined) return { index, ...answer };
    }
  return undefined;
}

function answerAt(buffer: Uint8Array, start: number, shape: Shape): Omit<Found, 'index'> | undefined {
  if (buffer[start] !== shape.unit) return undefined;
  if (buffer[start + 1] === (shape.function | EXCEPTION_FLAG)) {
    const end = start + EXCEPTION_BYTES;
    if (!crcHolds(buffer, start, end)) return undefined;
    return { answer: { kind: 'exception', exception: buffer[start + 2] ?? 0 }, end };
  }
  if (buffer[start + 1] !== shape.function || buffer[start + 2] !== shape.byteCount) return undefined;
  const end = start + frameBytes(shape);
  if (!crcHolds(buffer, start, end)) return undefined;
  return { answer: { kind: 'values', bytes: buffer.slice(start + HEADER_BYTES, end - CRC_BYTES) }, end };
}

function crcHolds(buffer: Uint8Array, start: number, end: number): boolean {
  if (end > buffer.length) return false;
  const crc = crc16(buffer.subarray(start, end - CRC_BYTES));
  return buffer[end - 2] === (crc & 0xff) && buffer[end - 1] === crc >>> 8;
}

/** Words of a register answer, or one 0 or 1 for each coil, least significant bit first. */
export function valuesOf(table: Table, count: number, bytes: Uint8Array): number[] {
  if (table === 'holding' || table === 'input')
    return Array.from({ length: count }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  return Array.from({ length: count }, (_, index) => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1);
}

/** The silence that ends a frame: 3.5 characters, and 1.75 ms from 19200 baud on (Modbus over serial line 1.02, 2.5.1.1). */
export function frameGapMs(line: { baud: number; parity: string; stopBits: number }): number {
  const bits = 1 + 8 + (line.parity === 'none' ? 0 : 1) + line.stopBits;
  return line.baud > 19_200 ? 1.75 : (3.5 * bits * 1000) / line.baud;
}
