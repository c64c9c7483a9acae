import { connect as connectSocket } from 'node:net';
import modbusSerial from 'modbus-serial';
import { afterEach, expect, test } from 'vitest';
import { meterAtUnit1 } from '#tests/support/served-meter.js';
import type { BusDisturbance } from '../fault/bus-fault.js';
import { serveModbusTcp, type TcpOptions } from './modbus-tcp.js';
import type { ServedBus } from './slave.js';

type Client = InstanceType<typeof modbusSerial.default>;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: Partial<TcpOptions> = {}): Promise<ServedBus> {
  const bus = await serveModbusTcp({ host: '127.0.0.1', port: 0, ...meterAtUnit1(), ...options });
  closers.push(() => bus.close());
  return bus;
}

async function connect(port: number, unit = 1): Promise<Client> {
  const client = new modbusSerial.default();
  await client.connectTCP('127.0.0.1', { port });
  client.setID(unit);
  client.setTimeout(300);
  closers.push(() => client.isOpen && new Promise<void>((resolve) => client.close(() => resolve())));
  return client;
}

test('a meter on loopback is read by a client that knows nothing of it', async () => {
  const client = await connect((await serve()).port);
  const { buffer } = await client.readInputRegisters(52, 2);
  expect(buffer.readFloatBE(0)).toBe(1234.5);
});

test.each([
  ['more registers than the device takes', 0, 82, 3],
  ['a request that splits a value', 53, 2, 2],
  ['addresses that the device does not know', 5000, 2, 2],
])('%s are refused with exception', async (_, start, count, exception) => {
  const client = await connect((await serve()).port);
  await expect(client.readInputRegisters(start, count)).rejects.toMatchObject({ modbusCode: exception });
});

test('nothing that writes is known', async () => {
  const client = await connect((await serve()).port);
  await expect(client.writeRegister(0, 1)).rejects.toMatchObject({ modbusCode: 1 });
  await expect(client.writeRegisters(0, [1, 2])).rejects.toMatchObject({ modbusCode: 1 });
  await expect(client.writeCoil(0, true)).rejects.toMatchObject({ modbusCode: 1 });
});

test('an absent unit is answered as a gateway does, or not at all', async () => {
  const gateway = await connect((await serve()).port, 9);
  await expect(gateway.readInputRegisters(0, 2)).rejects.toMatchObject({ modbusCode: 11 });
  const line = await connect((await serve({ absentUnit: 'silence' })).port, 9);
  await expect(line.readInputRegisters(0, 2)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
});

test('a device names itself', async () => {
  const client = await connect((await serve()).port);
  const identity = await client.readDeviceIdentification(1, 0);
  expect(identity.data[0]).toBe('Eastron');
});

test.each<[string, BusDisturbance, object]>([
  ['silence', { silent: true }, { errno: 'ETIMEDOUT' }],
  ['an answer after the time-out', { delayMs: 500 }, { errno: 'ETIMEDOUT' }],
  ['an exception', { exception: 6 }, { modbusCode: 6 }],
])('%s reaches the client', async (_, disturbance, error) => {
  const client = await connect((await serve({ faults: () => disturbance })).port);
  await expect(client.readInputRegisters(52, 2)).rejects.toMatchObject(error);
});

test.each<[string, BusDisturbance]>([
  ['garbled', { garbled: true }],
  ['cut short', { truncated: true }],
  ['under a wrong unit', { wrongUnit: true }],
  ['replaced by a cut', { drop: true }],
])('an answer that is %s is none', async (_, disturbance) => {
  const client = await connect((await serve({ faults: () => disturbance })).port);
  await expect(client.readInputRegisters(52, 2)).rejects.toBeDefined();
});

test('a byte count that lies is passed on as it is', async () => {
  const { port } = await serve({ faults: () => ({ miscounted: true }) });
  const socket = connectSocket(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  socket.write(Buffer.from([0, 7, 0, 0, 0, 6, 1, 4, 0, 52, 0, 2]));
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  expect([...answer]).toEqual([0, 7, 0, 0, 0, 7, 1, 4, 6, 0x44, 0x9a, 0x50, 0]);
});

test('requests that arrive in one piece or byte by byte are each answered in turn', async () => {
  const { port } = await serve();
  const socket = connectSocket(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  const received: number[] = [];
  socket.on('data', (chunk) => received.push(...chunk));
  const request = (id: number) => [0, id, 0, 0, 0, 6, 1, 4, 0, 52, 0, 2];
  socket.write(Buffer.from([...request(1), ...request(2), ...request(3).slice(0, 5)]));
  await expect.poll(() => received.length).toBe(26);
  socket.write(Buffer.from(request(3).slice(5)));
  await expect.poll(() => received.length).toBe(39);
  expect([received[1], received[14], received[27]]).toEqual([1, 2, 3]);
});

test('an answer that is doubled comes twice, as it is', async () => {
  const { port } = await serve({ faults: () => ({ doubled: true }) });
  const socket = connectSocket(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  const received: number[] = [];
  socket.on('data', (chunk) => received.push(...chunk));
  socket.write(Buffer.from([0, 7, 0, 0, 0, 6, 1, 4, 0, 52, 0, 2]));
  await expect.poll(() => received.length).toBe(26);
  expect(received.slice(13)).toEqual(received.slice(0, 13));
});

test('a connection that is half open stays silent for good, while a new one is answered', async () => {
  let isHalfOpen = true;
  const { port } = await serve({ faults: () => ({ halfOpen: isHalfOpen }) });
  const old = await connect(port);
  await expect(old.readInputRegisters(52, 2)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
  isHalfOpen = false;
  await expect(old.readInputRegisters(52, 2)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
  expect(old.isOpen).toBe(true);
  expect((await (await connect(port)).readInputRegisters(52, 2)).data).toHaveLength(2);
});

test('what is not Modbus is cut off', async () => {
  const { port } = await serve();
  const socket = connectSocket(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
});

test('closing ends connections and answers still to come', async () => {
  const bus = await serve({ faults: () => ({ delayMs: 5000 }) });
  const socket = connectSocket(bus.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(Buffer.from([0, 7, 0, 0, 0, 6, 1, 4, 0, 52, 0, 2]));
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await bus.close();
  await closed;
});

test('a second bus cannot take a port that is taken', async () => {
  const { port } = await serve();
  await expect(serve({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
