// A gateway as a process of its own, between simulated devices, a real mosquitto and a real server: memory, processor time,
// and the age of its values at a subscriber while somebody attends. Run `npm run build` first. `--seconds N` measures longer.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from 'mqtt';
import { decodeData } from '#contract/data.js';
import { encodeJson, parseBirth } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import { startMosquitto } from '#tests/support/mosquitto.js';
import { cpuSeconds, loadAverage, pause, residentMb, startModule, startOftob } from './processes.js';
import { percentile, printTable } from './table.js';

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    warm: { type: 'string', default: '20' },
    devices: { type: 'string', default: '1,50' },
    profile: { type: 'string', default: 'deye/sg04lp3' },
    period: { type: 'string', default: '1' },
  },
});
const SECONDS = Number(args.seconds);
const PROFILE = args.profile;
const FLEET = 'bench';
const POST = 'post';
/** A serial server has a handful of devices behind it. */
const UNITS_PER_BUS = 5;

/** Attention of a page that stays open. */
const ATTEND_S = 300;

interface Ages {
  readonly ages: number[];
  values: number;
  since: number;
}

async function measure(deviceCount: number): Promise<(string | number)[]> {
  const folder = mkdtempSync(join(tmpdir(), 'oftob-gateway-'));
  const mosquitto = await startMosquitto();
  const simulator = await startModule(['bench/gateway/simulator.ts', PROFILE, String(deviceCount)], /port (\d+)/);
  writeFileSync(
    join(folder, 'server.yaml'),
    `fleet: ${FLEET}\ndataFolder: ${folder}/server\nhttp: { port: 0 }\nbroker: { url: '${mosquitto.url}' }\nposts: [{ id: ${POST} }]\n`,
  );
  const server = await startOftob(['server', '--config', join(folder, 'server.yaml')], /http:\/\/\S+/);
  const seen: Ages = { ages: [], values: 0, since: Number.POSITIVE_INFINITY };
  const subscriber = connect(mosquitto.url, { protocolVersion: 4, clientId: 'bench' });
  listen(subscriber, seen);
  writeFileSync(
    join(folder, 'gateway.yaml'),
    gatewayYaml(deviceCount, folder, mosquitto.url, Number(simulator.match[1])),
  );
  const gateway = await startOftob(['gateway', '--config', join(folder, 'gateway.yaml')], /gateway is running/);
  // Until the birth has been answered attention is not heard.
  await pause(8000);
  subscriber.publish(postTopic(FLEET, POST, 'attention'), encodeJson({ forS: ATTEND_S }));
  await pause(Number(args.warm) * 1000);
  seen.since = Date.now();
  const [cpuBefore, startedAt] = [cpuSeconds(gateway.pid), performance.now()];
  await pause(SECONDS * 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = ((cpuSeconds(gateway.pid) - cpuBefore) / seconds) * 100;
  const memory = residentMb(gateway.pid);
  subscriber.end(true);
  await gateway.stop();
  await server.stop();
  await simulator.stop();
  await mosquitto.stop();
  rmSync(folder, { recursive: true, force: true });
  if (seen.values === 0) process.stderr.write(gateway.text());
  const age = (share: number): string => percentile(seen.ages, share).toFixed(0);
  return [
    deviceCount,
    Math.round(seen.values / seconds),
    memory.toFixed(0),
    cpu.toFixed(1),
    age(0.5),
    age(0.99),
    loadAverage(),
  ];
}

function gatewayYaml(deviceCount: number, folder: string, mqttUrl: string, port: number): string {
  const buses = Array.from({ length: Math.ceil(deviceCount / UNITS_PER_BUS) }, (_, bus) => `b${bus}`);
  return [
    `fleet: ${FLEET}`,
    `post: ${POST}`,
    `dataFolder: ${folder}/gateway`,
    `mqtt: { url: '${mqttUrl}' }`,
    'buses:',
    ...buses.map((id) => `  - { id: ${id}, type: tcp, host: 127.0.0.1, port: ${port} }`),
    'devices:',
    ...Array.from(
      { length: deviceCount },
      (_, i) =>
        `  - { id: d${i}, bus: b${Math.floor(i / UNITS_PER_BUS)}, profile: ${PROFILE}, unit: ${i + 1}, pollPeriodS: ${args.period}, pauseMs: 0 }`,
    ),
  ].join('\n');
}

/** The age of each value of a device that was read: from its source time to its arrival here. */
function listen(subscriber: ReturnType<typeof connect>, seen: Ages): void {
  let foreign = new Set<number>();
  subscriber.on('connect', () => {
    subscriber.subscribe([postTopic(FLEET, POST, 'birth'), postTopic(FLEET, POST, 'data')]);
  });
  subscriber.on('message', (topic, payload) => {
    const now = Date.now();
    if (topic === postTopic(FLEET, POST, 'birth')) {
      const birth = parseBirth(payload);
      if (birth.ok)
        foreign = new Set(
          birth.value.metrics.filter(({ metric }) => /^(poll|gateway)\./.test(metric)).map(({ index }) => index),
        );
      return;
    }
    const data = decodeData(payload);
    if (!data.ok) throw new Error(data.fault.message);
    for (const { at, index } of data.value.samples) {
      if (at < seen.since || foreign.has(index)) continue;
      seen.values += 1;
      seen.ages.push(now - at);
    }
  });
}

const rows: (string | number)[][] = [];
for (const devices of args.devices.split(',')) rows.push(await measure(Number(devices)));
printTable(
  `A gateway of ${PROFILE} polled each ${args.period} s, every poll sent, over ${SECONDS} s`,
  ['devices', 'values/s', 'MB', '% of one core', 'age p50 ms', 'age p99 ms', 'load'],
  rows,
);
