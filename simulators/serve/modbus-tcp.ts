// A Modbus TCP slave of our own: it answers reads and identification, and nothing that writes.
import { createServer, type Server, type Socket } from 'node:net';
import type { Scheduler } from '#domain/clock.js';
import type { Table } from '#profiles/profile.js';
import type { BusDisturbance } from '../fault/bus-fault.js';

/** What a device says to a read: words (or 0/1 for bits), a Modbus exception code, or nothing at all. */
export type DeviceAnswer =
  | { readonly words: readonly number[] }
  | { readonly exception: number }
  | { readonly silent: true };

/** A device as the bus sees it. */
export interface ServedDevice {
  /** @param start address as it came on the wire */
  read(table: Table, start: number, count: number): DeviceAnswer;
  /** Objects of function 43/14 by id: 0 vendor, 1 product code, 2 revision, 4 product name, 5 model. */
  identification(): ReadonlyMap<number, string>;
  /** Unit that answers, where it is not the one asked. */
  readonly replyUnit?: number;
}

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly units: ReadonlyMap<number, ServedDevice>;
  /** What is wrong with the bus or with one device's talk at this moment. Asked once for each request. */
  readonly faults?: (unit: number) => BusDisturbance;
  readonly scheduler: Scheduler;
  /** What an absent unit gets: exception 11, as from a gateway (default), or nothing. */
  readonly absentUnit?: 'exception' | 'silence';
}

export interface ServedBus {
  readonly port: number;
  /** Ends all connections and timers. Nothing stays open. */
  close(): Promise<void>;
}

const TABLE_OF_FUNCTION: Readonly<Record<number, Table>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' };
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_VALUE = 3;
const TARGET_SILENT = 11;
const MOST_REGISTERS = 125;
const MOST_BITS = 2000;
const LONGEST_FRAME_BYTES = 260;
const MOST_CONNECTIONS = 32;

/**
 * Starts a slave on one port. Rejects when the address cannot be bound (`EADDRINUSE`, …).
 * Follows "Modbus Application Protocol 1.1b3" and "Modbus Messaging on TCP/IP 1.0b".
 */
export function serveModbusTcp(options: ServeOptions): Promise<ServedBus> {
  const sockets = new Set<Socket>();
  const timers = new Set<() => void>();
  const server = createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    answerOn(socket, options, timers);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : options.port;
      resolve({ port, close: () => closeAll(server, sockets, timers) });
    });
  });
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>, timers: Set<() => void>): Promise<void> {
  for (const cancel of timers) cancel();
  timers.clear();
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function answerOn(socket: Socket, options: ServeOptions, timers: Set<() => void>): void {
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
      answerFrame(socket, frame, disturbance, options, timers);
    }
  });
}

function answerFrame(
  socket: Socket,
  frame: Buffer,
  disturbance: BusDisturbance,
  options: ServeOptions,
  timers: Set<() => void>,
): void {
  const unit = frame.readUInt8(6);
  const device = options.units.get(unit);
  if (disturbance.drop === true) {
    socket.destroy();
    return;
  }
  if (disturbance.silent === true) return;
  const body = device ? bodyOf(device, frame.subarray(7), disturbance) : absentBody(frame, options);
  if (body === undefined) return;
  const once = disturb(headed(frame, device?.replyUnit ?? unit, body), disturbance);
  const answer = disturbance.doubled === true ? Buffer.concat([once, once]) : once;
  const send = (): void => {
    if (!socket.destroyed) socket.write(answer);
  };
  if (disturbance.delayMs === undefined || disturbance.delayMs <= 0) {
    send();
    return;
  }
  const cancel = options.scheduler.after(disturbance.delayMs, () => {
    timers.delete(cancel);
    send();
  });
  timers.add(cancel);
}

function absentBody(frame: Buffer, options: ServeOptions): Buffer | undefined {
  if (options.absentUnit === 'silence') return undefined;
  return exceptionBody(frame.readUInt8(7), TARGET_SILENT);
}

/** The answer without its header: function code and data. `undefined` where the device keeps silent. */
function bodyOf(device: ServedDevice, request: Buffer, disturbance: BusDisturbance): Buffer | undefined {
  const code = request.readUInt8(0);
  if (disturbance.exception !== undefined) return exceptionBody(code, disturbance.exception);
  const table = TABLE_OF_FUNCTION[code];
  if (table !== undefined) return readBody(device, table, code, request);
  if (code === 43) return identificationBody(device, request);
  return exceptionBody(code, ILLEGAL_FUNCTION);
}

function exceptionBody(code: number, exception: number): Buffer {
  return Buffer.from([code | 0x80, exception]);
}

function readBody(device: ServedDevice, table: Table, code: number, request: Buffer): Buffer | undefined {
  if (request.length !== 5) return exceptionBody(code, ILLEGAL_VALUE);
  const start = request.readUInt16BE(1);
  const count = request.readUInt16BE(3);
  const bits = table === 'coil' || table === 'discrete';
  if (count < 1 || count > (bits ? MOST_BITS : MOST_REGISTERS)) return exceptionBody(code, ILLEGAL_VALUE);
  const answer = device.read(table, start, count);
  if ('silent' in answer) return undefined;
  if ('exception' in answer) return exceptionBody(code, answer.exception);
  const data = bits ? packBits(answer.words) : packWords(answer.words);
  return Buffer.concat([Buffer.from([code, data.length]), data]);
}

function packWords(words: readonly number[]): Buffer {
  const data = Buffer.alloc(words.length * 2);
  words.forEach((word, index) => {
    data.writeUInt16BE(word & 0xffff, index * 2);
  });
  return data;
}

function packBits(bits: readonly number[]): Buffer {
  const data = Buffer.alloc(Math.ceil(bits.length / 8));
  bits.forEach((bit, index) => {
    if (bit !== 0) data[index >> 3] = (data[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return data;
}

/** Function 43/14: basic (1), regular (2), extended (3) identification, or one object (4). */
function identificationBody(device: ServedDevice, request: Buffer): Buffer {
  if (request.length !== 4 || request.readUInt8(1) !== 14) return exceptionBody(43, ILLEGAL_FUNCTION);
  const kind = request.readUInt8(2);
  const first = request.readUInt8(3);
  if (kind < 1 || kind > 4) return exceptionBody(43, ILLEGAL_VALUE);
  const highest = [0, 2, 0x7f, 0xff][kind] ?? first;
  const all = [...device.identification()].sort(([a], [b]) => a - b);
  const chosen = kind === 4 ? all.filter(([id]) => id === first) : all.filter(([id]) => id >= first && id <= highest);
  if (kind === 4 && chosen.length === 0) return exceptionBody(43, 2);
  const objects = chosen.map(([id, text]) => {
    const bytes = Buffer.from(text, 'ascii').subarray(0, 40);
    return Buffer.concat([Buffer.from([id, bytes.length]), bytes]);
  });
  return Buffer.concat([Buffer.from([43, 14, kind, 0x83, 0, 0, objects.length]), ...objects]);
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
