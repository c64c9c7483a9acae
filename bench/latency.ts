// From a change at a device to the browser's websocket, with attention: the post's page is open, so every poll is sent.
// The wait for the next poll is the operator's choice; it is shown apart.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const CHANGES = 60;
/** Where the meter shows `ac.power`. */
const POWER_AT = 52;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

const folder = mkdtempSync(join(tmpdir(), 'oftob-latency-'));
const { profiles: catalog } = loadCatalog();
const meter = catalog.get('eastron/sdm630')?.profile;
if (meter === undefined) throw new Error('no profile');

let power = 1000;
let changedAt = 0;
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
  `fleet: bench\npost: post\ndataFolder: ${folder}/gateway\nmqtt: { url: ${server.value.mqttUrl} }\nbuses: [{ id: main, type: tcp, host: 127.0.0.1, port: ${bus.port} }]\ndevices: [{ id: meter, bus: main, profile: eastron/sdm630, unit: 1, role: load, pollPeriodS: ${POLL_S}, pauseMs: 0 }]\n`,
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

const browser = new WebSocket(`${server.value.url.replace('http', 'ws')}/api/v1/live`, { origin: server.value.url });
let metricId = -1;
let seen: (value: number) => void = () => {};
browser.on('message', (data: Buffer) => {
  const message = JSON.parse(data.toString('utf8')) as LiveMessage;
  if (message.t === 'error') throw new Error(message.message);
  if (message.t === 'snapshot') metricId = message.metrics.find(({ metric }) => metric === 'load.power')?.id ?? -1;
  for (const [id, value] of message.values) if (id === metricId && typeof value === 'number') seen(value);
});
await new Promise((resolve) => browser.once('open', resolve));
const hello = (): void =>
  browser.send(JSON.stringify({ t: 'hello', view: { page: 'post', post: 'post' }, periodMs: 100 }));
while (metricId < 0) {
  hello();
  await new Promise((resolve) => setTimeout(resolve, 500));
}

const whole: number[] = [];
const toPoll: number[] = [];
const afterPoll: number[] = [];
for (let change = 0; change < CHANGES; change += 1) {
  await new Promise((resolve) => setTimeout(resolve, 300 + Math.floor(systemRandom() * 1000)));
  power += 100;
  changedAt = performance.now();
  readAt = 0;
  await new Promise<void>((resolve) => {
    seen = (value) => {
      if (value === power) resolve();
    };
  });
  whole.push(performance.now() - changedAt);
  toPoll.push(readAt - changedAt);
  afterPoll.push(performance.now() - readAt);
}
const row = (name: string, values: readonly number[]): (string | number)[] => [
  name,
  Math.round(percentile(values, 0.5)),
  Math.round(percentile(values, 0.95)),
];
printTable(
  `${CHANGES} changes, polled each ${POLL_S} s, with attention`,
  ['way', 'p50 ms', 'p95 ms'],
  [row('device changes → browser', whole), row('waits to be polled', toPoll), row('is read → browser', afterPoll)],
);

browser.close();
await gateway.value.stop();
await server.value.stop();
await bus.close();
rmSync(folder, { recursive: true, force: true });
