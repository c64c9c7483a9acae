// A slave on Modbus TCP. Follows "Modbus Messaging on TCP/IP 1.0b".
import { createServer, type Server, type Socket } from 'node:net';
import type { BusDisturbance } from '../fault/bus-fault.js';
import {
  answerQuestion,
  createWaiting,
  exceptionBody,
  type ServedBus,
  type ServedUnits,
  type Waiting,
} from './slave.js';

export interface TcpOptions extends ServedUnits {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** What an absent unit gets: exception 11, as from a gateway (default), or nothing. */
  readonly absentUnit?: 'exception' | 'silence';
}

const TARGET_SILENT = 11;
const HEADER_BYTES = 7;
const LONGEST_FRAME_BYTES = 260;
const MOST_CONNECTIONS = 32;

/** Starts a slave on one port. Rejects when the address cannot be bound (`EADDRINUSE`, …). */
export function serveModbusTcp(options: TcpOptions): Promise<ServedBus> {
  const waiting = createWaiting(options);
  return listenFor(options, waiting, (socket) => answerOn(socket, options, waiting));
}

/** A port on which each connection is answered by `answer`. */
export function listenFor(
  { host, port }: Pick<TcpOptions, 'host' | 'port'>,
  waiting: Waiting,
  answer: (socket: Socket) => void,
): Promise<ServedBus> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    answer(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve({ port: bound, place: `${host}:${bound}`, close: () => closeAll(server, sockets, waiting) });
    });
  });
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>, waiting: Waiting): Promise<void> {
  waiting.end();
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function answerOn(socket: Socket, options: TcpOptions, waiting: Waiting): void {
  let pending = Buffer.alloc(0);
  let isDead = false;
  socket.on('data', (chunk) => {
    if (isDead) return;
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 8) {
      const length = pending.readUInt16BE(4);
      const protocol = pending.readUInt16BE(2);
      if (protocol !== 0 || length < 2 || length + 6 > LONGEST_FRAME_BYTES) {
        socket.destroy();
        return;
      }
      if (pending.length < length + 6) return;
      const frame = pending.subarray(0, length + 6);
      pending = pending.subarray(length + 6);
      const disturbance = options.faults?.(frame.readUInt8(6)) ?? {};
      isDead = disturbance.halfOpen === true;
      if (isDead) return;
      answerFrame(socket, frame, disturbance, options, waiting);
    }
  });
}

function answerFrame(
  socket: Socket,
  frame: Buffer,
  disturbance: BusDisturbance,
  options: TcpOptions,
  waiting: Waiting,
): void {
  // The converter has thrown away what came with a wrong checksum.
  if (disturbance.badCrc === true && disturbance.drop !== true) return;
  const wire = {
    framed: (unit: number, body: Buffer) => headed(frame, unit, body),
    foreign: () => foreignAnswer(frame),
    leastBytes: HEADER_BYTES,
    write: (bytes: Buffer) => {
      if (!socket.destroyed) socket.write(bytes);
    },
    cut: () => socket.destroy(),
  };
  const question = { unit: frame.readUInt8(6), request: frame.subarray(HEADER_BYTES), disturbance };
  answerQuestion(question, options, waiting, wire, absentBody(frame, options));
}

/** What somebody else on the line behind the converter was told: one register of another unit. */
function foreignAnswer(frame: Buffer): Buffer {
  const head = Buffer.from(frame.subarray(0, HEADER_BYTES));
  head.writeUInt16BE((frame.readUInt16BE(0) + 0x1000) & 0xffff, 0);
  return headed(head, (frame.readUInt8(6) + 1) & 0xff, Buffer.from([3, 2, 0x12, 0x34]));
}

function absentBody(frame: Buffer, options: TcpOptions): Buffer | undefined {
  if (options.absentUnit === 'silence') return undefined;
  return exceptionBody(frame.readUInt8(HEADER_BYTES), TARGET_SILENT);
}

function headed(request: Buffer, unit: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  request.copy(header, 0, 0, 2);
  header.writeUInt16BE(body.length + 1, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, body]);
}
