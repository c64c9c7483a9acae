import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeData } from '#contract/data.js';
import { type Birth, encodeJson } from '#contract/session.js';
import { postTopic, serverTopic } from '#contract/topic.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { memoryRise, sendHugeMessage } from '#tests/support/huge-message.js';
import { createMemoryStore, type MemoryStore } from '#tests/support/memory-store.js';
import { type RunningMosquitto, startMosquitto } from '#tests/support/mosquitto.js';
import { startEmbeddedBroker } from '../broker/embedded-broker.js';
import type { Registry } from '../ports.js';
import { createSqliteRegistry } from '../store/sqlite-registry.js';
import type { ServerEvent } from './events.js';
import { createIngestService, type IngestDeps, type IngestService } from './ingest-service.js';

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
const scheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
const silent = () => undefined;
const EPOCH = '0123456789abcdef';

const birth: Birth = {
  birth: 1,
  at: 0,
  clock: 'synchronised',
  gateway: { version: '0.1.0', publicKey: 'key', epoch: '00112233445566aa', start: 1 },
  batchPeriodMs: 60_000,
  devices: [{ id: 'meter', kind: 'meter', pollPeriodMs: 1000 }],
  metrics: [{ index: 0, device: 'meter', metric: 'ac.power', kind: 'gauge', pollPeriodMs: 1000, heartbeatS: 600 }],
};

let folder: string;
let store: MemoryStore;
let registry: Registry;
let events: ServerEvent[];
let notice: () => void;
const services: IngestService[] = [];
const clients: MqttClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-service-'));
  store = createMemoryStore();
  events = [];
  notice = silent;
  const opened = createSqliteRegistry({ folder });
  if (!opened.ok) throw new Error(opened.fault.message);
  registry = opened.value;
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  for (const service of services.splice(0)) await service.stop();
  registry.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Resolves when an event has made it true. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue())
    await new Promise<void>((resolve) => {
      notice = resolve;
    });
}

function build(mqttUrl: string, more: Partial<IngestDeps> = {}): IngestService {
  const log = { info: silent, warn: silent, error: silent };
  const service = createIngestService({
    fleet: 'pamir',
    store,
    registry,
    mqttUrl,
    dataFolder: folder,
    clock,
    scheduler,
    log,
    ...more,
  });
  services.push(service);
  service.subscribe((event) => {
    events.push(event);
    notice();
  });
  return service;
}

/** A post without a gateway: it says what it is told to, and keeps what it hears. */
async function joinAsPost(url: string, id = 'langar') {
  const client = await connectAsync(url, {
    clientId: `post-pamir-${id}`,
    reconnectPeriod: 0,
    will: {
      topic: postTopic('pamir', id, 'state'),
      payload: encodeJson({ state: 'offline', connection: 1 }),
      qos: 1,
      retain: true,
    },
  });
  clients.push(client);
  const waiting: ((message: Record<string, unknown>) => boolean)[] = [];
  const heard: Record<string, unknown>[] = [];
  client.on('message', (topic, payload) => {
    const message = { channel: topic.split('/').at(-1), ...JSON.parse(payload.toString('utf8')) };
    heard.push(message);
    for (const listener of waiting.splice(0)) if (!listener(message)) waiting.push(listener);
  });
  await client.subscribeAsync(
    [serverTopic('pamir'), postTopic('pamir', id, 'receipt'), postTopic('pamir', id, 'attention')],
    { qos: 1 },
  );
  return {
    client,
    heard,
    /** The first message heard so far, or from now on, that fits. */
    hears: (fits: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> =>
      new Promise((resolve) => {
        const present = heard.find(fits);
        if (present !== undefined) resolve(present);
        else
          waiting.push((message) => {
            if (fits(message)) resolve(message);
            return fits(message);
          });
      }),
    async greet(): Promise<void> {
      const options = { qos: 1, retain: true } as const;
      await client.publishAsync(postTopic('pamir', id, 'birth'), encodeJson(birth), options);
      await client.publishAsync(
        postTopic('pamir', id, 'state'),
        encodeJson({ state: 'online', connection: 1 }),
        options,
      );
    },
    sends(record: number, at: number): void {
      const samples = [{ record, index: 0, at, value: record, code: 0 }];
      client.publish(
        postTopic('pamir', id, 'data'),
        encodeData({ birth: 1, epoch: EPOCH, historical: false, samples }),
      );
    },
  };
}

interface BrokerUnderTest {
  readonly url: string;
  readonly options: Pick<IngestDeps, 'mqttOptions'>;
  stop(): Promise<void>;
}

async function startAedes(): Promise<BrokerUnderTest> {
  const started = await startEmbeddedBroker({ fleet: 'pamir', port: 0 });
  if (!started.ok) throw new Error(started.fault.message);
  const { credentials, url } = started.value;
  return { url, options: { mqttOptions: credentials }, stop: () => started.value.close() };
}

async function startReal(): Promise<BrokerUnderTest> {
  const mosquitto = await startMosquitto();
  return { url: mosquitto.url, options: {}, stop: () => mosquitto.stop() };
}

describe.each([
  ['the embedded broker', startAedes],
  ['mosquitto', startReal],
])('through %s', (_, start) => {
  let broker: BrokerUnderTest;
  beforeEach(async () => {
    broker = await start();
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.stop();
    await broker.stop();
  });

  test('a sample is stored, receipted, shown and told', async () => {
    const service = build(broker.url, broker.options);
    await service.start();
    expect(service.brokerConnected()).toBe(true);
    const post = await joinAsPost(broker.url);
    await post.hears(({ channel, online }) => channel === 'server' && online === true);
    await post.greet();
    const at = Date.now();
    post.sends(1, at);
    expect(await post.hears(({ epoch }) => epoch === EPOCH)).toEqual({
      channel: 'receipt',
      epoch: EPOCH,
      stored: [[1, 1]],
    });
    expect([...store.points.values()]).toEqual([
      { post: 'langar', device: 'meter', metric: 'ac.power', at, value: 1, code: 0 },
    ]);
    expect(service.latest.get('langar', 'meter', 'ac.power')).toMatchObject({ value: 1, at });
    expect(service.directory.post('langar')).toMatchObject({ link: 'online', birth, lastSampleAt: at });
    expect(events.map(({ type }) => type)).toEqual(['birth', 'link', 'samples']);
  });

  test('the server asks for attention in bounds, of posts that there are', async () => {
    const service = build(broker.url, broker.options);
    await service.start();
    const post = await joinAsPost(broker.url);
    await post.greet();
    await until(() => service.directory.post('langar')?.link === 'online');
    service.attend('nobody', 10);
    service.attend('langar', 100_000);
    expect(await post.hears(({ channel }) => channel === 'attention')).toMatchObject({ forS: 300 });
  });

  test('rubbish is counted, and the post goes on', async () => {
    const service = build(broker.url, broker.options);
    await service.start();
    const post = await joinAsPost(broker.url);
    await post.greet();
    post.client.publish(postTopic('pamir', 'langar', 'data'), Buffer.alloc(100_000, 7));
    post.sends(2, Date.now());
    await post.hears(({ epoch }) => epoch === EPOCH);
    expect(service.counters()).toMatchObject({ payloadsUnreadable: 1, pointsStored: 1, deadLetters: 1 });
  });

  test('a post that goes without a word is offline by its will', async () => {
    const service = build(broker.url, broker.options);
    await service.start();
    const post = await joinAsPost(broker.url);
    await post.greet();
    await until(() => service.directory.post('langar')?.link === 'online');
    post.client.stream.destroy();
    await until(() => service.directory.post('langar')?.link === 'offline');
  });

  test('posts hear that the server leaves, and see a new session when it is back, which finds them by what is retained', async () => {
    const first = build(broker.url, broker.options);
    await first.start();
    const post = await joinAsPost(broker.url);
    const { session } = await post.hears(({ online }) => online === true);
    await post.greet();
    await until(() => first.directory.post('langar')?.link === 'online');
    await first.stop();
    await post.hears(({ online, session: other }) => online === false && other === session);
    const second = build(broker.url, broker.options);
    await second.start();
    await post.hears(({ online, session: other }) => online === true && other !== session);
    await until(() => second.directory.post('langar')?.link === 'online');
    expect(second.directory.post('langar')?.birth).toEqual(birth);
  });
});

describe('when the broker comes and goes', () => {
  let mosquitto: RunningMosquitto;
  beforeAll(async () => {
    mosquitto = await startMosquitto();
  }, 60_000);
  afterAll(async () => mosquitto.stop());

  test('the server finds it again, subscribes, and says that it is there', async () => {
    const service = build(mosquitto.url);
    await service.start();
    const before = await joinAsPost(mosquitto.url);
    await before.greet();
    await until(() => service.directory.post('langar')?.link === 'online');
    await mosquitto.kill();
    await until(() => service.directory.post('langar')?.link === 'unknown');
    expect(service.brokerConnected()).toBe(false);
    await mosquitto.restart();
    const post = await joinAsPost(mosquitto.url);
    await post.hears(({ channel, online }) => channel === 'server' && online === true);
    await post.greet();
    post.sends(7, Date.now());
    expect(await post.hears(({ epoch }) => epoch === EPOCH)).toMatchObject({ stored: [[7, 7]] });
    expect(service.counters()).toMatchObject({ brokerConnects: 2 });
  }, 30_000);

  test('a late will of the server’s own is put right', async () => {
    const service = build(mosquitto.url);
    await service.start();
    const post = await joinAsPost(mosquitto.url);
    await post.hears(({ online }) => online === true);
    post.heard.length = 0;
    const will = encodeJson({ session: 'an-older-one', online: false, time: 0 });
    post.client.publish(serverTopic('pamir'), will, { qos: 1, retain: true });
    await post.hears(({ online }) => online === true);
  });
});

describe('through a broker that lets everything through', () => {
  let mosquitto: RunningMosquitto;
  beforeAll(async () => {
    mosquitto = await startMosquitto({ anySize: true });
  }, 60_000);
  afterAll(async () => mosquitto.stop());

  test('100 MB in one message do not reach the memory; the post beside it goes on, also where the broker keeps the message', async () => {
    const service = build(mosquitto.url);
    await service.start();
    const post = await joinAsPost(mosquitto.url);
    await post.greet();
    await until(() => service.directory.post('langar')?.link === 'online');
    const payloadBytes = 100 * 1024 * 1024;
    const huge = { port: mosquitto.port, clientId: 'stranger', payloadBytes };
    const rise = await memoryRise(async () => {
      const forged = (channel: 'data' | 'birth') => postTopic('pamir', 'forged', channel);
      expect(await sendHugeMessage({ ...huge, topic: forged('data'), retain: false })).toBeGreaterThan(payloadBytes);
      await sendHugeMessage({ ...huge, topic: forged('birth'), retain: true });
      for (let record = 1; !post.heard.some(({ epoch }) => epoch === EPOCH); record += 1) {
        post.sends(record, Date.now());
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    expect(rise / payloadBytes).toBeLessThan(0.3);
    await vi.waitFor(() => expect(service.counters().retainedForgotten).toBe(1), { timeout: 20_000 });
    const fresh = await connectAsync(mosquitto.url, { clientId: 'fresh', reconnectPeriod: 0 });
    clients.push(fresh);
    let kept = 0;
    fresh.on('message', () => {
      kept += 1;
    });
    await fresh.subscribeAsync(postTopic('pamir', 'forged', 'birth'), { qos: 1 });
    await fresh.publishAsync('x', '', { qos: 1 });
    expect(kept).toBe(0);
    expect(service.counters().packetsTooLarge).toBeGreaterThanOrEqual(1);
  }, 60_000);
});

test('the stop waits for nobody for ever: not for a store that hangs, not for a broker that is gone', async () => {
  const mosquitto = await startMosquitto();
  const hasty: Scheduler = { after: (delayMs, task) => scheduler.after(Math.min(delayMs, 300), task) };
  const service = build(mosquitto.url, { scheduler: hasty });
  await service.start();
  store.gate = new Promise(() => undefined);
  const post = await joinAsPost(mosquitto.url);
  await post.greet();
  post.sends(1, Date.now());
  await vi.waitFor(() => expect(store.writes).toBe(1));
  await mosquitto.stop();
  await service.stop();
  expect(post.heard.filter(({ epoch }) => epoch === EPOCH)).toEqual([]);
}, 30_000);

test('without a broker the start does not wait for ever', async () => {
  const impatient: Scheduler = {
    after(_, task) {
      queueMicrotask(task);
      return silent;
    },
  };
  const service = build('mqtt://127.0.0.1:1', { scheduler: impatient });
  await service.start();
  expect(service.brokerConnected()).toBe(false);
  service.attend('langar', 10);
});
