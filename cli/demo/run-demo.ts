// The demo's parts, started in order and stopped in the opposite one. Live first: three posts are on the screen at once, and
// the day before now arrives behind them through the same gateway code, sockets and wire.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import { loadCatalog } from '#profiles/catalog.js';
import { parseServerConfig } from '#server/config.js';
import { startServer } from '#server/server.js';
import { postFactsOf } from '#simulators/scenarios/post-facts.js';
import { loadScenario } from '#simulators/scenarios/scenario.js';
import { createSimulation, type PostSimulation } from '#simulators/simulation.js';
import { type CommandFault, fault } from '../command.js';
import { serverParts } from '../server-parts.js';
import { repeat } from '../system.js';
import { resizeScenario, serverYaml } from './fleet-of.js';
import { createPlayground } from './panel/playground.js';
import { type DemoPost, openPost } from './post.js';

export interface DemoOptions {
  /** Default: `demo`. */
  readonly scenario?: string;
  /** Default: as many as the scenario has. */
  readonly posts?: number;
  readonly port: number;
  readonly store: string;
  readonly broker: string;
  /** Kept after the demo; without one the data goes with it. */
  readonly dataFolder?: string;
}

export interface DemoDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Parameters<typeof startServer>[1]['log'];
  /** Tests: how much of the past is driven through the gateways. */
  readonly historyMs?: number;
}

export interface RunningDemo {
  readonly url: string;
  /** Resolves when the past has been read at every post; its data may still be on its way. */
  readonly historyRead: Promise<void>;
  stop(): Promise<void>;
}

/** The past that arrives behind the live values: a day, and what a chart of a day shows before it, beginning with a whole bucket. */
const HISTORY_MS = 24.5 * 3_600_000;
export const HISTORY_STEP_MS = 60_000;
/** The world moves on in steps of this. */
const WORLD_STEP_MS = 1000;

export async function startDemo(options: DemoOptions, deps: DemoDeps): Promise<Result<RunningDemo, CommandFault>> {
  if (options.dataFolder !== undefined && existsSync(join(options.dataFolder, 'server')))
    return fault(
      'DEMO_DATA_USED',
      `${options.dataFolder} holds an earlier demo, whose world cannot be taken up again. Choose another folder, or delete it`,
    );
  const loaded = loadScenario(options.scenario ?? 'demo');
  if (!loaded.ok) {
    const [first] = loaded.fault;
    return fault(first?.code ?? 'SCENARIO_INVALID', loaded.fault.map(({ message }) => message).join('; '));
  }
  const scenario = resizeScenario(loaded.value, options.posts ?? loaded.value.posts.length);
  const { profiles: catalog } = loadCatalog();
  const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), `oftob-demo-${process.pid}-`));
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
    closers.length = 0;
  };
  if (options.dataFolder === undefined) closers.push(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });

  const config = parseServerConfig(
    serverYaml({
      dataFolder: join(folder, 'server'),
      port: options.port,
      broker: options.broker,
      store: options.store,
      posts: scenario.posts.map((post) => postFactsOf(post, (id) => catalog.get(id)?.profile.kind)),
    }),
  );
  if (!config.ok) {
    await stop();
    return failed({
      code: 'CONFIG_FAULTY',
      message: config.fault.map(({ path, message }) => `${path}: ${message}`).join('; '),
    });
  }
  const worlds = new Map<string, PostSimulation>();
  const playground = createPlayground({ worlds, clock: deps.clock });
  const server = await startServer(config.value, { ...deps, ...serverParts(), playground });
  if (!server.ok) {
    await stop();
    return server;
  }
  closers.push(() => server.value.stop());

  const liveAt = Math.floor(deps.clock.now() / HISTORY_STEP_MS) * HISTORY_STEP_MS;
  const startAt = liveAt - (deps.historyMs ?? HISTORY_MS);
  const course = { startAt, faultsFrom: deps.clock.now(), catalog };
  const live = createSimulation(scenario, course);
  const past = createSimulation(scenario, course);
  for (let at = startAt; at <= liveAt; at += HISTORY_STEP_MS) live.stepTo(at);

  const posts: DemoPost[] = [];
  for (const post of scenario.posts) {
    const worldNow = live.posts.get(post.id);
    const worldThen = past.posts.get(post.id);
    if (worldNow === undefined || worldThen === undefined) throw new Error(`the simulation lacks post "${post.id}"`);
    const opened = await openPost(post, {
      live: worldNow,
      past: worldThen,
      folder: join(folder, 'gateways', post.id),
      mqttUrl: server.value.mqttUrl,
      catalog,
      ...deps,
    });
    if (!opened.ok) {
      await stop();
      return opened;
    }
    posts.push(opened.value);
    closers.push(() => opened.value.close());
  }
  const step = (): void => {
    live.stepTo(deps.clock.now());
    for (const post of posts) void post.suffer();
  };
  closers.push(repeat(deps.scheduler, WORLD_STEP_MS, step));
  for (const [id, world] of live.posts) worlds.set(id, world);
  for (const post of posts) post.start();
  const historyRead = Promise.all(posts.map((post) => post.readPast(startAt, liveAt, HISTORY_STEP_MS))).then(
    () => undefined,
  );
  return ok({ url: server.value.url, historyRead, stop });
}
