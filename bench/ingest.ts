// Values per second through the ingest, decode and receipts included, into each store, in turn within one run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemScheduler } from '#cli/system.js';
import { encodeData } from '#contract/data.js';
import { encodeJson, receiptDoor } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import { METRICS } from '#domain/metric.js';
import { IngestEngine } from '#server/ingest/ingest-engine.js';
import { DEFAULT_LIMITS } from '#server/ingest/limits.js';
import type { Store } from '#server/ports.js';
import { openEmbeddedStore } from '#server/store/embedded-store.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { startInflux } from '#tests/support/influx.js';
import { median, printTable } from './table.js';

const FLEET = 'bench';
const METRIC_COUNT = 60;
const ROWS = 100;
const PAYLOADS = 40;
const ROUNDS = 7;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const metrics = [...METRICS.values()].filter(({ kind }) => kind === 'gauge').slice(0, METRIC_COUNT);

const birth = encodeJson({
  birth: 1,
  at: 0,
  clock: 'synchronised',
  gateway: { version: '0', publicKey: '', epoch: '00112233445566aa', start: 1 },
  batchPeriodMs: 60_000,
  devices: [{ id: 'device', kind: 'inverter', pollPeriodMs: 10_000 }],
  metrics: metrics.map(({ id, kind }, index) => ({
    index,
    device: 'device',
    metric: id,
    kind,
    pollPeriodMs: 10_000,
    heartbeatS: 300,
  })),
});

function payloadOf(round: number, number: number): Buffer {
  const first = Date.UTC(2026, 0, 1) + ((round * PAYLOADS + number) * ROWS + 1) * 10_000;
  const samples = Array.from({ length: ROWS }, (_, row) =>
    metrics.map((_metric, index) => ({
      record: number * ROWS + row + 1,
      index,
      at: first + row * 10_000,
      value: Math.round(1000 * Math.sin((row + index) / 7)) / 10,
      code: 0,
    })),
  ).flat();
  return encodeData({ birth: 1, epoch: '00112233445566aa', historical: true, samples });
}

async function run(store: Store, round: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-bench-'));
  const registry = createSqliteRegistry({ folder });
  if (!registry.ok) throw new Error(registry.fault.message);
  let receipted = 0;
  let sentBack = '';
  let done = (): void => {};
  const engine = new IngestEngine({
    fleet: FLEET,
    store,
    registry: registry.value,
    dataFolder: folder,
    clock: systemClock,
    scheduler: systemScheduler,
    log: quiet,
    limits: DEFAULT_LIMITS,
    send: (_topic, bytes) => {
      const receipt = receiptDoor(JSON.parse(bytes.toString('utf8')));
      if (receipt.ok && receipt.value.refused !== undefined) sentBack = JSON.stringify(receipt.value.refused[0]);
      if (receipt.ok) for (const [from, to] of receipt.value.stored) receipted += to - from + 1;
      if (receipted >= PAYLOADS * ROWS || sentBack !== '') done();
      return true;
    },
  });
  const payloads = Array.from({ length: PAYLOADS }, (_, number) => payloadOf(round, number));
  engine.receive(postTopic(FLEET, 'post', 'birth'), birth, false);
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    done = resolve;
    for (const payload of payloads) engine.receive(postTopic(FLEET, 'post', 'data'), payload, false);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  if (sentBack !== '') throw new Error(`refused: ${sentBack}`);
  await engine.stop();
  registry.value.close();
  rmSync(folder, { recursive: true, force: true });
  return (PAYLOADS * ROWS * METRIC_COUNT) / seconds;
}

const influx = await startInflux();
const folder = mkdtempSync(join(tmpdir(), 'oftob-bench-store-'));
const stores: (readonly [string, Store])[] = [];
try {
  const embedded = await openEmbeddedStore({ folder });
  if (!embedded.ok) throw new Error(embedded.fault.message);
  stores.push(['embedded (SQLite)', embedded.value]);
  stores.push(['InfluxDB 1.x', createInfluxStore({ url: influx.url, database: 'bench' })]);
  const rates = new Map<string, number[]>(stores.map(([name]) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const [name, store] of round % 2 === 0 ? stores : [...stores].reverse()) {
      const rate = await run(store, round);
      // The first round warms up.
      if (round > 0) rates.get(name)?.push(rate);
    }
  const medians = stores.map(([name]) => [name, median(rates.get(name) ?? [])] as const);
  const first = medians[0]?.[1] ?? Number.NaN;
  printTable(
    `${PAYLOADS * ROWS * METRIC_COUNT} values a round, ${ROUNDS} rounds in turn after one to warm up, medians`,
    ['store', 'values/s', 'of the first'],
    medians.map(([name, rate]) => [name, Math.round(rate), (rate / first).toFixed(2)]),
  );
} finally {
  for (const [, store] of stores) await store.close();
  await influx.stop();
  rmSync(folder, { recursive: true, force: true });
}
