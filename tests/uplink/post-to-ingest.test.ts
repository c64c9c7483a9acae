// A gateway as it is, on disk and over real sockets, before the server's own broker and ingest.
import { mkdtempSync, rmSync } from 'node:fs';
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
import { createIngestService, type IngestService } from '#server/ingest/ingest-service.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { FakeCentre, FLEET, POST } from '../support/fake-centre.js';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.js';
import { makeTestPost, type TestPost } from '../support/test-post.js';
import { VirtualTime } from '../support/virtual-time.js';

let folder: string;
let broker: EmbeddedBroker;
let store: MemoryStore;
const stops: (() => Promise<void>)[] = [];
const soon = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const silent = { info() {}, warn() {}, error() {} };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oftob-post-'));
  const started = await startEmbeddedBroker({ fleet: FLEET, port: 0 });
  if (!started.ok) throw new Error(started.fault.message);
  broker = started.value;
  store = createMemoryStore();
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await broker.close();
  rmSync(folder, { recursive: true });
});

async function startIngest(): Promise<{ service: IngestService; stop: () => Promise<void> }> {
  const registry = createSqliteRegistry({ folder });
  if (!registry.ok) throw new Error(registry.fault.message);
  const service = createIngestService({
    fleet: FLEET,
    store,
    registry: registry.value,
    mqttUrl: broker.url,
    mqttOptions: broker.credentials,
    dataFolder: folder,
    clock: realClock,
    scheduler: realScheduler,
    log: silent,
  });
  await service.start();
  let over = false;
  const stop = async () => {
    if (over) return;
    over = true;
    await service.stop();
    registry.value.close();
  };
  stops.push(stop);
  return { service, stop };
}

/** @param phaseMs that its polls stand apart from multiples of their period, as each start of a real one draws it */
function openPost(name: string, phaseMs = 0): TestPost {
  const file = join(folder, `${name}.db`);
  const outbox = openSqliteOutbox({ file, reserveBytes: 1024 });
  const identity = openIdentity(folder);
  if (!outbox.ok || !identity.ok) throw new Error('cannot open');
  const time = new VirtualTime(0);
  const post = makeTestPost({
    time,
    centre: new FakeCentre(time),
    outbox: outbox.value,
    clock: realClock,
    config: { full: true },
    deps: {
      scheduler: realScheduler,
      openLink: mqttCarrier({ url: broker.url, fleet: FLEET, post: POST, epoch: outbox.value.epoch }),
      identity: identity.value,
      birthSpreadMs: 100,
      pollPhase: phaseMs / 10_000,
    },
  });
  post.reader.periodMs = 100;
  return post;
}

const isStored = ({ device, metric, at, value, reason }: OutboxSample): boolean => {
  const point = store.points.get(`${POST}/${device}/${metric}/${at}`);
  return point !== undefined && Object.is(point.value, value) && point.code === codeOf(reason);
};

test('a day of history and the present arrive bit for bit, and only receipts free the outbox', async () => {
  const { service } = await startIngest();
  const post = openPost('outbox');
  stops.push(() => post.gateway.stop());
  const now = Date.now();
  const day = Array.from({ length: 1440 }, (_, i) => post.reader.resultAt(now - (1440 - i) * 60_000));
  for (const result of day) post.gateway.record([result], { historical: true });
  post.gateway.start();
  await soon(() => expect(service.latest.get(POST, 'meter', 'load.power')?.value).toBeTypeOf('number'));
  await soon(() => expect(post.recorded.slice(0, 2880).every(isStored)).toBe(true));
  const [before] = [service.counters().receiptsSent];
  service.attend(POST, 10);
  await soon(() => expect(post.gateway.status().session.attended).toBe(true));
  await soon(() => expect(service.counters().receiptsSent).toBeGreaterThan((before ?? 0) + 3));
  await soon(() => expect(post.gateway.status().outbox.pendingRecords).toBeLessThan(5));
  expect(service.counters()).toMatchObject({ payloadsUnreadable: 0, samplesRefused: 0, payloadsUnknownBirth: 0 });
});

test('what the broker’s death cut off arrives through the next one', async () => {
  const { service, stop } = await startIngest();
  const post = openPost('outbox');
  stops.push(() => post.gateway.stop());
  post.gateway.start();
  await soon(() => expect(service.latest.get(POST, 'meter', 'load.power')).toBeDefined());
  const { port } = broker;
  await broker.close();
  await soon(() => expect(post.gateway.status().session.connected).toBe(false));
  const recorded = post.recorded.length;
  await soon(() => expect(post.recorded.length).toBeGreaterThan(recorded + 5));
  await stop();
  const again = await startEmbeddedBroker({ fleet: FLEET, port });
  if (!again.ok) throw new Error(again.fault.message);
  broker = again.value;
  await startIngest();
  const due = [...post.recorded];
  await soon(() => expect(due.every(isStored)).toBe(true));
});

test('two gateways of one identity do not throw each other out: what both have is stored, and both know of the other', async () => {
  const { service } = await startIngest();
  const posts = [openPost('outbox'), openPost('clone', 40)];
  for (const { gateway } of posts) stops.push(() => gateway.stop());
  for (const { gateway } of posts) {
    gateway.start();
    await soon(() => expect(gateway.status().session.birth).toBeDefined());
  }
  await soon(() => {
    service.attend(POST, 10);
    expect(posts.every(({ gateway }) => gateway.status().session.foreignReceipts > 9)).toBe(true);
  });
  const due = posts.flatMap(({ recorded }) => [...recorded]);
  await soon(() => expect(due.every(isStored)).toBe(true));
  for (const { gateway } of posts) {
    expect(gateway.status().session).toMatchObject({ connected: true, connects: 1, strayReceipts: 0 });
    expect(gateway.status().outbox).toMatchObject({ refused: 0, expired: 0 });
  }
});
