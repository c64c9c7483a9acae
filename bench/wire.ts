// Bytes per value on the wire: a demo post polled each 10 s, recorded and packed as its gateway does. Payloads only; MQTT,
// TLS and TCP/IP come on top once per payload.
import { gatewayYaml } from '#cli/demo/fleet-of.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import type { OutboxRecord, OutboxSample } from '#gateway/ports.js';
import { postFactsOf, rulesOf } from '#gateway/record/post-facts.js';
import { Recorder } from '#gateway/record/recorder.js';
import { makeBirth } from '#gateway/uplink/birth.js';
import { cutPayload } from '#gateway/uplink/payload.js';
import { loadCatalog } from '#profiles/catalog.js';
import { loadScenario } from '#simulators/scenarios/scenario.js';
import { createSimulation } from '#simulators/simulation.js';
import { directBus } from '#tests/support/direct-bus.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { printTable } from './table.js';

const HOURS = 24;
const POLL_MS = 10_000;
const START = Date.UTC(2026, 5, 15, 4);

interface Way {
  readonly name: string;
  readonly full: boolean;
  readonly batchMs: number;
}

const WAYS: readonly Way[] = [
  { name: 'everything, each 60 s', full: true, batchMs: 60_000 },
  { name: 'everything, history in 10 min', full: true, batchMs: 600_000 },
  { name: 'by exception, each 60 s', full: false, batchMs: 60_000 },
  { name: 'by exception, history in 10 min', full: false, batchMs: 600_000 },
];

async function measure({ full, batchMs }: Way) {
  const { profiles: catalog } = loadCatalog();
  const scenario = loadScenario('demo');
  if (!scenario.ok) throw new Error('no demo');
  const post = scenario.value.posts[0];
  if (post === undefined) throw new Error('no post');
  const world = createSimulation(scenario.value, { startAt: START, catalog }).posts.get(post.id);
  if (world === undefined) throw new Error('no world');
  const parsed = parseGatewayConfig(
    gatewayYaml(post, { mqttUrl: 'mqtt://127.0.0.1', dataFolder: '/nowhere', busPorts: new Map([['main', 502]]) }),
    catalog,
  );
  if (!parsed.ok) throw new Error('configuration');
  const time = new VirtualTime(START);
  const reader = createPostReader(parsed.value, {
    buses: new Map([['main', directBus(world, 'main')]]),
    catalog,
    clock: time,
    scheduler: time,
  });
  const facts = postFactsOf(parsed.value, catalog);
  const recorder = new Recorder({ rules: rulesOf(facts.metrics), batchPeriodMs: 60_000, full, isTaken: () => false });
  const birth = makeBirth(
    { version: '0', publicKey: '', epoch: '00112233445566aa', start: 1, batchPeriodMs: 60_000, ...facts },
    [],
    {
      number: 1,
      at: START,
      clock: 'synchronised',
    },
  );
  let records: OutboxRecord[] = [];
  const total = { polled: 0, samples: 0, bytes: 0, payloads: 0 };
  const send = (): void => {
    while (records.length > 0) {
      const { payload, refused } = cutPayload(records, birth, batchMs > 60_000);
      if (payload === undefined || refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused[0])}`);
      total.bytes += payload.bytes.length;
      total.payloads += 1;
      records = records.slice(payload.ids.length);
    }
  };
  let id = 0;
  for (let at = START; at < START + HOURS * 3_600_000; at += POLL_MS) {
    world.stepTo(at);
    await time.advance(at - time.now());
    const results = await reader.pollOnce(at, { all: true });
    total.polled += results.reduce((sum, { readings }) => sum + readings.length, 0);
    for (const { samples } of recorder.take(results, { stream: 'present', attended: false, offline: false }).drafts) {
      id += 1;
      records.push({ epoch: '00112233445566aa', id, samples: samples as readonly OutboxSample[], offline: false, at });
      total.samples += samples.length;
    }
    if ((at + POLL_MS - START) % batchMs === 0) send();
  }
  send();
  return total;
}

const rows: (string | number)[][] = [];
for (const way of WAYS) {
  const { polled, samples, bytes, payloads } = await measure(way);
  const month = (bytes / HOURS) * 24 * 30;
  rows.push([
    way.name,
    polled,
    samples,
    payloads,
    (bytes / samples).toFixed(2),
    (bytes / polled).toFixed(2),
    (month / 1e6).toFixed(1),
  ]);
}
printTable(
  `A demo post polled each 10 s for ${HOURS} h; payloads only, no topic, MQTT, TLS, TCP/IP, births, receipts`,
  ['way', 'values polled', 'samples sent', 'payloads', 'B per sample', 'B per value polled', 'MB per 30 days'],
  rows,
);
