// The server's part of the drill: the real ingest with its registry and the embedded store, each of which can be killed.
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { encodeJson } from '#contract/session.js';
import { serverTopic } from '#contract/topic.js';
import type { Random } from '#domain/clock.js';
import { IngestEngine } from '#server/ingest/ingest-engine.js';
import { DEFAULT_LIMITS } from '#server/ingest/limits.js';
import type { Point, Store } from '#server/ports.js';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { databasePath } from '#server/store/sqlite.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { FaultyStore } from './faulty-store.js';
import type { VirtualBroker } from './virtual-broker.js';
import { type VirtualTime, wholeMs } from './virtual-time.js';

export interface ServerParts {
  readonly fleet: string;
  readonly time: VirtualTime;
  readonly broker: VirtualBroker;
  readonly random: Random;
  readonly folder: string;
  /** Changes the store beneath the ingest: for the drill's own test. */
  readonly spoilStore?: ((store: Store) => void) | undefined;
}

interface Running {
  readonly engine: IngestEngine;
  readonly session: string;
  readonly close: () => void;
}

/** As large as the server's own, which is then left as it is. */
const RESERVE_BYTES = 16 * 1024 * 1024;

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
/** A broker tells the posts so soon that a killed server's connection is gone. */
const WILL_MS_MAX = 45_000;

export class DrillServer {
  readonly store: FaultyStore;
  readonly #parts: ServerParts;
  #sessions = 0;
  #running: Running | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    mkdirSync(parts.folder, { recursive: true });
    for (const name of ['telemetry', 'registry']) holdNothing(`${databasePath(parts.folder, name)}.reserve`);
    const store = openEmbeddedStoreHere({ folder: parts.folder });
    if (!store.ok) throw new Error(store.fault.message);
    parts.spoilStore?.(store.value);
    this.store = new FaultyStore(store.value, parts.time, parts.random);
  }

  /** Does nothing where it runs. */
  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    const { fleet, time, broker, folder } = this.#parts;
    const registry = createSqliteRegistry({ folder });
    if (!registry.ok) throw new Error(registry.fault.message);
    this.#sessions += 1;
    const session = `session-${this.#sessions}`;
    const timers = wholeMs(time);
    let isAlive = true;
    const engine = new IngestEngine({
      fleet,
      store: this.store.forLife(() => isAlive),
      registry: registry.value,
      dataFolder: folder,
      clock: time,
      scheduler: { after: (delayMs, task) => timers.after(delayMs, () => isAlive && task()) },
      log: quiet,
      limits: DEFAULT_LIMITS,
      send: (topic, payload) => isAlive && broker.publishFromServer(topic, payload, { qos: 0, retain: false }),
    });
    await engine.load();
    const hear = (topic: string, payload: Buffer, retained: boolean): void => {
      if (isAlive) engine.receive(topic, payload, retained);
    };
    broker.attachServer(hear, { lost: () => engine.brokerLost(), back: () => this.#announce(session, true) });
    this.#announce(session, true);
    const close = (): void => {
      isAlive = false;
      registry.value.close();
    };
    this.#running = { engine, session, close };
  }

  /** Ends as `kill -9` does. Its will comes when the broker notices. */
  kill(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const { broker, time, random } = this.#parts;
    broker.detachServer();
    running.close();
    time.after(random() * WILL_MS_MAX, () => {
      // A server that is back takes the old connection over, and its will with it.
      if (this.#running === undefined) this.#announce(running.session, false);
    });
  }

  #announce(session: string, online: boolean): void {
    const { broker, fleet, time } = this.#parts;
    const message = encodeJson({ session, online, time: time.now() });
    broker.publishFromServer(serverTopic(fleet), message, { qos: 1, retain: true });
  }

  counters(): Readonly<Record<string, number>> {
    return this.#running?.engine.counters() ?? {};
  }

  /** Every point that the store has of these series. */
  async points(post: string, series: Iterable<readonly [device: string, metric: string]>): Promise<Point[]> {
    const points: Point[] = [];
    for (const [device, metric] of series) {
      const read = await this.store.inner.read({ post, device, metric }, 0, Number.MAX_SAFE_INTEGER);
      if (!read.ok) throw new Error(read.fault.message);
      for (const point of read.value) points.push(point);
    }
    return points;
  }

  async stop(): Promise<void> {
    await this.#running?.engine.stop();
    this.#running?.close();
    this.#running = undefined;
    await this.store.inner.close();
  }
}

/** A reserve that takes no space: no disk runs full here, and writing two of them for each drill would take the most of its time. */
function holdNothing(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, RESERVE_BYTES);
}
