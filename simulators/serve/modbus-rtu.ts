// A slave on a serial line, or on RTU frames that are carried over TCP. Follows "Modbus over serial line 1.02".
import type { BusDisturbance } from '../fault/bus-fault.js';
import { listenFor, type TcpOptions } from './modbus-tcp.js';
import { answerQuestion, createWaiting, type ServedBus, type ServedUnits, type Waiting } from './slave.js';

/** Bytes in and out. */
export interface ByteLine {
  onBytes(listener: (chunk: Buffer) => void): void;
  write(bytes: Buffer): void;
  /** Cuts the line, where it can be cut. */
  cut(): void;
}

/** Longest frame that the standard knows. */
const LONGEST_FRAME_BYTES = 256;
/** After this silence, what came before it was noise. Far above the 3.5 characters of the standard at any usual speed. */
const SILENCE_MS = 100;

/** Starts RTU over TCP on one port: frames with their checksum, without the head of Modbus TCP. */
export function serveRtuOverTcp(options: Omit<TcpOptions, 'absentUnit'>): Promise<ServedBus> {
  const waiting = createWaiting(options);
  return listenFor(options, waiting, (socket) =>
    answerRtu(
      {
        onBytes: (listener) => socket.on('data', listener),
        write: (bytes) => {
          if (!socket.destroyed) socket.write(bytes);
        },
        cut: () => socket.destroy(),
      },
      options,
      waiting,
    ),
  );
}

/** Answers all frames that come on a line, and finds back into step after noise. */
export function answerRtu(line: ByteLine, options: ServedUnits, waiting: Waiting): void {
  let pending = Buffer.alloc(0);
  let heard = 0;
  let isDead = false;
  line.onBytes((chunk) => {
    if (isDead) return;
    pending = Buffer.concat([pending, chunk]).subarray(-LONGEST_FRAME_BYTES * 4);
    heard += 1;
    const turn = heard;
    for (;;) {
      const length = frameLength(pending);
      if (length === undefined || pending.length < length) break;
      const frame = pending.subarray(0, length);
      if (crcOf(frame) !== 0) {
        pending = pending.subarray(1);
        continue;
      }
      pending = pending.subarray(length);
      const disturbance = options.faults?.(frame.readUInt8(0)) ?? {};
      isDead = disturbance.halfOpen === true;
      if (isDead) return;
      answerFrame(line, frame, disturbance, options, waiting);
    }
    if (pending.length > 0)
      waiting.later(SILENCE_MS, () => {
        if (turn === heard) pending = Buffer.alloc(0);
      });
  });
}

/** Length of a request by its function; `undefined` until it can be told. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const code = bytes.readUInt8(1);
  if (code >= 1 && code <= 6) return 8;
  if (code === 43) return 7;
  if (code === 15 || code === 16) return bytes.length < 7 ? undefined : 9 + bytes.readUInt8(6);
  return 4;
}

function answerFrame(
  line: ByteLine,
  frame: Buffer,
  disturbance: BusDisturbance,
  options: ServedUnits,
  waiting: Waiting,
): void {
  const unit = frame.readUInt8(0);
  const wire = {
    framed: (from: number, body: Buffer) => {
      const answer = framed(from, body);
      const last = answer.length - 1;
      if (disturbance.badCrc === true) answer.writeUInt8(answer.readUInt8(last) ^ 0xff, last);
      return answer;
    },
    foreign: () => foreignTalk((unit + 1) & 0xff),
    leastBytes: 2,
    write: line.write,
    cut: line.cut,
  };
  answerQuestion({ unit, request: frame.subarray(1, -2), disturbance }, options, waiting, wire);
}

/** Another master asks another device for one register, and is answered. */
function foreignTalk(unit: number): Buffer {
  return Buffer.concat([framed(unit, Buffer.from([3, 0, 0, 0, 1])), framed(unit, Buffer.from([3, 2, 0x12, 0x34]))]);
}

function framed(unit: number, body: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.from([unit]), body, Buffer.alloc(2)]);
  bytes.writeUInt16LE(crcOf(bytes.subarray(0, -2)), bytes.length - 2);
  return bytes;
}

/** CRC-16 of the standard. Over a whole frame with its own checksum it is 0. */
function crcOf(bytes: Buffer): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}
