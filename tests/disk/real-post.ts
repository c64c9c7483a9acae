// A simulated meter, a gateway that reads it each second and a server that stores it, as real processes on folders of the
// test's choice.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetResponse, HealthResponse } from '#contract/http.js';
import type { SeriesName, Store } from '#server/ports.js';
import { type RunningProcess, startOftob } from '../support/processes.js';

export const METER: SeriesName = { post: 'langar', device: 'meter', metric: 'load.power' };
const SECOND = 1000;

export interface RealPost {
  startServer(): Promise<void>;
  startGateway(): Promise<void>;
  readonly server: RunningProcess;
  readonly gateway: RunningProcess;
  health(): Promise<HealthResponse>;
  /** Time of the newest live value, epoch ms; 0 where there is none. */
  newestAt(): Promise<number>;
  /** Resolves once `look` gives something; fails with what the processes said. */
  until<T>(what: string, look: () => Promise<T | undefined | false>, withinMs?: number): Promise<T>;
  stop(): Promise<void>;
}

export interface RealPostFolders {
  /** For configurations. */
  readonly folder: string;
  readonly serverData: string;
  readonly gatewayData: string;
  /** `store:` of the server's configuration. */
  readonly store?: string;
  readonly mqttPort: number;
}

export async function startRealPost(at: RealPostFolders): Promise<RealPost> {
  const running = new Map<string, RunningProcess>();
  const start = (name: string, args: readonly string[]): RunningProcess => {
    const process = startOftob(args);
    running.set(name, process);
    return process;
  };
  const file = (name: string, text: string): string => {
    mkdirSync(at.folder, { recursive: true });
    writeFileSync(join(at.folder, name), text);
    return join(at.folder, name);
  };
  const processOf = (name: string): RunningProcess => {
    const process = running.get(name);
    if (process === undefined) throw new Error(`${name} was not started`);
    return process;
  };
  const device = { id: 'meter', profile: 'eastron/sdm630', unit: 1, role: 'load' };
  const scenario = {
    name: 'disk',
    summary: 'One post',
    seed: 5,
    posts: [{ id: 'langar', name: 'Langar', devices: [device] }],
  };
  const simulator = start('simulator', [
    'simulate',
    '--config',
    file('scenario.json', JSON.stringify(scenario)),
    '--port',
    '0',
    '--patient',
  ]);
  const [, host = '', port = ''] = await simulator.until(/langar\/main {2}(127\.0\.0\.1):(\d+)/);
  const serverConfig = file(
    'server.yaml',
    `fleet: pamir\ndataFolder: ${at.serverData}\nhttp: { port: 0 }\nbrokerPort: ${at.mqttPort}\n${at.store ?? ''}\nposts: [{ id: langar, name: Langar }]\n`,
  );
  const gatewayConfig = file(
    'gateway.yaml',
    `fleet: pamir\npost: langar\ndataFolder: ${at.gatewayData}\nmqtt: { url: mqtt://127.0.0.1:${at.mqttPort} }\nbatchPeriodS: 2\nfull: true\nbuses: [{ id: main, type: tcp, host: ${host}, port: ${port} }]\ndevices: [{ id: meter, bus: main, profile: eastron/sdm630, unit: 1, role: load, pollPeriodS: 1, pauseMs: 0 }]\n`,
  );
  let url = '';
  const get = async <T>(path: string): Promise<T> => (await fetch(`${url}/api/v1/${path}`)).json() as Promise<T>;
  return {
    get server() {
      return processOf('server');
    },
    get gateway() {
      return processOf('gateway');
    },
    async startServer() {
      [, url = ''] = await start('server', ['server', '--config', serverConfig]).until(/server is at (http:\S+)/);
    },
    async startGateway() {
      await start('gateway', ['gateway', '--config', gatewayConfig]).until(/gateway is running/);
    },
    health: () => get<HealthResponse>('health'),
    async newestAt() {
      const { posts } = await get<FleetResponse>('fleet');
      return posts[0]?.flows.loadPower?.at ?? 0;
    },
    async until(what, look, withinMs = 60 * SECOND) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const found = await look().catch(() => undefined);
        if (found !== undefined && found !== false) return found;
        if (Date.now() > deadline) {
          const said = [...running].map(([name, process]) => `--- ${name}\n${process.output()}`).join('\n');
          throw new Error(`not within ${withinMs} ms: ${what}\n${said}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async stop() {
      await Promise.all([...running.values()].map((process) => process.stop('SIGKILL')));
    },
  };
}

/** Where in [from, to] no value of the meter is stored for longer than 2.5 s; `undefined` while the store does not answer. */
export async function holesIn(
  store: Store,
  from: number,
  to: number,
): Promise<{ from: number; to: number }[] | undefined> {
  const points = await store.read(METER, from, to);
  if (!points.ok) return undefined;
  const times = [from, ...points.value.filter(({ value }) => value !== null).map(({ at }) => at), to];
  return times
    .slice(1)
    .map((end, i) => ({ from: times[i] ?? 0, to: end }))
    .filter((gap) => gap.to - gap.from > 2.5 * SECOND);
}
