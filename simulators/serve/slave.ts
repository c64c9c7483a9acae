// A Modbus slave without its wire: it answers reads and identification, and nothing that writes.
// Follows "Modbus Application Protocol 1.1b3".
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
  /** After an answer it does not listen for so long. */
  readonly pauseMs?: number;
}

/** The devices of one bus, and what is wrong with it. */
export interface ServedUnits {
  readonly units: ReadonlyMap<number, ServedDevice>;
  /** What is wrong with the bus or with one device's talk at this moment. Asked once for each request. */
  readonly faults?: (unit: number) => BusDisturbance;
  readonly scheduler: Scheduler;
  /** Devices keep silent when they are asked again too soon. Default: they are patient. */
  readonly needsPauses?: boolean;
}

export interface ServedBus {
  /** 0 where the bus is not on a port. */
  readonly port: number;
  /** Where a reader finds it: `127.0.0.1:1502`, or the path of a serial line. */
  readonly place: string;
  /** Ends all connections and timers. Nothing stays open. */
  close(): Promise<void>;
}

const TABLE_OF_FUNCTION: Readonly<Record<number, Table>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' };
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_VALUE = 3;
const MOST_REGISTERS = 125;
const MOST_BITS = 2000;

/** What waits until its time: late answers, and devices that rest. */
export interface Waiting {
  later(delayMs: number, task: () => void): void;
  /** True while the device rests after an answer; asked at each request, it begins a rest where there is none. */
  isResting(unit: number, device: ServedDevice): boolean;
  end(): void;
}

export function createWaiting({ scheduler, needsPauses = false }: ServedUnits): Waiting {
  const timers = new Set<() => void>();
  const resting = new Set<number>();
  const later = (delayMs: number, task: () => void): void => {
    const cancel = scheduler.after(delayMs, () => {
      timers.delete(cancel);
      task();
    });
    timers.add(cancel);
  };
  return {
    later,
    isResting(unit, { pauseMs = 0 }) {
      if (!needsPauses || pauseMs <= 0) return false;
      if (resting.has(unit)) return true;
      resting.add(unit);
      later(pauseMs, () => resting.delete(unit));
      return false;
    },
    end() {
      for (const cancel of timers) cancel();
      timers.clear();
    },
  };
}

/** How a wire carries what a slave says. */
export interface AnswerWire {
  /** A body under a unit, as a whole frame. */
  framed(unit: number, body: Buffer): Buffer;
  /** What somebody else on the line is told just before. */
  foreign(): Buffer;
  /** An answer that ends too early has at least so much. */
  readonly leastBytes: number;
  write(bytes: Buffer): void;
  /** Ends the connection, where there is one. */
  cut(): void;
}

/** One question: whom it is for, its function and data, and what is wrong with the talk at this moment. */
export interface Question {
  readonly unit: number;
  readonly request: Buffer;
  readonly disturbance: BusDisturbance;
}

/** Answers one question as the device does, and spoils the answer as a bad line or converter would. */
export function answerQuestion(
  { unit, request, disturbance }: Question,
  { units }: Pick<ServedUnits, 'units'>,
  waiting: Waiting,
  wire: AnswerWire,
  absentBody?: Buffer,
): void {
  const device = units.get(unit);
  if (disturbance.drop === true) {
    wire.cut();
    return;
  }
  if (disturbance.silent === true || (device && waiting.isResting(unit, device))) return;
  const body = device ? answerOf(device, request, disturbance) : absentBody;
  if (body === undefined) return;
  const from = device?.replyUnit ?? unit;
  const frame = wire.framed(disturbance.wrongUnit === true ? (from + 1) & 0xff : from, spoilt(body, disturbance));
  const once = disturbance.truncated === true ? frame.subarray(0, Math.max(wire.leastBytes, frame.length - 3)) : frame;
  const answer = Buffer.concat([
    ...(disturbance.foreignMaster === true ? [wire.foreign()] : []),
    once,
    ...(disturbance.doubled === true ? [once] : []),
  ]);
  if (disturbance.delayMs === undefined || disturbance.delayMs <= 0) wire.write(answer);
  else waiting.later(disturbance.delayMs, () => wire.write(answer));
}

function spoilt(body: Buffer, { garbled, miscounted }: BusDisturbance): Buffer {
  const bytes = Buffer.from(body);
  if (garbled === true) bytes.writeUInt8(bytes.readUInt8(0) ^ 0x14, 0);
  if (miscounted === true && bytes.length > 2) bytes.writeUInt8((bytes.readUInt8(1) + 2) & 0xff, 1);
  return bytes;
}

/** The answer without its header: function code and data. `undefined` where the device keeps silent. */
function answerOf(device: ServedDevice, request: Buffer, disturbance: BusDisturbance): Buffer | undefined {
  const code = request.readUInt8(0);
  if (disturbance.exception !== undefined) return exceptionBody(code, disturbance.exception);
  const table = TABLE_OF_FUNCTION[code];
  if (table !== undefined) return readBody(device, table, code, request);
  if (code === 43) return identificationBody(device, request);
  return exceptionBody(code, ILLEGAL_FUNCTION);
}

export function exceptionBody(code: number, exception: number): Buffer {
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
