// A slave on Modbus TCP. Follows "Modbus Messaging on TCP/IP 1.0b".
import { createServer, type Server, type Socket } from 'node:net';
import type { BusDisturbance } from '../fault/bus-fault.js';
import { answerOf, createWaiting, exceptionBody, type ServedBus, type ServedUnits, type Waiting } from './slave.js';

export interface TcpOptions extends ServedUnits {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** What an absent unit gets: exception 11, as from a gateway (default), or nothing. */
  readonly absentUnit?: 'exception' | 'silence';
}

const TARGET_SILENT = 11;
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
  const unit = frame.readUInt8(6);
  const device = options.units.get(unit);
  if (disturbance.drop === true) {
    socket.destroy();
    return;
  }
  if (disturbance.silent === true || disturbance.badCrc === true) return;
  if (device && waiting.isResting(unit, device)) return;
  const body = device ? answerOf(device, frame.subarray(7), disturbance) : absentBody(frame, options);
  if (body === undefined) return;
  const once = disturb(headed(frame, device?.replyUnit ?? unit, body), disturbance);
  const answer = Buffer.concat([
    ...(disturbance.foreignMaster === true ? [foreignAnswer(frame)] : []),
    once,
    ...(disturbance.doubled === true ? [once] : []),
  ]);
  const send = (): void => {
    if (!socket.destroyed) socket.write(answer);
  };
  if (disturbance.delayMs === undefined || disturbance.delayMs <= 0) send();
  else waiting.later(disturbance.delayMs, send);
}

/** What somebody else on the line behind the converter was told: one register of another unit. */
function foreignAnswer(frame: Buffer): Buffer {
  const head = Buffer.from(frame.subarray(0, 7));
  head.writeUInt16BE((frame.readUInt16BE(0) + 0x1000) & 0xffff, 0);
  return headed(head, (frame.readUInt8(6) + 1) & 0xff, Buffer.from([3, 2, 0x12, 0x34]));
}

function absentBody(frame: Buffer, options: TcpOptions): Buffer | undefined {
  if (options.absentUnit === 'silence') return undefined;
  return exceptionBody(frame.readUInt8(7), TARGET_SILENT);
}

function headed(request: Buffer, unit: number, body: Buffer): Buffer {
  const header = Buffer.alloc(7);
  request.copy(header, 0, 0, 2);
  header.writeUInt16BE(body.length + 1, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, body]);
}

/** Spoils a finished answer as a bad line or converter would. */
function disturb(answer: Buffer, disturbance: BusDisturbance): Buffer {
  if (disturbance.wrongUnit === true) answer.writeUInt8((answer.readUInt8(6) + 1) & 0xff, 6);
  if (disturbance.garbled === true) answer.writeUInt8(answer.readUInt8(7) ^ 0x14, 7);
  if (disturbance.miscounted === true && answer.length > 9) answer.writeUInt8((answer.readUInt8(8) + 2) & 0xff, 8);
  return disturbance.truncated === true ? answer.subarray(0, Math.max(7, answer.length - 3)) : answer;
}
