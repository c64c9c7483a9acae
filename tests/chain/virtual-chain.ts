// Simulated post, gateway, outbox on disk, broker, ingest and store in one process, on virtual time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualBroker } from '#cli/drill/virtual-broker.js';
import { encodeJson } from '#contract/session.js';
import { serverTopic } from '#contract/topic.js';
import type { Random } from '#domain/clock.js';
import { codeOf } from '#domain/quality.js';
import { type GatewayConfig, parseGatewayConfig } from '#gateway/config.js';
import { createGateway, type Gateway } from '#gateway/gateway.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import { loadCatalog } from '#profiles/catalog.js';
import { IngestEngine } from '#server/ingest/ingest-engine.js';
import { DEFAULT_LIMITS } from '#server/ingest/limits.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { parseScenario } from '#simulators/scenarios/scenario.js';
import { createSimulation, type PostSimulation } from '#simulators/simulation.js';
import { resumeRandom } from '#simulators/world/random.js';
import { directBus } from '../support/direct-bus.js';
import { createMemoryStore } from '../support/memory-store.js';
import { risingNumber } from '../support/test-post.js';
import { VirtualTime } from '../support/virtual-time.js';

const FLEET = 'pamir';
const POST = 'langar';
const START = Date.UTC(2026, 0, 15, 7);
const { profiles: catalog } = loadCatalog();
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** Name of a sample, and everything about it that must come through unchanged. */
export type Samples = Map<string, string>;

export class VirtualChain {
  readonly time = new VirtualTime(START);
  readonly random: Random;
  readonly broker: VirtualBroker;
  readonly store = createMemoryStore();
  /** What the gateways recorded, as the store must have it in the end. */
  readonly recorded: Samples = new Map();
  readonly #folder = mkdtempSync(join(tmpdir(), 'oftob-chain-'));
  readonly #world: PostSimulation;
  readonly #config: GatewayConfig;
  readonly #births = risingNumber();
  readonly #connections = risingNumber();
  #engine: IngestEngine | undefined;
  #sessions = 0;
  #gateway: { readonly gateway: Gateway; readonly kill: () => void } | undefined;

  constructor(seed: number, options: { readonly full: boolean }) {
    this.random = resumeRandom(seed).next;
    this.broker = new VirtualBroker(this.time, this.random);
    const scenario = parseScenario({
      name: 'chain',
      summary: 'A meter and a tank',
      seed,
      posts: [
        {
          id: POST,
          name: 'Langar',
          devices: [
            { id: 'meter', profile: 'eastron/sdm630', unit: 1, role: 'load' },
            { id: 'tank', profile: 'generic/qdy30a', unit: 2 },
          ],
        },
      ],
    });
    if (!scenario.ok) throw new Error(JSON.stringify(scenario.fault));
    const world = createSimulation(scenario.value, { startAt: START, catalog }).posts.get(POST);
    if (world === undefined) throw new Error('the scenario lost its post');
    this.#world = world;
    const config = parseGatewayConfig(
      [
        `fleet: ${FLEET}`,
        `post: ${POST}`,
        `dataFolder: ${this.#folder}`,
        `full: ${options.full}`,
        'mqtt: { url: mqtt://127.0.0.1 }',
        'buses: [{ id: main, type: tcp, host: 127.0.0.1, port: 502 }]',
        'devices:',
        '  - { id: meter, bus: main, profile: eastron/sdm630, unit: 1, role: load, pauseMs: 0 }',
        '  - { id: tank, bus: main, profile: generic/qdy30a, unit: 2, pauseMs: 0 }',
      ].join('\n'),
      catalog,
    );
    if (!config.ok) throw new Error(JSON.stringify(config.fault));
    this.#config = config.value;
  }

  startGateway(): void {
    const opened = openSqliteOutbox({ file: join(this.#folder, 'outbox.sqlite'), reserveBytes: 0 });
    if (!opened.ok) throw new Error(opened.fault.message);
    const outbox = opened.value;
    let isAlive = true;
    const append = outbox.append.bind(outbox);
    outbox.append = (drafts) => {
      const stored = append(drafts);
      if (stored.ok)
        for (const { samples } of drafts)
          for (const { device, metric, at, value, reason } of samples)
            this.recorded.set(`${device}/${metric}/${at}`, JSON.stringify([value, codeOf(reason)]));
      return stored;
    };
    const reader = createPostReader(this.#config, {
      buses: new Map([['main', directBus(this.#world, 'main')]]),
      catalog,
      clock: this.time,
      scheduler: this.time,
    });
    const gateway = createGateway({
      config: this.#config,
      profiles: catalog,
      reader,
      outbox,
      identity: { publicKey: 'none', births: this.#births, connections: this.#connections },
      openLink: (link) => {
        const { connected, message, closed } = link.handlers;
        return this.broker.open({
          ...link,
          handlers: {
            connected: () => isAlive && connected(),
            message: (topic, payload, retained) => isAlive && message(topic, payload, retained),
            closed: (reason) => isAlive && closed(reason),
          },
        });
      },
      clock: this.time,
      // A killed process runs nothing more.
      scheduler: { after: (delayMs, task) => this.time.after(delayMs, () => isAlive && task()) },
      random: this.random,
      log: quiet,
      version: 'test',
      memoryBytes: () => 0,
    });
    gateway.start();
    const kill = (): void => {
      isAlive = false;
      this.broker.cutAll();
      outbox.close();
    };
    this.#gateway = { gateway, kill };
  }

  /** Ends the gateway as `kill -9` does, and starts another on the same outbox: a new epoch. */
  restartGateway(): void {
    this.#gateway?.kill();
    this.startGateway();
  }

  async startServer(): Promise<void> {
    const registry = createSqliteRegistry({ folder: this.#folder });
    if (!registry.ok) throw new Error(registry.fault.message);
    this.#sessions += 1;
    const session = `session-${this.#sessions}`;
    const engine = new IngestEngine({
      fleet: FLEET,
      store: this.store,
      registry: registry.value,
      dataFolder: this.#folder,
      clock: this.time,
      scheduler: this.time,
      log: quiet,
      limits: DEFAULT_LIMITS,
      send: (topic, payload) => this.broker.publishFromServer(topic, payload, { qos: 0, retain: false }),
    });
    await engine.load();
    this.broker.attachServer((topic, payload, retained) => engine.receive(topic, payload, retained));
    this.#announce(session, true);
    this.#engine = engine;
    this.#closeRegistry = () => registry.value.close();
  }

  #closeRegistry: () => void = () => {};

  /** The server is gone; its will says so. */
  stopServer(): void {
    this.broker.detachServer();
    this.#announce(`session-${this.#sessions}`, false);
    this.#closeRegistry();
    this.#engine = undefined;
  }

  #announce(session: string, online: boolean): void {
    const message = encodeJson({ session, online, time: this.time.now() });
    this.broker.publishFromServer(serverTopic(FLEET), message, { qos: 1, retain: true });
  }

  /** Lets the post live for a while, in steps of five seconds. */
  async live(ms: number): Promise<void> {
    const until = this.time.now() + ms;
    while (this.time.now() < until) {
      this.#world.stepTo(this.time.now());
      await this.time.advance(Math.min(5000, until - this.time.now()));
    }
  }

  status() {
    return this.#gateway?.gateway.status();
  }

  counters(): Readonly<Record<string, number>> {
    return this.#engine?.counters() ?? {};
  }

  /** The store's points in the form of {@link recorded}. */
  stored(): Samples {
    const samples: Samples = new Map();
    for (const { device, metric, at, value, code } of this.store.points.values())
      samples.set(`${device}/${metric}/${at}`, JSON.stringify([value, code]));
    return samples;
  }

  async close(): Promise<void> {
    await this.#gateway?.gateway.stop();
    await this.#engine?.stop();
    this.#closeRegistry();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
