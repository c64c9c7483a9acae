import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type DemoLink, openLink } from './link.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A broker that repeats what it hears, and a link to it. */
async function linkToEcho(): Promise<DemoLink> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const link = await openLink(`mqtt://127.0.0.1:${port}`);
  closers.push(() => link.close());
  return link;
}

async function open(link: DemoLink): Promise<Socket> {
  const socket = connect(Number(new URL(link.mqttUrl).port), '127.0.0.1');
  socket.on('error', () => undefined);
  closers.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

test('passes everything on, both ways', async () => {
  const socket = await open(await linkToEcho());
  socket.write('hello');
  expect(String(await new Promise((resolve) => socket.once('data', resolve)))).toBe('hello');
});

test('cuts what is open, lets nobody in while it is down, and is whole again afterwards', async () => {
  const link = await linkToEcho();
  const before = await open(link);
  const cut = closed(before);
  link.setDown(true);
  await cut;
  await closed(await open(link));
  link.setDown(false);
  const after = await open(link);
  after.write('again');
  expect(String(await new Promise((resolve) => after.once('data', resolve)))).toBe('again');
});

test('a broker behind TLS is left alone', async () => {
  const link = await openLink('mqtts://broker.example:8883');
  expect(link.mqttUrl).toBe('mqtts://broker.example:8883');
  link.setDown(true);
  await link.close();
});
