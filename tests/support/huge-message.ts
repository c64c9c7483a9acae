// One MQTT message of any size, sent piece by piece so that whoever sends it holds none of it.
import { connect, type Socket } from 'node:net';

const PIECE = Buffer.alloc(64 * 1024, 0x20);
const PINGREQ = Buffer.from([0xc0, 0]);

export interface HugeMessage {
  readonly port: number;
  readonly clientId: string;
  readonly topic: string;
  readonly payloadBytes: number;
  readonly retain: boolean;
}

/** Resolves with the bytes that were sent, once the broker has taken the whole message or has cut the connection. */
export async function sendHugeMessage(message: HugeMessage): Promise<number> {
  const socket = connect(message.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(connectPacket(message.clientId));
  await Promise.race([closed, heard(socket)]);
  const topic = text(message.topic);
  socket.write(Buffer.concat([header(message.retain ? 0x31 : 0x30, topic.length + message.payloadBytes), topic]));
  for (let sent = 0; sent < message.payloadBytes && !socket.destroyed; sent += PIECE.length) {
    const piece = PIECE.subarray(0, message.payloadBytes - sent);
    if (!socket.write(piece))
      await Promise.race([closed, new Promise<void>((resolve) => socket.once('drain', resolve))]);
  }
  if (!socket.destroyed) {
    socket.write(PINGREQ);
    await Promise.race([closed, heard(socket)]);
  }
  const { bytesWritten } = socket;
  socket.destroy();
  await closed;
  return bytesWritten;
}

const heard = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('data', () => resolve()));

function text(words: string): Buffer {
  const bytes = Buffer.from(words);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** MQTT 3.1.1, section 2.2. */
function header(first: number, length: number): Buffer {
  const bytes = [first];
  let rest = length;
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

function connectPacket(clientId: string): Buffer {
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 60]), text(clientId)]);
  return Buffer.concat([header(0x10, body.length), body]);
}

/** Runs a task and gives by how much the memory of this process rose above where it stood, at its highest. */
export async function memoryRise(task: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 2);
  try {
    await task();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, process.memoryUsage.rss()) - before;
}
