// What an operator asks of a post, and what two gateways do to one: real gateways on disk, the server's broker and ingest.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { codeOf } from '#domain/quality.js';
import { realClock, realScheduler } from '#gateway/bus/real-time.js';
import { openIdentity } from '#gateway/identity.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import type { OutboxSample } from '#gateway/ports.js';
import { mqttCarrier } from '#gateway/uplink/mqtt-carrier.js';
import { type EmbeddedBroker, startEmbeddedBroker } from '#server/broker/embedded-broker.js';
import type { ServerEvent } from '#server/ingest/events.js';
import { createIngestService, type IngestService } from '#server/ingest/ingest-service.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { FakeCentre, FLEET, POST } from '../support/fake-centre.js';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.js';
import { makeTestPost, type TestPost } from '../support/test-post.js';
import { VirtualTime } from '../support/virtual-time.js';

let folder: string;
let broker: EmbeddedBroker;
let store: MemoryStore;
let service: IngestService;
let events: ServerEvent[];
const stops: (() => Promise<void>)[] = [];
const soon = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-again-'));
  const started = await startEmbeddedBroker({ fleet: FLEET, port: 0 });
  if (!started.ok) throw new Error(started.fault.message);
  broker = started.value;
  store = createMemoryStore();
  events = [];
  const registry = createSqliteRegistry({ folder: join(folder, 'server') });
  if (!registry.ok) throw new Error(registry.fault.message);
  service = createIngestService({
    fleet: FLEET,
    store,
    registry: registry.value,
    mqttUrl: broker.url,
    mqttOptions: broker.credentials,
    dataFolder: join(folder, 'server'),
    clock: realClock,
    scheduler: realScheduler,
    log: { info() {}, warn() {}, error() {} },
  });
  service.subscribe((event) => events.push(event));
  await service.start();
  stops.push(async () => {
    await service.stop();
    registry.value.close();
  });
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await broker.close();
  rmSync(folder, { recursive: true });
});

/** A post on the outbox and the identity in `folder`/name. */
function openPost(name: string, batchPeriodMs = 200): TestPost & { stop(): Promise<void> } {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const outbox = openSqliteOutbox({ file: join(own, 'outbox.db'), reserveBytes: 1024 });
  const identity = openIdentity(own);
  if (!outbox.ok || !identity.ok) throw new Error('cannot open');
  const time = new VirtualTime(0);
  const post = makeTestPost({
    time,
    centre: new FakeCentre(time),
    outbox: outbox.value,
    clock: realClock,
    config: { full: true, batchPeriodMs },
    deps: {
      scheduler: realScheduler,
      openLink: mqttCarrier({ url: broker.url, fleet: FLEET, post: POST, epoch: outbox.value.epoch }),
      identity: identity.value,
      birthSpreadMs: 50,
    },
  });
  post.reader.periodMs = 100;
  let over = false;
  const stop = async (): Promise<void> => {
    if (over) return;
    over = true;
    await post.gateway.stop();
  };
  stops.push(stop);
  return { ...post, stop };
}

const isStored = ({ device, metric, at, value, reason }: OutboxSample): boolean => {
  const point = store.points.get(`${POST}/${device}/${metric}/${at}`);
  return point !== undefined && Object.is(point.value, value) && point.code === codeOf(reason);
};
const identityOf = () => service.directory.post(POST)?.identity;

test('records that the store refused are kept by the post, and stored when the cause is mended and a person asks', async () => {
  let isMended = false;
  store.refuse = ({ metric }) => (metric === 'load.power' && !isMended ? 'STORE_TYPE' : undefined);
  const post = openPost('post');
  post.gateway.start();
  await soon(() => expect(post.outbox.deadLetters(100).length).toBeGreaterThan(5));
  const letters = await service.deadLetters(3);
  expect(letters).toMatchObject([{ code: 'STORE_TYPE', post: POST, samples: [{ metric: 'load.power' }] }, {}, {}]);
  expect(service.counters().samplesRefused).toBeGreaterThan(5);
  isMended = true;
  const refused = post.recorded.slice(0, 10);
  expect(service.replay(POST, { deadLetters: true, by: 'Рустам' })).toMatchObject({
    ok: true,
    value: { state: 'sent' },
  });
  await soon(() => expect(post.outbox.deadLetters(100)).toEqual([]));
  await soon(() => expect(refused.every(isStored)).toBe(true));
});

test('what a server lost with its disk comes again, also when the post was away when it was asked', async () => {
  const began = Date.now();
  const post = openPost('post');
  post.gateway.start();
  await soon(() => expect(post.recorded.filter(isStored).length).toBeGreaterThan(20));
  await post.stop();
  await soon(() => expect(service.directory.post(POST)?.link).toBe('offline'));
  const lost = post.recorded.filter(isStored);
  store.points.clear();
  expect(service.replay(POST, { since: began - 1000, by: 'Рустам' })).toMatchObject({
    ok: true,
    value: { state: 'waiting' },
  });
  expect(service.replay('nobody', { since: 0, by: 'Рустам' })).toMatchObject({
    fault: { code: 'INGEST_POST_UNKNOWN' },
  });
  const again = openPost('post');
  again.gateway.start();
  await soon(() => expect(lost.every(isStored)).toBe(true));
  expect(service.counters()).toMatchObject({ replaysAsked: 1, replaysSent: 1 });
});

test('a cloned card beside its original: told, and every sample of both is stored', async () => {
  const before = openPost('original');
  before.gateway.start();
  await soon(() => expect(before.recorded.filter(isStored).length).toBeGreaterThan(6));
  await before.stop();
  cpSync(join(folder, 'original'), join(folder, 'clone'), { recursive: true });
  const [original, clone] = [openPost('original'), openPost('clone')];
  // Another device in another room: what it reads is its own, at its own times.
  const read = clone.reader.resultAt.bind(clone.reader);
  clone.reader.resultAt = (at) => read(at + 37);
  clone.reader.powerAt = (at) => ({ metric: 'load.power', value: 7, reason: 'good', at }) as never;
  original.gateway.start();
  await soon(() => expect(original.recorded.filter(isStored).length).toBeGreaterThan(6));
  clone.gateway.start();
  await soon(() => expect(identityOf()?.kind).toBe('restored'));
  const due = () => [...original.recorded.slice(0, 30), ...clone.recorded.slice(0, 30)];
  await soon(() => expect(due().length).toBe(60));
  await soon(() => expect(due().filter((sample) => !isStored(sample))).toEqual([]));
  await clone.stop();
  await soon(() => expect(service.counters().statesOfOneOfTwo).toBe(1));
  expect(service.directory.post(POST)?.link).toBe('online');
  expect(broker.counters().brokerClientsTakenOver).toBe(0);
  const stands = events.filter((event) => event.type === 'identity');
  expect(stands).toMatchObject([{ kind: 'restored', raised: true, post: POST }]);
  expect(service.acceptIdentity(POST, 'Рустам')).toMatchObject({ ok: true, value: { kinds: ['restored'] } });
  expect(identityOf()).toBeUndefined();
});
