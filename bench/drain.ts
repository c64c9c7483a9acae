// Days without a link, and then a link: how large the outbox is, how long it takes to bring everything over loopback, and how
// late live values are at a browser meanwhile. Gateway, server and simulator are processes of their own; run
// `npm run build` first. `--days N` drains fewer.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import type { HealthResponse } from '#contract/http.js';
import type { LiveMessage } from '#contract/live.js';
import { freePort } from '#tests/support/real-server.js';
import { fillOutbox } from './drain/fill.js';
import { cpuSeconds, loadAverage, pause, residentMb, startOftob } from './processes.js';
import { percentile, printTable } from './table.js';
import { configOf, FLEET, POWER_AND_WATER, scenarioOf } from './wire/posts.js';

const { values: args } = parseArgs({ options: { days: { type: 'string', default: '30' } } });
const DAYS = Number(args.days);
const POST = POWER_AND_WATER;
/** What every poll brings anew. */
const LOOKED = /^(battery|load|pv)\.(power|voltage|current)$/;
/** Data that is still to come, as the server counts, is less than a batch. */
const QUIET_MS = 15_000;

const folder = mkdtempSync(join(tmpdir(), 'oftob-drain-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const gatewayFolder = join(folder, 'gateway');
mkdirSync(gatewayFolder);
const filled = await fillOutbox(POST, gatewayFolder, DAYS, Date.now() - 60_000);
const outboxBytes = readdirSync(gatewayFolder)
  .filter((name) => name.startsWith('outbox.sqlite'))
  .reduce((sum, name) => sum + statSync(join(gatewayFolder, name)).size, 0);

writeFileSync(join(folder, 'scenario.json'), JSON.stringify(scenarioOf(POST)));
const simulator = await startOftob(
  ['simulate', '--config', join(folder, 'scenario.json'), '--port', '0', '--patient'],
  /main\s+127\.0\.0\.1:(\d+)/,
);
const brokerPort = await freePort();
writeFileSync(
  join(folder, 'server.yaml'),
  `fleet: ${FLEET}\ndataFolder: ${folder}/server\nhttp: { port: 0 }\nbrokerPort: ${brokerPort}\nposts: [{ id: ${POST.id} }]\n`,
);
const server = await startOftob(['server', '--config', join(folder, 'server.yaml')], /(http:\/\/[^\s"]+)/);
const url = (server.match[1] ?? '').replace(/\/$/, '');
const config = configOf(POST, {
  dataFolder: gatewayFolder,
  full: false,
  mqttUrl: `mqtt://127.0.0.1:${brokerPort}`,
  port: Number(simulator.match[1]),
});
writeFileSync(join(folder, 'gateway.yaml'), config.replaceAll('pollPeriodS: 10', 'pollPeriodS: 1'));
const startedAt = performance.now();
const gateway = await startOftob(['gateway', '--config', join(folder, 'gateway.yaml')], /gateway is running/);

async function counters(): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`${url}/api/v1/health`);
  return ((await answer.json()) as HealthResponse).counters;
}

/** Ages of live values as a browser has them on its screen: the post's page is open, so every poll is sent. */
const ages: number[] = [];
const browser = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`, { origin: url });
await new Promise((resolve) => browser.once('open', resolve));
const looked = new Set<number>();
browser.on('message', (data: Buffer) => {
  const message = JSON.parse(data.toString('utf8')) as LiveMessage;
  if (message.t === 'error') return;
  if (message.t === 'snapshot') {
    looked.clear();
    for (const { id, metric } of message.metrics) if (LOOKED.test(metric)) looked.add(id);
    return;
  }
  const now = Date.now();
  for (const [id, , , at] of message.values) if (looked.has(id)) ages.push(now - at);
});
const hello = JSON.stringify({ t: 'hello', view: { page: 'post', post: POST.id }, periodMs: 250 });
// The page asks for attention when it is opened: a post that is not there yet would not hear it.
while (((await counters()).births ?? 0) === 0) await pause(100);
while (looked.size === 0) {
  browser.send(hello);
  await pause(500);
}

let stored = 0;
let growthAt = performance.now();
let drainedAt = growthAt;
const wanted = filled.samples;
while (performance.now() - growthAt < QUIET_MS) {
  await pause(1000);
  const late = (await counters()).samplesLate ?? 0;
  if (late > stored) growthAt = performance.now();
  stored = late;
  if (late < wanted) drainedAt = performance.now();
  else break;
}
const drainS = (drainedAt - startedAt) / 1000;
const cpu = cpuSeconds(gateway.pid) / drainS;
const memory = residentMb(gateway.pid);
printTable(
  `${DAYS} days of ${POST.about}, by exception, drained over loopback; load ${loadAverage()}`,
  ['what', 'seen', 'promised'],
  [
    ['records in the outbox', filled.records, ''],
    ['samples in the outbox', filled.samples, ''],
    ['outbox on disk, MB', (outboxBytes / 1e6).toFixed(0), '≤ 1000'],
    ['late samples at the server', stored, `≥ ${wanted}`],
    ['time to drain, min', (drainS / 60).toFixed(1), '≤ 30'],
    ['samples per second', Math.round(stored / drainS), ''],
    ['live values at the browser meanwhile', ages.length, ''],
    ['live values at the browser, age p50 ms', percentile(ages, 0.5).toFixed(0), ''],
    ['live values at the browser, age p99 ms', percentile(ages, 0.99).toFixed(0), '≤ 5000'],
    ['gateway, MB and % of a core while draining', `${memory.toFixed(0)}, ${(cpu * 100).toFixed(0)}`, ''],
  ],
);
browser.terminate();
await gateway.stop();
await server.stop();
await simulator.stop();
