// An ingest without a network on virtual time, and the gateways that speak to it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataSample, encodeData } from '#contract/data.js';
import { type Birth, encodeJson, type Receipt, receiptDoor } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import type { ServerEvent } from '#server/ingest/events.js';
import { IngestEngine } from '#server/ingest/ingest-engine.js';
import { DEFAULT_LIMITS, type IngestLimits } from '#server/ingest/limits.js';
import type { Registry } from '#server/ports.js';
import { createSqliteRegistry } from '#server/store/sqlite-registry.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { VirtualTime } from './virtual-time.js';

export const SCENE_START = Date.UTC(2026, 0, 15, 6);

/** What one start of a gateway says of itself. */
export interface SceneGateway {
  readonly key: string;
  readonly epoch: string;
  readonly start: number;
  /** Metrics in the order of their indexes. */
  readonly metrics?: readonly string[];
}

export class IngestScene {
  readonly folder = mkdtempSync(join(tmpdir(), 'oftob-scene-'));
  readonly time = new VirtualTime(SCENE_START);
  readonly store: MemoryStore = createMemoryStore();
  readonly registry: Registry;
  readonly sent: { post: string; receipt: Receipt }[] = [];
  readonly events: ServerEvent[] = [];
  readonly logged: Record<string, unknown>[] = [];
  engine: IngestEngine;

  constructor(limits: Partial<IngestLimits> = {}) {
    const opened = createSqliteRegistry({ folder: this.folder });
    if (!opened.ok) throw new Error(opened.fault.message);
    this.registry = opened.value;
    this.engine = this.#build(limits);
  }

  #build(limits: Partial<IngestLimits>): IngestEngine {
    const log = (fields: object): void => {
      this.logged.push({ ...fields });
    };
    const engine = new IngestEngine({
      fleet: 'pamir',
      store: this.store,
      registry: this.registry,
      dataFolder: this.folder,
      clock: this.time,
      scheduler: this.time,
      log: { info: log, warn: log, error: log },
      limits: { ...DEFAULT_LIMITS, ...limits },
      send: (topic, payload) => {
        const read = receiptDoor(JSON.parse(payload.toString('utf8')));
        if (!read.ok) throw new Error(`a receipt that no post would take: ${JSON.stringify(read.fault)}`);
        this.sent.push({ post: topic.split('/')[3] ?? '', receipt: read.value });
        return true;
      },
    });
    engine.subscribe((event) => this.events.push(event));
    return engine;
  }

  /** Another start of the server on the same registry and store. */
  async restart(limits: Partial<IngestLimits> = {}): Promise<void> {
    await this.engine.stop();
    this.engine = this.#build(limits);
    await this.engine.load();
  }

  async close(): Promise<void> {
    await this.engine.stop();
    this.registry.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  birth(gateway: SceneGateway, number: number, options: { post?: string; retained?: boolean } = {}): void {
    const message = encodeJson(sceneBirth(gateway, number));
    this.engine.receive(postTopic('pamir', options.post ?? 'langar', 'birth'), message, options.retained ?? false);
  }

  state(state: 'online' | 'offline', connection: number, options: { retained?: boolean } = {}): void {
    const message = encodeJson({ state, connection });
    this.engine.receive(postTopic('pamir', 'langar', 'state'), message, options.retained ?? false);
  }

  /** One live payload. `epoch` is that of its records. */
  data(birth: number, epoch: string, samples: readonly DataSample[], options: { historical?: boolean } = {}): void {
    const payload = encodeData({ birth, epoch, historical: options.historical ?? false, samples: [...samples] });
    this.engine.receive(postTopic('pamir', 'langar', 'data'), payload, false);
  }

  settle(): Promise<void> {
    return this.time.advance(50);
  }

  stored(): [number, number][] {
    return this.sent.flatMap(({ receipt }) => receipt.stored);
  }

  identities(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'identity' ? [`${event.kind} ${event.raised ? 'raised' : 'cleared'}`] : [],
    );
  }
}

export function sceneSample(record: number, at: number, value = record, index = 0): DataSample {
  return { record, index, at, value, code: 0 };
}

export function sceneBirth(
  { epoch, key, metrics = ['ac.power', 'ac.voltage'], start }: SceneGateway,
  number: number,
): Birth {
  return {
    birth: number,
    at: SCENE_START,
    clock: 'synchronised',
    gateway: { version: '0.1.0', publicKey: key, epoch, start },
    batchPeriodMs: 60_000,
    devices: [{ id: 'meter', kind: 'meter', pollPeriodMs: 1000 }],
    metrics: metrics.map((metric, index) => ({
      index,
      device: 'meter',
      metric,
      kind: 'gauge',
      pollPeriodMs: 1000,
      heartbeatS: 600,
    })),
  };
}
