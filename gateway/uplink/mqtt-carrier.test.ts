import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { postTopic, serverTopic } from '#contract/topic.js';
import { startMosquitto } from '#tests/support/mosquitto.js';
import type { Link, LinkHandlers } from './link.js';
import { type CarrierPatience, mqttCarrier, SOCKET_BUFFER_BYTES } from './mqtt-carrier.js';

const FLEET = 'pamir';
const POST = 'kyzyl-art';
const EPOCH = '0123456789abcdef';
const topics = {
  data: postTopic(FLEET, POST, 'data'),
  state: postTopic(FLEET, POST, 'state'),
  receipt: postTopic(FLEET, POST, 'receipt'),
};
const bytes = (text: string) => Buffer.from(text);
const soon = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

interface Heard {
  connects: number;
  /** Signs of life. */
  signs: number;
  readonly messages: string[];
  readonly closed: string[];
}

const links: Link[] = [];
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const link of links.splice(0)) link.abort();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function openLink(
  url: string,
  more: Partial<LinkHandlers> = {},
  subscribe = topics.receipt,
  patience: CarrierPatience = { connectMs: 30_000, subscribeMs: 30_000, keepaliveS: 90 },
): { link: Link; heard: Heard } {
  const heard: Heard = { connects: 0, signs: 0, messages: [], closed: [] };
  const link = mqttCarrier({ url, fleet: FLEET, post: POST, epoch: EPOCH, patience })({
    will: { topic: topics.state, payload: bytes('gone') },
    subscriptions: [
      { topic: serverTopic(FLEET), qos: 1 },
      { topic: subscribe, qos: 0 },
    ],
    handlers: {
      connected: () => {
        heard.connects += 1;
      },
      heard: () => {
        heard.signs += 1;
      },
      message: (topic, payload, retained) => heard.messages.push(`${topic} ${Buffer.from(payload)} ${retained}`),
      closed: (reason) => heard.closed.push(reason),
      ...more,
    },
  });
  links.push(link);
  return { link, heard };
}

interface TestBroker {
  readonly url: string;
  /** Ends it as a crash does. */
  kill(): Promise<unknown>;
}

async function startAedes(): Promise<TestBroker> {
  const aedes = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.endsWith('/secret') ? null : subscription),
  });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    aedes.handle(socket);
  });
  const url = await listen(server);
  let over = false;
  const kill = async () => {
    if (over) return;
    over = true;
    for (const socket of sockets) socket.destroy();
    server.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
  };
  cleanups.push(kill);
  return { url, kill };
}

async function startRealMosquitto(): Promise<TestBroker> {
  const broker = await startMosquitto();
  cleanups.push(() => broker.stop());
  return broker;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `mqtt://127.0.0.1:${address.port}`;
}

async function centreAt(url: string): Promise<{ client: MqttClient; seen: string[] }> {
  const client = await connectAsync(url, { protocolVersion: 4, clientId: `server-${FLEET}` });
  cleanups.push(() => client.endAsync(true));
  const seen: string[] = [];
  client.on('message', (topic, payload, packet) => {
    seen.push(`${topic} ${payload.toString()} ${packet.retain === true}`);
  });
  await client.subscribeAsync(`oftob/1/${FLEET}/#`, { qos: 1 });
  return { client, seen };
}

describe.each([
  ['aedes', startAedes],
  ['mosquitto', startRealMosquitto],
])('a link to %s', (_name, start) => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await start();
  });

  test('carries bytes both ways and says which were kept by the broker', async () => {
    const { client, seen } = await centreAt(broker.url);
    await client.publishAsync(serverTopic(FLEET), 'here', { qos: 1, retain: true });
    const { link, heard } = openLink(broker.url);
    expect(link.publish(topics.data, bytes('early'), { qos: 0, retain: false })).toBe(false);
    await soon(() => expect(heard.messages).toEqual([`${serverTopic(FLEET)} here true`]));
    expect(heard.connects).toBe(1);
    expect(link.publish(topics.data, bytes('samples'), { qos: 0, retain: false })).toBe(true);
    expect(link.publish(topics.state, bytes('online'), { qos: 1, retain: true })).toBe(true);
    await soon(() => expect(seen.slice(1)).toEqual([`${topics.data} samples false`, `${topics.state} online false`]));
    client.publish(topics.receipt, 'stored');
    await soon(() => expect(heard.messages.at(-1)).toBe(`${topics.receipt} stored false`));
  });

  test('tells each sign of life: an acknowledgement is one', async () => {
    const { link, heard } = openLink(broker.url);
    await soon(() => expect(heard.connects).toBe(1));
    // Consent and subscriptions.
    await soon(() => expect(heard.signs).toBe(2));
    link.publish(topics.state, bytes('online'), { qos: 1, retain: true });
    await soon(() => expect(heard.signs).toBe(3));
  });

  test('leaves its will when it is lost, and none when it is closed', async () => {
    const { seen } = await centreAt(broker.url);
    const first = openLink(broker.url);
    await soon(() => expect(first.heard.connects).toBe(1));
    first.link.abort();
    await soon(() => expect(seen).toEqual([`${topics.state} gone false`]));
    const second = openLink(broker.url);
    await soon(() => expect(second.heard.connects).toBe(1));
    second.link.publish(topics.state, bytes('goodbye'), { qos: 1, retain: true });
    await second.link.close();
    await soon(() => expect(seen).toContain(`${topics.state} goodbye false`));
    expect(seen).toHaveLength(2);
    expect([...first.heard.closed, ...second.heard.closed]).toEqual([]);
  });

  test('tells once that the broker is gone, and takes nothing more', async () => {
    const { link, heard } = openLink(broker.url);
    await soon(() => expect(heard.connects).toBe(1));
    await broker.kill();
    await soon(() => expect(heard.closed).toHaveLength(1));
    expect(link.publish(topics.data, bytes('late'), { qos: 0, retain: false })).toBe(false);
  });
});

test('a broker that is not there is told as a reason, never thrown', async () => {
  const server = createServer();
  const url = await listen(server);
  server.close();
  const { heard } = openLink(url);
  await soon(() => expect(heard.closed).toEqual([expect.stringContaining('ECONNREFUSED')]));
  const wrong = openLink('gopher://nowhere');
  await soon(() => expect(wrong.heard.closed).toHaveLength(1));
});

test('a refused subscription ends the link: receipts could never arrive', async () => {
  const broker = await startAedes();
  const { heard } = openLink(broker.url, {}, `oftob/1/${FLEET}/secret`);
  await soon(() => expect(heard.closed).toEqual(['the broker refuses the subscription']));
});

/** A peer that answers the first packets with these bytes, and then never again. */
async function startMute(...answers: readonly (readonly number[])[]): Promise<string> {
  const left = [...answers];
  const server = createServer((socket) => {
    socket.on('data', () => {
      const answer = left.shift();
      if (answer !== undefined) socket.write(Buffer.from(answer));
    });
    cleanups.push(async () => socket.destroy());
  });
  cleanups.push(async () => server.close());
  return listen(server);
}
const CONSENT = [0x20, 2, 0, 0];

test.each([
  ['consents', 'connack timeout', { connectMs: 100, subscribeMs: 9_000, keepaliveS: 90 }, []],
  [
    'subscribes',
    'the broker does not answer the subscription',
    { connectMs: 9_000, subscribeMs: 100, keepaliveS: 90 },
    [CONSENT],
  ],
  ['answers a ping', 'Keepalive timeout', { connectMs: 9_000, subscribeMs: 9_000, keepaliveS: 1 }, [CONSENT]],
] as const)('a broker that never %s is not waited for', async (_what, reason, patience, answers) => {
  const url = await startMute(...answers);
  const { heard } = openLink(url, {}, topics.receipt, patience);
  await soon(() => expect(heard.closed).toEqual([reason]));
});

test('a peer that stops reading does not fill the memory: publishing is turned down', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([0x20, 2, 0, 0]));
      socket.pause();
    });
    cleanups.push(async () => socket.destroy());
  });
  cleanups.push(async () => server.close());
  const { link, heard } = openLink(await listen(server));
  await soon(() => expect(heard.connects).toBe(1));
  const payload = Buffer.alloc(16 * 1024, 1);
  await soon(() => {
    while (link.publish(topics.data, payload, { qos: 0, retain: false })) if (link.bufferedBytes() > 1e7) break;
    expect(link.bufferedBytes()).toBeGreaterThan(SOCKET_BUFFER_BYTES);
  });
  expect(link.bufferedBytes()).toBeLessThan(SOCKET_BUFFER_BYTES + 2 * payload.length);
  const before = Date.now();
  await link.close();
  expect(Date.now() - before).toBeLessThan(3_000);
});
