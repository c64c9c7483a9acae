import { connect as connectTcp } from 'node:net';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { memoryRise, sendHugeMessage } from '#tests/support/huge-message.js';
import { type EmbeddedBroker, startEmbeddedBroker } from './embedded-broker.js';

let broker: EmbeddedBroker;
const clients: MqttClient[] = [];

beforeEach(async () => {
  const started = await startEmbeddedBroker({ fleet: 'pamir', port: 0 });
  if (!started.ok) throw new Error(started.fault.message);
  broker = started.value;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker.close();
});

async function join(clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(broker.url, { clientId, reconnectPeriod: 0, ...options });
  clients.push(client);
  client.on('error', () => undefined);
  return client;
}

const ended = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()));

test('what a post says reaches the server, and the server’s answer only that post', async () => {
  const server = await join('server-pamir', broker.credentials);
  await server.subscribeAsync('oftob/1/pamir/+/data', { qos: 1 });
  const [langar, other] = [await join('post-pamir-langar'), await join('post-pamir-kyzyl-art')];
  await langar.subscribeAsync('oftob/1/pamir/langar/receipt');
  await other.subscribeAsync('oftob/1/pamir/kyzyl-art/receipt');
  const heard = new Promise<string>((resolve) =>
    server.once('message', (topic, payload) => resolve(`${topic} ${payload}`)),
  );
  langar.publish('oftob/1/pamir/langar/data', 'hello');
  expect(await heard).toBe('oftob/1/pamir/langar/data hello');
  let stray = 0;
  other.on('message', () => {
    stray += 1;
  });
  const answer = new Promise((resolve) => langar.once('message', (_, payload) => resolve(payload.toString())));
  server.publish('oftob/1/pamir/langar/receipt', 'stored');
  expect(await answer).toBe('stored');
  expect(stray).toBe(0);
});

test('a post that speaks for another is cut off', async () => {
  const post = await join('post-pamir-langar');
  const gone = ended(post);
  post.publish('oftob/1/pamir/kyzyl-art/data', 'lie');
  await gone;
  expect(broker.counters()).toMatchObject({ brokerPublishesRefused: 1 });
});

test('a post’s will is told under its own name', async () => {
  const server = await join('server-pamir', broker.credentials);
  await server.subscribeAsync('oftob/1/pamir/+/state', { qos: 1 });
  const heard = new Promise((resolve) => server.once('message', (topic) => resolve(topic)));
  const post = await join('post-pamir-langar', {
    will: { topic: 'oftob/1/pamir/langar/state', payload: Buffer.from('gone'), qos: 1, retain: true },
  });
  post.stream.destroy();
  expect(await heard).toBe('oftob/1/pamir/langar/state');
});

test('wildcards and shared subscriptions are refused', async () => {
  const post = await join('post-pamir-langar');
  const filters = ['#', '$share/g/oftob/1/pamir/langar/receipt', 'oftob/1/pamir/+/receipt'];
  for (const filter of filters) await expect(post.subscribeAsync(filter)).rejects.toThrow();
  expect(broker.counters()).toMatchObject({ brokerSubscriptionsRefused: 3 });
});

test('strangers, sessions that are to be kept, and servers without the password do not get in', async () => {
  await expect(join('mqttjs_1')).rejects.toThrow('Identifier rejected');
  await expect(join('post-other-langar')).rejects.toThrow('Identifier rejected');
  await expect(join('post-pamir-langar', { clean: false })).rejects.toThrow('Identifier rejected');
  await expect(join('server-pamir')).rejects.toThrow('Bad username or password');
  await expect(join('server-pamir', { username: 'server', password: 'guess' })).rejects.toThrow('Bad username');
  expect(broker.counters()).toMatchObject({ brokerClientsRefused: 5 });
});

test('a client that announces 150 MB is cut off before it has sent them, and the others go on', async () => {
  const server = await join('server-pamir', broker.credentials);
  await server.subscribeAsync('oftob/1/pamir/+/data', { qos: 1 });
  const post = await join('post-pamir-langar');
  const announced = 150 * 1024 * 1024;
  const length = [0, 1, 2, 3].map((i) => (Math.floor(announced / 128 ** i) % 128) | (i < 3 ? 0x80 : 0));
  const gone = ended(post);
  post.stream.write(Buffer.from([0x30, ...length, 0, 1, 0x61]));
  await gone;
  expect(broker.counters()).toMatchObject({ brokerPacketsTooLarge: 1 });
  const again = await join('post-pamir-langar');
  const heard = new Promise<number>((resolve) => server.once('message', (_, payload) => resolve(payload.length)));
  again.publish('oftob/1/pamir/langar/data', Buffer.alloc(255 * 1024));
  expect(await heard).toBe(255 * 1024);
});

test('100 MB in one message are cut off at the first piece, and take no memory', async () => {
  const payloadBytes = 100 * 1024 * 1024;
  let sent = 0;
  const rise = await memoryRise(async () => {
    sent = await sendHugeMessage({
      port: broker.port,
      clientId: 'post-pamir-langar',
      topic: 'oftob/1/pamir/langar/birth',
      payloadBytes,
      retain: true,
    });
  });
  expect(sent / payloadBytes).toBeLessThan(0.2);
  expect(rise / payloadBytes).toBeLessThan(0.2);
  expect(broker.counters()).toMatchObject({ brokerPacketsTooLarge: 1 });
});

test('a receipt of a post’s own making, or a state of another post, ends its connection and reaches nobody', async () => {
  const other = await join('post-pamir-kyzyl-art');
  await other.subscribeAsync('oftob/1/pamir/kyzyl-art/receipt');
  let stray = 0;
  other.on('message', () => {
    stray += 1;
  });
  const topics = [
    'kyzyl-art/receipt',
    'langar/receipt',
    'langar/replay',
    'kyzyl-art/state',
    'kyzyl-art/birth',
    'server',
  ];
  for (const topic of topics) {
    const forger = await join('post-pamir-langar.0123abcd');
    const gone = ended(forger);
    forger.publish(`oftob/1/pamir/${topic}`, '{}', { qos: 1, retain: true });
    await gone;
  }
  expect([stray, broker.counters().brokerPublishesRefused]).toEqual([0, topics.length]);
});

test('bytes that are no MQTT end their connection only', async () => {
  const socket = connectTcp(broker.port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await closed;
  expect((await join('post-pamir-langar')).connected).toBe(true);
});

test('of two clients with one id the later stays, and it is counted', async () => {
  const first = await join('post-pamir-langar');
  const gone = ended(first);
  const second = await join('post-pamir-langar');
  await gone;
  expect(second.connected).toBe(true);
  expect(broker.counters()).toMatchObject({ brokerClientsTakenOver: 1 });
});

test('two gateways of one post stay side by side, each start under a name of its own, and both hear what is for the post', async () => {
  const server = await join('server-pamir', broker.credentials);
  const [one, other] = [await join('post-pamir-langar.0123abcd'), await join('post-pamir-langar.89abcdef')];
  for (const client of [one, other]) await client.subscribeAsync('oftob/1/pamir/langar/receipt');
  const heard = [one, other].map(
    (client) => new Promise((resolve) => client.once('message', (_, payload) => resolve(payload.toString()))),
  );
  await one.subscribeAsync('oftob/1/pamir/langar/replay', { qos: 1 });
  server.publish('oftob/1/pamir/langar/receipt', 'stored', { qos: 1 });
  expect(await Promise.all(heard)).toEqual(['stored', 'stored']);
  expect([one.connected, other.connected, broker.counters().brokerClientsTakenOver]).toEqual([true, true, 0]);
});

test('a port that is taken is a fault with what to do', async () => {
  expect(await startEmbeddedBroker({ fleet: 'pamir', port: broker.port })).toMatchObject({
    ok: false,
    fault: { code: 'BROKER_PORT_TAKEN', message: expect.stringContaining('brokerPort') },
  });
});

test('closing cuts every client and frees the port', async () => {
  const gone = ended(await join('post-pamir-langar'));
  await broker.close();
  await gone;
  const again = await startEmbeddedBroker({ fleet: 'pamir', port: broker.port });
  if (!again.ok) throw new Error(again.fault.message);
  broker = again.value;
});
