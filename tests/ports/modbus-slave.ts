// A Modbus slave on loopback that behaves as badly as a test asks. Frames and checksum are its own.
import { createServer, type Server, type Socket } from 'node:net';

export type Framing = 'tcp' | 'rtu';

/** One question that arrived, with every way to answer it, also wrongly and also later. */
export interface SlaveQuestion {
  readonly unit: number;
  readonly function: number;
  readonly start: number;
  readonly count: number;
  /** Answers well; each register holds its own address unless words are given. */
  answer(words?: readonly number[]): void;
  exception(code: number): void;
  /** A well-made frame with this body, from this unit. */
  reply(unit: number, body: readonly number[]): void;
  /** A frame that is damaged on the way: wrong CRC on RTU, a nonsense header on TCP. */
  garble(): void;
  /** The first half of the answer, then the line is cut. */
  hangUpInside(): void;
  hangUp(): void;
}

export interface TestSlave {
  readonly port: number;
  readonly questions: readonly SlaveQuestion[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** What to do with each question; answers well by default. */
  behave: (question: SlaveQuestion) => void;
  /** What to do with each connection, before any question. */
  greet: (socket: Socket) => void;
  close(): Promise<void>;
}

export async function startSlave(framing: Framing): Promise<TestSlave> {
  const questions: SlaveQuestion[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    slave.greet(socket);
    let pending = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      const size = framing === 'tcp' ? 12 : 8;
      while (pending.length >= size) {
        const question = questionOf(framing, pending.subarray(0, size), socket);
        pending = pending.subarray(size);
        questions.push(question);
        slave.behave(question);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const slave: TestSlave = {
    port: (server.address() as { port: number }).port,
    questions,
    get connections() {
      return connections;
    },
    behave: (question) => question.answer(),
    greet: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return slave;
}

function questionOf(framing: Framing, bytes: Buffer, socket: Socket): SlaveQuestion {
  if (framing === 'rtu' && checksum(bytes.subarray(0, 6)) !== bytes.readUInt16LE(6))
    throw new Error('question with a wrong CRC');
  const header = framing === 'tcp' ? bytes.subarray(0, 4) : Buffer.alloc(0);
  const pdu = framing === 'tcp' ? bytes.subarray(6) : bytes;
  const unit = pdu.readUInt8(0);
  const code = pdu.readUInt8(1);
  const start = pdu.readUInt16BE(2);
  const count = pdu.readUInt16BE(4);
  const frame = (from: number, body: readonly number[]) => {
    const content = Buffer.from([from, ...body]);
    if (framing === 'tcp') return Buffer.concat([header, Buffer.from([0, content.length]), content]);
    const crc = checksum(content);
    return Buffer.concat([content, Buffer.from([crc & 0xff, crc >> 8])]);
  };
  const bodyOf = (words?: readonly number[]) =>
    code <= 2 ? bitsBody(code, words ?? Array(count).fill(1)) : wordsBody(code, words ?? ownAddresses(start, count));
  return {
    unit,
    function: code,
    start,
    count,
    answer: (words) => void socket.write(frame(unit, bodyOf(words))),
    exception: (exception) => void socket.write(frame(unit, [code | 0x80, exception])),
    reply: (from, body) => void socket.write(frame(from, body)),
    garble() {
      const whole = frame(unit, bodyOf());
      if (framing === 'tcp') whole.writeUInt16BE(0xffff, 4);
      else whole.writeUInt8(whole.readUInt8(4) ^ 0x55, 4);
      socket.write(whole);
    },
    hangUpInside() {
      const whole = frame(unit, bodyOf());
      socket.write(whole.subarray(0, whole.length >> 1), () => socket.destroy());
    },
    hangUp: () => void socket.destroy(),
  };
}

function ownAddresses(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start + index);
}

function wordsBody(code: number, words: readonly number[]): number[] {
  return [code, words.length * 2, ...words.flatMap((word) => [word >> 8, word & 0xff])];
}

function bitsBody(code: number, bits: readonly number[]): number[] {
  const bytes = Array<number>(Math.ceil(bits.length / 8)).fill(0);
  for (const [index, bit] of bits.entries()) if (bit) bytes[index >> 3]! |= 1 << (index & 7);
  return [code, bytes.length, ...bytes];
}

/** CRC-16/MODBUS by polynomial division, most significant bit first on reflected bytes. */
function checksum(bytes: Uint8Array): number {
  const reflect = (value: number, width: number) => {
    let turned = 0;
    for (let bit = 0; bit < width; bit += 1) if (value & (1 << bit)) turned |= 1 << (width - 1 - bit);
    return turned;
  };
  let remainder = 0xffff;
  for (const byte of bytes) {
    remainder ^= reflect(byte, 8) << 8;
    for (let bit = 0; bit < 8; bit += 1)
      remainder = remainder & 0x8000 ? ((remainder << 1) ^ 0x8005) & 0xffff : (remainder << 1) & 0xffff;
  }
  return reflect(remainder, 16);
}
