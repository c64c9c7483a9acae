import { connect as connectSocket } from 'node:net';
import modbusSerial from 'modbus-serial';
import { afterEach, describe, expect, test } from 'vitest';
import type { Scheduler } from '#domain/clock.js';
import { meterAtUnit1 } from '#tests/support/served-meter.js';
import type { BusDisturbance } from '../fault/bus-fault.js';
import { serveBus, type Wire } from './serve-bus.js';
import type { ServedBus, ServedUnits } from './slave.js';

type Client = InstanceType<typeof modbusSerial.default>;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(wire: Wire, options: Partial<ServedUnits> = {}): Promise<ServedBus> {
  const bus = await serveBus(wire, { ...meterAtUnit1(), ...options });
  closers.push(() => bus.close());
  return bus;
}

async function connect({ place, port }: ServedBus): Promise<Client> {
  const client = new modbusSerial.default();
  if (port === 0) await client.connectRTUBuffered(place, { baudRate: 9600 });
  else await client.connectTelnet('127.0.0.1', { port });
  client.setID(1);
  client.setTimeout(300);
  closers.push(() => client.isOpen && new Promise<void>((resolve) => client.close(() => resolve())));
  return client;
}

const overTcp: Wire = { kind: 'rtu-over-tcp', host: '127.0.0.1', port: 0 };
const wires: [string, Wire][] = [
  ['over TCP', overTcp],
  ['on a pseudo-terminal', { kind: 'rtu' }],
];

describe.each(wires)('RTU %s', (_, wire) => {
  test('is read by a client that knows nothing of it', async () => {
    const client = await connect(await serve(wire));
    expect((await client.readInputRegisters(52, 2)).buffer.readFloatBE(0)).toBe(1234.5);
    await expect(client.readInputRegisters(5000, 2)).rejects.toMatchObject({ modbusCode: 2 });
  });

  test.each<[string, BusDisturbance]>([
    ['with a wrong checksum', { badCrc: true }],
    ['cut short', { truncated: true }],
    ['silent', { silent: true }],
  ])('an answer that is %s is none', async (_name, disturbance) => {
    const client = await connect(await serve(wire, { faults: () => disturbance }));
    await expect(client.readInputRegisters(52, 2)).rejects.toBeDefined();
  });
});

test('a line can be read again after its reader has gone', async () => {
  const bus = await serve({ kind: 'rtu' });
  for (let round = 0; round < 3; round += 1) {
    const client = await connect(bus);
    expect((await client.readInputRegisters(52, 2)).data).toHaveLength(2);
    await new Promise<void>((resolve) => client.close(() => resolve()));
  }
});

/** Request for registers 52 and 53 of unit 1, and its answer. */
const REQUEST = [1, 4, 0, 52, 0, 2, 0x30, 0x05];
const ANSWER = [1, 4, 4, 0x44, 0x9a, 0x50, 0];

async function talk(bytes: readonly number[], length: number, options: Partial<ServedUnits> = {}): Promise<number[]> {
  const { port } = await serve(overTcp, options);
  const socket = connectSocket(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  const received: number[] = [];
  socket.on('data', (chunk) => received.push(...chunk));
  socket.write(Buffer.from(bytes));
  await expect.poll(() => received.length).toBe(length);
  return received;
}

describe('frames on a line', () => {
  test('are found again after noise', async () => {
    expect((await talk([0x55, 0xff, 3, ...REQUEST], 9)).slice(0, 7)).toEqual(ANSWER);
  });

  test('that nobody is meant by are not answered', async () => {
    const other = [2, 4, 0, 52, 0, 2, 0x30, 0x36];
    expect((await talk([...other, ...REQUEST], 9)).slice(0, 7)).toEqual(ANSWER);
  });

  test('of another master come between', async () => {
    const seen = await talk(REQUEST, 8 + 7 + 9, { faults: () => ({ foreignMaster: true }) });
    expect(seen.slice(0, 2)).toEqual([2, 3]);
    expect(seen.slice(15, 22)).toEqual(ANSWER);
  });
});

test('a device that needs its pause keeps silent when asked too soon', async () => {
  const tasks: (() => void)[] = [];
  const held: Scheduler = {
    after: (_, task) => {
      tasks.push(task);
      return () => undefined;
    },
  };
  const client = await connect(await serve(overTcp, { scheduler: held, needsPauses: true }));
  expect((await client.readInputRegisters(52, 2)).data).toHaveLength(2);
  await expect(client.readInputRegisters(52, 2)).rejects.toMatchObject({ errno: 'ETIMEDOUT' });
  for (const task of tasks.splice(0)) task();
  expect((await client.readInputRegisters(52, 2)).data).toHaveLength(2);
});
