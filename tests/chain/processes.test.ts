import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FleetResponse, HealthResponse } from '#contract/http.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { KEEPING, type RunningInflux, startInflux } from '../support/influx.js';
import { type RunningMosquitto, startMosquitto } from '../support/mosquitto.js';
import { type RunningProcess, startOftob } from '../support/processes.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** A message for a person, without a stack. */
const ONE_LINE = /^oftob: [A-Z_]+: .+\n( {2}.+\n)*$/;

const folder = mkdtempSync(join(tmpdir(), 'oftob-processes-'));
const running = new Set<RunningProcess>();
let influx: RunningInflux;
let mosquitto: RunningMosquitto;

beforeAll(async () => {
  [influx, mosquitto] = await Promise.all([startInflux(), startMosquitto({ persistence: true })]);
}, MINUTE);

afterAll(async () => {
  await Promise.all([...running].map((process) => process.stop('SIGKILL')));
  await Promise.all([influx?.stop(), mosquitto?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

function run(args: readonly string[]): RunningProcess {
  const process = startOftob(args);
  running.add(process);
  void process.ended.then(() => running.delete(process));
  return process;
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function until<T>(look: () => Promise<T | undefined | false>, withinMs = 30 * SECOND): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline)
      throw new Error(`not within ${withinMs} ms:\n${[...running].map((one) => one.output()).join('\n---\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function startServer(config: string): Promise<{ process: RunningProcess; url: string }> {
  const process = run(['server', '--config', config]);
  const [, url = ''] = await process.until(/server is at (http:\/\/127\.0\.0\.1:\d+)/, MINUTE);
  return { process, url };
}

async function get<T>(url: string): Promise<T> {
  return (await fetch(url)).json() as Promise<T>;
}

describe('the chain as real processes, with mosquitto and InfluxDB', () => {
  test('survives the death of server, gateway, broker and database without losing a poll', {
    timeout: 5 * MINUTE,
  }, async () => {
    const scenario = file(
      'scenario.json',
      JSON.stringify({
        name: 'test',
        summary: 'One post',
        seed: 5,
        posts: [
          {
            id: 'langar',
            name: 'Langar',
            devices: [{ id: 'meter', profile: 'eastron/sdm630', unit: 1, role: 'load' }],
          },
        ],
      }),
    );
    const simulator = run(['simulate', '--config', scenario, '--port', '0', '--patient']);
    const [, bus = ''] = await simulator.until(/langar\/main {2}(127\.0\.0\.1:\d+)/);

    const reading = run(['read', '--profile', 'eastron/sdm630', '--tcp', bus, '--unit', '1', '--json']);
    expect(await reading.ended).toBe(0);
    const said = JSON.parse(reading.output()) as { profile: string; unit: number; readings: object[] };
    expect(said).toMatchObject({ profile: 'eastron/sdm630', unit: 1 });
    expect(said.readings).toHaveLength(33);
    expect(said.readings[0]).toEqual({
      metric: 'ac.l1.voltage',
      value: expect.any(Number),
      unit: 'V',
      quality: 'good',
      reason: 'good',
    });

    const serverConfig = file(
      'server.yaml',
      `fleet: pamir\ndataFolder: ${folder}/server\nhttp: { port: 0 }\nbroker: { url: ${mosquitto.url} }\nstore: { url: influx://127.0.0.1:${influx.port}/chain }\nposts: [{ id: langar, name: Langar }]\n`,
    );
    const [host, port] = bus.split(':');
    const gatewayConfig = file(
      'gateway.yaml',
      `fleet: pamir\npost: langar\ndataFolder: ${folder}/gateway\nmqtt: { url: ${mosquitto.url} }\nbatchPeriodS: 2\nfull: true\nbuses: [{ id: main, type: tcp, host: ${host}, port: ${port} }]\ndevices: [{ id: meter, bus: main, profile: eastron/sdm630, unit: 1, role: load, pollPeriodS: 1, pauseMs: 0 }]\n`,
    );
    let server = await startServer(serverConfig);
    let gateway = run(['gateway', '--config', gatewayConfig]);
    const isLive = async (): Promise<boolean> => {
      const { posts, now } = await get<FleetResponse>(`${server.url}/api/v1/fleet`);
      const [post] = posts;
      const at = post?.flows.loadPower?.at ?? 0;
      return post?.link === 'online' && typeof post.flows.loadPower?.value === 'number' && now - at < 6 * SECOND;
    };
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    await until(isLive);
    const from = Date.now() - 2 * SECOND;

    // Each part dies as in a power cut, while the others go on.
    await server.process.stop('SIGKILL');
    await pause(4 * SECOND);
    server = await startServer(serverConfig);
    await until(isLive, MINUTE);

    await gateway.stop('SIGKILL');
    gateway = run(['gateway', '--config', gatewayConfig]);
    const gatewayDown = Date.now();
    await until(isLive, MINUTE);

    await mosquitto.kill();
    await pause(3 * SECOND);
    await mosquitto.restart();
    const brokerBack = Date.now();
    await until(async () => {
      const [post] = (await get<FleetResponse>(`${server.url}/api/v1/fleet`)).posts;
      return (post?.flows.loadPower?.at ?? 0) > brokerBack;
    }, 2 * MINUTE);

    await influx.kill();
    // Known with the next batch that cannot be stored.
    await until(async () => (await get<HealthResponse>(`${server.url}/api/v1/health`)).store === 'failing');
    await influx.restart();
    await until(async () => (await get<HealthResponse>(`${server.url}/api/v1/health`)).store === 'ok', MINUTE);
    await until(isLive, MINUTE);
    const to = Date.now() - 10 * SECOND;

    // What was polled while something was away arrives behind the live values.
    const store = createInfluxStore({ url: influx.url, database: 'chain', keeping: KEEPING });
    const series = { post: 'langar', device: 'meter', metric: 'load.power' };
    const holes = await until(async () => {
      const points = await store.read(series, from, to);
      if (!points.ok) return undefined;
      const times = [from, ...points.value.map(({ at }) => at), to];
      const gaps = times
        .slice(1)
        .flatMap((at, i) => (at - (times[i] ?? at) > 2.5 * SECOND ? [{ from: times[i] ?? 0, to: at }] : []));
      // The gateway itself was away for a moment: only there may polls be missing.
      const unexplained = gaps.filter((gap) => !(gap.from <= gatewayDown && gap.to >= gatewayDown - SECOND));
      return unexplained.length === 0 ? unexplained : undefined;
    }, 2 * MINUTE);
    expect(holes).toEqual([]);
    await store.close();

    expect(await gateway.stop('SIGTERM')).toBe(0);
    expect(await server.process.stop('SIGTERM')).toBe(0);
    expect(await simulator.stop('SIGINT')).toBe(0);
  });
});

describe('what a person reads when something is wrong', () => {
  test('a wrong gateway configuration: every fault at once, with its place and a suggestion', async () => {
    const config = file(
      'wrong.yaml',
      'fleet: Pamir!\npost: langar\ndataFolder: /tmp/x\nmqtt: { url: http://nowhere }\nbuses: [{ id: main, type: tcp, host: a, port: 99999 }]\ndevices: [{ id: m, bus: mian, profile: eastron/sdm63 }]\n',
    );
    const gateway = run(['gateway', '--config', config]);
    expect(await gateway.ended).toBe(1);
    const said = gateway.output();
    expect(said).toMatch(ONE_LINE);
    for (const part of ['fleet', 'mqtt.url', 'buses[0].port', 'did you mean "main"?', 'did you mean "eastron/sdm630"?'])
      expect(said).toContain(part);
    expect(said).not.toMatch(/\n\s+at /);
  });

  test('a taken port: who has it, and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const config = file(
      'taken.yaml',
      `fleet: pamir\ndataFolder: ${folder}/taken\nhttp: { port: ${port} }\nbrokerPort: 0\n`,
    );
    const server = run(['server', '--config', config]);
    expect(await server.ended).toBe(1);
    expect(server.output()).toMatch(/^oftob: HTTP_PORT_TAKEN: .*another.*$/m);
    expect(server.output()).toContain(String(port));
    await new Promise((resolve) => other.close(resolve));
  });

  test('an address that others could reach is refused', async () => {
    const config = file('open.yaml', `fleet: pamir\ndataFolder: ${folder}/open\nhttp: { host: 0.0.0.0, port: 0 }\n`);
    const server = run(['server', '--config', config]);
    expect(await server.ended).toBe(1);
    expect(server.output()).toMatch(ONE_LINE);
    expect(server.output()).toContain('127.0.0.1');
  });

  test('an unreachable broker and database: said in a line each, and tried again', async () => {
    const config = file(
      'alone.yaml',
      `fleet: pamir\ndataFolder: ${folder}/alone\nhttp: { port: 0 }\nbroker: { url: mqtt://127.0.0.1:1 }\nstore: { url: influx://127.0.0.1:1/none }\nposts: [{ id: langar }]\n`,
    );
    const server = await startServer(config);
    await server.process.until(/INGEST_BROKER_UNREACHABLE/);
    await server.process.until(/STORE_UNAVAILABLE/);
    expect(await get<HealthResponse>(`${server.url}/api/v1/health`)).toMatchObject({
      broker: 'disconnected',
      store: 'failing',
    });
    expect(server.process.output()).not.toMatch(/\n\s+at /);
    expect(await server.process.stop('SIGINT')).toBe(0);
  });

  test('no command, an unknown one, a missing file', async () => {
    for (const [args, part] of [
      [[], 'Usage'],
      [['serve'], 'there is no command "serve"'],
      [['gateway', '--config', '/nowhere.yaml'], 'cannot read /nowhere.yaml'],
      [['demo', '--prot', '1'], '--prot'],
    ] as const) {
      const process = run(args);
      expect(await process.ended).toBe(1);
      expect(process.output()).toContain(part);
      expect(process.output()).not.toMatch(/\n\s+at /);
    }
  });

  test('the package’s own scripts are those that the README tells', () => {
    const { bin } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      bin: Record<string, string>;
    };
    expect(bin).toEqual({ oftob: 'dist/cli/oftob.js' });
  });
});
