// From a change at a device to the browser's websocket: first of a value that crosses its watch limit while nobody attends,
// then of any value while the post's page is open, so that every poll is sent. The wait for the next poll is the operator's
// choice; it is shown apart.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { openGateway } from '#cli/post-gateway.js';
import { serverParts } from '#cli/server-parts.js';
import { systemClock, systemRandom, systemScheduler } from '#cli/system.js';
import type { LiveMessage } from '#contract/live.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { loadCatalog } from '#profiles/catalog.js';
import { parseServerConfig } from '#server/config.js';
import { startServer } from '#server/server.js';
import { createDeviceOf } from '#simulators/device/simulated-device.js';
import { serveModbusTcp } from '#simulators/serve/modbus-tcp.js';
import { percentile, printTable } from './table.js';

const POLL_S = 1;
const { values: args } = parseArgs({ options: { changes: { type: 'string', default: '60' } } });
const CHANGES = Number(args.changes);
const CROSSINGS = Math.ceil(CHANGES / 2);
/** Watch limit of the load, W. */
const HIGH_W = 5000;
/** Where the meter shows `ac.power`. */
const POWER_AT = 52;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

const folder = mkdtempSync(join(tmpdir(), 'oftob-latency-'));
const { profiles: catalog } = loadCatalog();
const meter = catalog.get('eastron/sdm630')?.profile;
if (meter === undefined) throw new Error('no profile');

let power = 1000;
let readAt = 0;
const device = createDeviceOf(meter, (metric) => (metric === 'ac.power' ? power : 0));
const watched = {
  ...device,
  // A change may fall into the middle of a poll: only the request that carries the new value counts.
  read: (...[table, start, count]: Parameters<typeof device.read>) => {
    if (readAt === 0 && start <= POWER_AT && POWER_AT < start + count) readAt = performance.now();
    return device.read(table, start, count);
  },
};
const bus = await serveModbusTcp({
  host: '127.0.0.1',
  port: 0,
  units: new Map([[1, watched]]),
  scheduler: systemScheduler,
});

const serverConfig = parseServerConfig(
  `fleet: bench\ndataFolder: ${folder}/server\nhttp: { port: 0 }\nbrokerPort: 0\nposts: [{ id: post }]\n`,
);
if (!serverConfig.ok) throw new Error(JSON.stringify(serverConfig.fault));
const server = await startServer(serverConfig.value, {
  clock: systemClock,
  scheduler: systemScheduler,
  random: systemRandom,
  log: quiet,
  ...serverParts(),
});
if (!server.ok) throw new Error(server.fault.message);

mkdirSync(join(folder, 'gateway'), { recursive: true });
const gatewayConfig = parseGatewayConfig(
  `fleet: bench\npost: post\ndataFolder: ${folder}/gateway\nmqtt: { url: ${server.value.mqttUrl} }\nbuses: [{ id: main, type: tcp, host: 127.0.0.1, port: ${bus.port} }]\ndevices: [{ id: meter, bus: main, profile: eastron/sdm630, unit: 1, role: load, pollPeriodS: ${POLL_S}, pauseMs: 0, watch: { load.power: { high: ${HIGH_W} } } }]\n`,
  catalog,
);
if (!gatewayConfig.ok) throw new Error(JSON.stringify(gatewayConfig.fault));
const gateway = openGateway(gatewayConfig.value, {
  catalog,
  clock: systemClock,
  scheduler: systemScheduler,
  random: systemRandom,
  log: quiet,
  clockQuality: () => 'synchronised',
  birthSpreadMs: 0,
});
if (!gateway.ok) throw new Error(gateway.fault.message);
gateway.value.start();

interface Times {
  readonly whole: number[];
  readonly toPoll: number[];
  readonly afterPoll: number[];
}

/** Called with each value of the load that arrives. */
let seen: (value: number) => void = () => {};

/** Changes the load again and again, and waits until each change has arrived. */
async function timeChanges(count: number, next: (change: number) => number): Promise<Times> {
  const times: Times = { whole: [], toPoll: [], afterPoll: [] };
  for (let change = 0; change < count; change += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.floor(systemRandom() * 1000)));
    const arrived = new Promise<void>((resolve) => {
      seen = (value) => {
        if (value === power) resolve();
      };
    });
    power = next(change);
    const changedAt = performance.now();
    readAt = 0;
    await arrived;
    times.whole.push(performance.now() - changedAt);
    times.toPoll.push(readAt - changedAt);
    times.afterPoll.push(performance.now() - readAt);
  }
  return times;
}

type News = Exclude<LiveMessage, { t: 'error' }>;

async function openBrowser(url: string, hear: (news: News) => void): Promise<WebSocket> {
  const browser = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`, { origin: url });
  browser.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as LiveMessage;
    if (message.t === 'error') throw new Error(message.message);
    hear(message);
  });
  await new Promise((resolve) => browser.once('open', resolve));
  return browser;
}

// The fleet's page asks no post for anything.
let isKnown = false;
const fleetPage = await openBrowser(server.value.url, ({ posts }) => {
  const load = posts[0]?.flows.loadPower?.value;
  if (typeof load !== 'number') return;
  isKnown = true;
  seen(load);
});
fleetPage.send(JSON.stringify({ t: 'hello', view: { page: 'fleet' }, periodMs: 100 }));
while (!isKnown) await new Promise((resolve) => setTimeout(resolve, 200));
const crossings = await timeChanges(CROSSINGS, (change) => (change % 2 === 0 ? HIGH_W + 1000 : 1000) + change * 100);
fleetPage.close();

let metricId = -1;
const postPage = await openBrowser(server.value.url, (message) => {
  if (message.t === 'snapshot') metricId = message.metrics.find(({ metric }) => metric === 'load.power')?.id ?? -1;
  for (const [id, value] of message.values) if (id === metricId && typeof value === 'number') seen(value);
});
while (metricId < 0) {
  postPage.send(JSON.stringify({ t: 'hello', view: { page: 'post', post: 'post' }, periodMs: 100 }));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
const attended = await timeChanges(CHANGES, () => power + 100);

const row = (name: string, values: readonly number[]): (string | number)[] => [
  name,
  Math.round(percentile(values, 0.5)),
  Math.round(percentile(values, 0.95)),
  Math.round(Math.max(...values)),
];
printTable(
  `${CROSSINGS} crossings of a watch limit while nobody attends, ${CHANGES} changes with attention, polled each ${POLL_S} s`,
  ['way', 'p50 ms', 'p95 ms', 'most ms', 'promised'],
  [
    [...row('crossing is read → server and browser, unattended', crossings.afterPoll), '≤ 1000'],
    [...row('device changes → browser, attended', attended.whole), ''],
    [...row('of that: waits to be polled', attended.toPoll), ''],
    [...row('of that: is read → browser', attended.afterPoll), ''],
  ],
);

postPage.close();
await gateway.value.stop();
await server.value.stop();
await bus.close();
rmSync(folder, { recursive: true, force: true });
