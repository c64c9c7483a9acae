// A post, its broker and its server on virtual time, with every message between them counted and priced.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualBroker } from '#cli/drill/virtual-broker.js';
import { encodeJson } from '#contract/session.js';
import { parsePostTopic, postTopic, serverTopic } from '#contract/topic.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { createGateway, type Gateway } from '#gateway/gateway.js';
import type { RecordDraft } from '#gateway/outbox/outbox.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import type { Bus } from '#gateway/ports.js';
import type { OpenLink } from '#gateway/uplink/link.js';
import {
  aloneBytes,
  CONNECT_WIRE_BYTES,
  exchangeBytes,
  PING_BYTES,
  PUBACK_BYTES,
  publishBytes,
} from '#gateway/uplink/wire-bytes.js';
import { loadCatalog } from '#profiles/catalog.js';
import { IngestEngine } from '#server/ingest/ingest-engine.js';
import { DEFAULT_LIMITS } from '#server/ingest/limits.js';
import type { Store } from '#server/ports.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { createSimulation, type PostSimulation } from '#simulators/simulation.js';
import { resumeRandom } from '#simulators/world/random.js';
import { directBus } from '#tests/support/direct-bus.js';
import { risingNumber } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { configOf, FLEET, scenarioOf, type WirePost } from './posts.js';

const KEEPALIVE_MS = 90_000;
/** How the server asks for attention while a page is open. */
const ATTEND_S = 120;
const ATTEND_AGAIN_MS = 90_000;
/** A read of some tens of registers at 9,600 baud. */
const ANSWER_MS = 60;
const ANSWER_SPREAD_MS = 60;
const LATE_MS = 2;
const { profiles: catalog } = loadCatalog();
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export interface Kind {
  messages: number;
  /** Payloads of MQTT alone. */
  payloadBytes: number;
  wireBytes: number;
}

export interface Tally {
  readonly kinds: Map<string, Kind>;
  /** Readings of the devices, without what the gateway says by itself. */
  polled: number;
  samples: number;
}

export interface VirtualPostOptions {
  readonly post: WirePost;
  readonly full: boolean;
  readonly startAt: number;
  /** Sees every message as it goes, and every record. */
  readonly hear?: (topic: string, payload: Uint8Array, up: boolean) => void;
  readonly record?: (draft: RecordDraft) => void;
}

export class VirtualPost {
  readonly time: VirtualTime;
  readonly tally: Tally = { kinds: new Map(), polled: 0, samples: 0 };
  /** Samples by metric, to see which ones cost. */
  readonly samplesOf = new Map<string, number>();
  readonly #options: VirtualPostOptions;
  readonly #broker: VirtualBroker;
  readonly #world: PostSimulation;
  readonly #folder = mkdtempSync(join(tmpdir(), 'oftob-wire-'));
  readonly #gateway: Gateway;
  readonly #engine: IngestEngine;
  readonly #close: () => void;
  #attended = false;
  #attendAt = 0;
  #sentAt = 0;

  constructor(options: VirtualPostOptions) {
    this.#options = options;
    this.time = new VirtualTime(options.startAt);
    const random = resumeRandom(11).next;
    this.#broker = new VirtualBroker(this.time, random);
    const world = createSimulation(scenarioOf(options.post), { startAt: options.startAt, catalog }).posts.get(
      options.post.id,
    );
    if (world === undefined) throw new Error('no world');
    this.#world = world;
    const registry = createSqliteRegistry({ folder: this.#folder });
    if (!registry.ok) throw new Error(registry.fault.message);
    this.#close = () => registry.value.close();
    this.#engine = new IngestEngine({
      fleet: FLEET,
      store: forgetfulStore,
      registry: registry.value,
      dataFolder: this.#folder,
      clock: this.time,
      scheduler: this.time,
      log: quiet,
      limits: DEFAULT_LIMITS,
      send: (topic, payload) => this.#broker.publishFromServer(topic, payload, { qos: 0, retain: false }),
    });
    this.#broker.attachServer((topic, payload, retained) => this.#engine.receive(topic, payload, retained));
    const online = encodeJson({ session: 'session-of-wire', online: true, time: options.startAt });
    this.#broker.publishFromServer(serverTopic(FLEET), online, { qos: 1, retain: true });
    this.#gateway = this.#openGateway(random);
    this.#gateway.start();
  }

  #openGateway(random: () => number): Gateway {
    const config = parseGatewayConfig(
      configOf(this.#options.post, { dataFolder: this.#folder, full: this.#options.full }),
      catalog,
    );
    if (!config.ok) throw new Error(JSON.stringify(config.fault));
    const opened = openSqliteOutbox({ file: join(this.#folder, 'outbox.sqlite'), reserveBytes: 0 });
    if (!opened.ok) throw new Error(opened.fault.message);
    const outbox = opened.value;
    const append = outbox.append.bind(outbox);
    outbox.append = (drafts) => {
      for (const draft of drafts) {
        this.#options.record?.(draft);
        for (const { device, metric } of draft.samples) this.#count(`${device}/${metric}`);
      }
      return append(drafts);
    };
    const reader = createPostReader(config.value, {
      buses: new Map([['main', this.#busAtWork(random)]]),
      catalog,
      clock: this.time,
      scheduler: this.time,
    });
    const pollOnce = reader.pollOnce.bind(reader);
    return createGateway({
      config: config.value,
      profiles: catalog,
      reader: {
        pollOnce: async (at) => {
          const results = await pollOnce(at);
          for (const { readings } of results)
            this.tally.polled += readings.filter(({ metric }) => !metric.startsWith('poll.')).length;
          return results;
        },
        nextDueAt: (at) => reader.nextDueAt(at),
        close: () => reader.close(),
      },
      outbox,
      // As long as the real ones.
      identity: { publicKey: 'k'.repeat(60), births: risingNumber(), connections: risingNumber() },
      openLink: this.#link,
      clock: this.time,
      // Timers come late by a millisecond or two, and the times of the samples with them.
      scheduler: { after: (delayMs, task) => this.time.after(delayMs + random() * LATE_MS, task) },
      random,
      log: quiet,
      version: '0.1.0',
      memoryBytes: () => 90e6 + Math.round(random() * 3e6),
    });
  }

  /** A serial line takes its time: without it all samples of a poll would have one time, which packs too well. */
  #busAtWork(random: () => number): Bus {
    const bus = directBus(this.#world, 'main');
    return {
      read: async (request) => {
        await new Promise<void>((resolve) => this.time.after(ANSWER_MS + random() * ANSWER_SPREAD_MS, resolve));
        return bus.read(request);
      },
      close: () => bus.close(),
    };
  }

  #count(metric: string): void {
    this.tally.samples += 1;
    this.samplesOf.set(metric, (this.samplesOf.get(metric) ?? 0) + 1);
  }

  readonly #link: OpenLink = (options) => {
    const { connected, message, closed } = options.handlers;
    const link = this.#broker.open({
      ...options,
      handlers: {
        connected: () => {
          this.#price('connect', 0, CONNECT_WIRE_BYTES);
          this.#sentAt = this.time.monotonic();
          connected();
        },
        message: (topic, payload, retained) => {
          this.#down(topic, payload);
          message(topic, payload, retained);
        },
        closed,
      },
    });
    const publish = link.publish.bind(link);
    link.publish = (topic, payload, how) => {
      const sent = publish(topic, payload, how);
      if (sent) this.#up(topic, payload, how.qos);
      return sent;
    };
    return link;
  };

  #up(topic: string, payload: Uint8Array, qos: 0 | 1): void {
    const now = this.time.monotonic();
    for (let pings = Math.floor((now - this.#sentAt) / KEEPALIVE_MS); pings > 0; pings -= 1)
      this.#price('ping', 0, exchangeBytes(PING_BYTES, PING_BYTES));
    this.#sentAt = now;
    const channel = parsePostTopic(topic)?.channel ?? 'server';
    const kind = channel === 'data' && this.#attended ? 'data, attended' : channel;
    const bytes = publishBytes(topic, payload.length, qos);
    this.#price(kind, payload.length, qos === 0 ? aloneBytes(bytes) : exchangeBytes(bytes, PUBACK_BYTES));
    this.#options.hear?.(topic, payload, true);
  }

  #down(topic: string, payload: Uint8Array): void {
    const channel = parsePostTopic(topic)?.channel ?? 'server';
    const kind = channel === 'receipt' && this.#attended ? 'receipt, attended' : channel;
    const qos = channel === 'server' ? 1 : 0;
    const bytes = publishBytes(topic, payload.length, qos);
    this.#price(kind, payload.length, qos === 0 ? aloneBytes(bytes) : exchangeBytes(bytes, PUBACK_BYTES));
    this.#options.hear?.(topic, payload, false);
  }

  #price(name: string, payloadBytes: number, wireBytes: number): void {
    const kind = this.tally.kinds.get(name) ?? { messages: 0, payloadBytes: 0, wireBytes: 0 };
    this.tally.kinds.set(name, kind);
    kind.messages += 1;
    kind.payloadBytes += payloadBytes;
    kind.wireBytes += wireBytes;
  }

  /** Lets the post live for a while. `attended`: somebody has its page open. */
  async live(ms: number, attended = false): Promise<void> {
    const until = this.time.now() + ms;
    this.#attended = attended;
    while (this.time.now() < until) {
      if (attended && this.time.now() >= this.#attendAt) {
        this.#attendAt = this.time.now() + ATTEND_AGAIN_MS;
        const message = encodeJson({ forS: ATTEND_S });
        const topic = postTopic(FLEET, this.#options.post.id, 'attention');
        this.#broker.publishFromServer(topic, message, { qos: 0, retain: false });
      }
      this.#world.stepTo(this.time.now());
      await this.time.advance(Math.min(5000, until - this.time.now()));
    }
  }

  cutLink(isCut: boolean): void {
    this.#broker.faults.isCut = isCut;
    if (isCut) this.#broker.cutAll();
  }

  get waiting(): number {
    return this.#gateway.status().outbox.pendingRecords;
  }

  async close(): Promise<void> {
    const stopped = this.#gateway.stop();
    // A poll may wait for its bus.
    await this.time.advance(60_000);
    await stopped;
    await this.#engine.stop();
    this.#close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Confirms at once what a store would have kept. */
export const forgetfulStore: Store = {
  write: async () => ({ ok: true, value: [] }),
  read: async () => ({ ok: true, value: [] }),
  lastBefore: async () => ({ ok: true, value: undefined }),
  latest: async () => ({ ok: true, value: [] }),
  rollUp: async () => ({ ok: true, value: [] }),
  close: async () => undefined,
};
