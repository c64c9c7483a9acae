import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf } from '#domain/quality.js';
import type { Store } from '#server/ports.js';
import { createInfluxStore } from '#server/store/influx-store.js';
import { resumeRandom } from '#simulators/world/random.js';
import { KEEPING, type RunningInflux, startInflux } from '../support/influx.js';
import { type RunningMosquitto, startMosquitto } from '../support/mosquitto.js';
import { type RunningProcess, startOftob } from '../support/processes.js';
import { ProcessPost } from './process-post.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const SEEDS = 10;
const FLEETS = ['north', 'south'] as const;
/** How long things go wrong. */
const DRILL_MS = 25 * SECOND;
/** Of what a store can be asked for. */
const FAR_FUTURE = Date.UTC(2100, 0);
/** Polls are a second apart; a machine with much to do is late. */
const HOLE_MS = 5 * SECOND;

const folder = mkdtempSync(join(tmpdir(), 'oftob-process-drill-'));
const posts: ProcessPost[] = [];
const servers = new Map<string, RunningProcess>();
let simulator: RunningProcess | undefined;
let influx: RunningInflux;
let mosquitto: RunningMosquitto;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  [influx, mosquitto] = await Promise.all([startInflux(), startMosquitto({ persistence: true })]);
}, MINUTE);

afterAll(async () => {
  influx?.thaw();
  mosquitto?.thaw();
  await Promise.all([...posts.map((post) => post.kill()), ...[...servers.values()].map((one) => one.stop('SIGKILL'))]);
  await simulator?.stop('SIGKILL');
  await Promise.all([influx?.stop(), mosquitto?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const DEVICES = [
  { id: 'meter', profile: 'eastron/sdm630', unit: 1, role: 'load' },
  { id: 'tank', profile: 'generic/qdy30a', unit: 5 },
] as const;

async function startSimulator(): Promise<Map<string, string>> {
  const ids = Array.from({ length: SEEDS }, (_, seed) => `post-${seed}`);
  const scenario = {
    name: 'drill',
    summary: 'A post for each seed',
    seed: 7,
    posts: ids.map((id) => ({ id, name: id, devices: DEVICES })),
  };
  simulator = startOftob([
    'simulate',
    '--config',
    file('scenario.json', JSON.stringify(scenario)),
    '--port',
    '0',
    '--patient',
  ]);
  await simulator.until(/Ctrl-C/, MINUTE);
  const ports = [...simulator.output().matchAll(/^(post-\d+)\/main {2}127\.0\.0\.1:(\d+)/gm)];
  return new Map(ports.map(([, id = '', port = '']) => [id, port]));
}

function postOf(seed: number, port: string): ProcessPost {
  const id = `post-${seed}`;
  const fleet = FLEETS[seed % FLEETS.length];
  const data = join(folder, id);
  const config = [
    `fleet: ${fleet}`,
    `post: ${id}`,
    `dataFolder: ${data}`,
    `mqtt: { url: ${mosquitto.url} }`,
    'batchPeriodS: 2',
    'full: true',
    `buses: [{ id: main, type: tcp, host: 127.0.0.1, port: ${port} }]`,
    'devices:',
    ...DEVICES.map((device) => `  - ${JSON.stringify({ ...device, bus: 'main', pollPeriodS: 1, pauseMs: 0 })}`),
  ];
  return new ProcessPost(id, data, file(`${id}.yaml`, config.join('\n')));
}

async function startServer(fleet: string): Promise<void> {
  const config = file(
    `${fleet}.yaml`,
    `fleet: ${fleet}\ndataFolder: ${folder}/${fleet}\nhttp: { port: 0 }\nbroker: { url: ${mosquitto.url} }\nstore: { url: influx://127.0.0.1:${influx.port}/${fleet} }\n`,
  );
  const server = startOftob(['server', '--config', config]);
  servers.set(fleet, server);
  await server.until(/server is at/, 2 * MINUTE);
}

/** One thing goes wrong for so long, and is mended. */
type Trouble = (forMs: number) => Promise<void>;

const during =
  (begin: () => unknown, end: () => unknown): Trouble =>
  async (forMs) => {
    await begin();
    await pause(forMs);
    await end();
  };

/** Runs troubles one after the other, in an order and for times of the seed's own, until the time is over. */
async function trouble(seed: number, troubles: readonly Trouble[], until: number): Promise<void> {
  const { between } = resumeRandom(seed * 2_654_435_761);
  for (;;) {
    await pause(between(1, 6) * SECOND);
    if (Date.now() > until) return;
    await troubles[Math.floor(between(0, troubles.length))]?.(between(0.2, 5) * SECOND);
  }
}

function troublesOfAll(until: number): Promise<void>[] {
  return [
    ...posts.map((post, seed) =>
      trouble(
        seed + 1,
        [
          during(
            () => post.kill(),
            () => post.start(),
          ),
          during(
            () => post.freeze(),
            () => post.thaw(),
          ),
        ],
        until,
      ),
    ),
    ...FLEETS.map((fleet, place) =>
      trouble(
        100 + place,
        [
          during(
            () => servers.get(fleet)?.stop('SIGKILL'),
            () => startServer(fleet),
          ),
          during(
            () => servers.get(fleet)?.child.kill('SIGSTOP'),
            () => servers.get(fleet)?.child.kill('SIGCONT'),
          ),
        ],
        until,
      ),
    ),
    trouble(
      200,
      [
        during(
          () => mosquitto.kill(),
          () => mosquitto.restart(),
        ),
        during(
          () => mosquitto.freeze(),
          () => mosquitto.thaw(),
        ),
      ],
      until,
    ),
    trouble(
      300,
      [
        during(
          () => influx.kill(),
          () => influx.restart(),
        ),
        during(
          () => influx.freeze(),
          () => influx.thaw(),
        ),
      ],
      until,
    ),
  ];
}

type Names = Map<string, string>;

/** What a post recorded: name of each sample, and what must come through unchanged. */
function recordedBy(post: ProcessPost): Names {
  return new Map(
    post
      .samples()
      .map(({ device, metric, at, value, reason }) => [
        `${device}/${metric}/${at}`,
        JSON.stringify([value, codeOf(reason)]),
      ]),
  );
}

async function storedOf(store: Store, post: string, recorded: Names): Promise<Names> {
  const stored: Names = new Map();
  const series = new Set([...recorded.keys()].map((name) => name.slice(0, name.lastIndexOf('/'))));
  for (const name of series) {
    const [device = '', metric = ''] = name.split('/');
    const points = await store.read({ post, device, metric }, 0, FAR_FUTURE);
    if (!points.ok) throw new Error(points.fault.message);
    for (const { at, value, code } of points.value) stored.set(`${name}/${at}`, JSON.stringify([value, code]));
  }
  return stored;
}

const timeOf = (name: string): number => Number(name.slice(name.lastIndexOf('/') + 1));

/** Missing, altered and doubled samples, none of them younger than what the outbox was read at. */
function differences(recorded: Names, stored: Names): { missing: string[]; altered: string[]; foreign: string[] } {
  const newest = Math.max(...[...recorded.keys()].map(timeOf));
  return {
    missing: [...recorded.keys()].filter((name) => !stored.has(name)),
    altered: [...recorded].flatMap(([name, sample]) =>
      stored.has(name) && stored.get(name) !== sample ? [`${name}: ${sample} is ${stored.get(name)}`] : [],
    ),
    foreign: [...stored.keys()].filter((name) => timeOf(name) <= newest && !recorded.has(name)),
  };
}

/** Spans without a poll that the gateway itself was there for. */
function holesOf(post: ProcessPost, recorded: Names): string[] {
  return DEVICES.flatMap(({ id }) => {
    const times = [...recorded.keys()]
      .filter((name) => name.startsWith(`${id}/poll.state/`))
      .map(timeOf)
      .sort((a, b) => a - b);
    return times.slice(1).flatMap((at, i) => {
      const before = times[i] ?? at;
      const isExcused = post.absences.some(({ from, to }) => from < at && to > before);
      return at - before > HOLE_MS && !isExcused ? [`${post.id}/${id}: ${at - before} ms before ${at}`] : [];
    });
  });
}

test('ten posts whose gateways, servers, broker and database are killed and frozen by seeds have every sample in InfluxDB, once, unchanged', {
  timeout: 3 * MINUTE,
}, async () => {
  const ports = await startSimulator();
  for (let seed = 0; seed < SEEDS; seed += 1) posts.push(postOf(seed, ports.get(`post-${seed}`) ?? ''));
  await Promise.all([...FLEETS.map(startServer), ...posts.map((post) => post.start())]);
  await Promise.all(troublesOfAll(Date.now() + DRILL_MS));

  // The last death: what the outboxes hold now must be in the database in the end.
  await Promise.all(posts.map((post) => post.kill()));
  const recorded = posts.map(recordedBy);
  await Promise.all(posts.map((post) => post.start()));

  const stores = new Map(
    FLEETS.map((fleet) => [fleet as string, createInfluxStore({ url: influx.url, database: fleet, keeping: KEEPING })]),
  );
  const deadline = Date.now() + MINUTE;
  for (const [seed, post] of posts.entries()) {
    const store = stores.get(FLEETS[seed % FLEETS.length] ?? '') as Store;
    const own = recorded[seed] as Names;
    expect(own.size).toBeGreaterThan(500);
    let found = differences(own, await storedOf(store, post.id, own));
    while (found.missing.length > 0 && Date.now() < deadline) {
      await pause(SECOND);
      found = differences(own, await storedOf(store, post.id, own));
    }
    const few = (list: string[]): string[] => list.slice(0, 5);
    expect([few(found.missing), few(found.altered), few(found.foreign)], `${post.id}\n${post.output()}`).toEqual([
      [],
      [],
      [],
    ]);
    expect(holesOf(post, own)).toEqual([]);
  }
  await Promise.all([...stores.values()].map((store) => store.close()));
});
