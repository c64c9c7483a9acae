// A post with one meter and a gateway as it is, on virtual time, before a centre that can be made to fail.
import type { Clock, ClockQuality, Random } from '#domain/clock.js';
import { goodReading, type Reading } from '#domain/reading.js';
import type { GatewayConfig } from '#gateway/config.js';
import { createGateway, type Gateway, type GatewayDeps } from '#gateway/gateway.js';
import type { RisingNumber } from '#gateway/identity.js';
import type { Outbox } from '#gateway/outbox/outbox.js';
import type { OutboxSample, PollResult } from '#gateway/ports.js';
import type { Log } from '#gateway/uplink/log.js';
import { loadCatalog } from '#profiles/catalog.js';
import { FakeCentre, FLEET, POST } from './fake-centre.js';
import { MemoryOutbox } from './memory-outbox.js';
import { VirtualTime } from './virtual-time.js';

export const NOON = Date.UTC(2026, 0, 15, 12);
export const METER = 'meter';
const PERIOD_MS = 10_000;
const { profiles } = loadCatalog();

export const testConfig: GatewayConfig = {
  fleet: FLEET,
  post: POST,
  dataFolder: '/nowhere',
  mqtt: { url: 'mqtt://127.0.0.1' },
  batchPeriodMs: 60_000,
  full: false,
  outbox: { bytesMax: 1e9, keepReceiptedMs: 1e9, writeDelayMs: 0 },
  uplink: {},
  buses: [],
  devices: [
    {
      id: METER,
      bus: 'bus',
      profile: 'eastron/sdm630',
      unit: 1,
      role: 'load',
      reversed: false,
      pollPeriodMs: PERIOD_MS,
      deadbands: {},
      watch: {},
    },
  ],
};

/** Without the random part. */
export function risingNumber(): RisingNumber {
  let last = 0;
  return {
    next(atLeast) {
      last = Math.max(last + 1, Math.floor(atLeast));
      return last;
    },
  };
}

/** Remembers what the outbox was given. */
export function watched(outbox: Outbox): { readonly outbox: Outbox; readonly recorded: OutboxSample[] } {
  const recorded: OutboxSample[] = [];
  const append: Outbox['append'] = (drafts) => {
    const stored = outbox.append(drafts);
    if (stored.ok) recorded.push(...drafts.flatMap(({ samples }) => samples));
    return stored;
  };
  const proxy = new Proxy(outbox, {
    get(target, name) {
      if (name === 'append') return append;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { outbox: proxy, recorded };
}

/** A reader of one meter whose power follows `powerAt`. */
export class FakeReader {
  powerAt: (at: number) => Reading = (at) => goodReading('load.power', 1000 + ((at / 1000) % 977), at);
  /** Polls due at multiples of this. */
  periodMs = PERIOD_MS;
  #lastSlot = -1;

  async pollOnce(at: number): Promise<readonly PollResult[]> {
    const slot = Math.floor(at / this.periodMs);
    if (slot === this.#lastSlot) return [];
    this.#lastSlot = slot;
    return [this.resultAt(at)];
  }

  resultAt(at: number): PollResult {
    const energyWh = Math.round(at / 1000) % 1e9;
    return { device: METER, at, readings: [this.powerAt(at), goodReading('load.energy', energyWh, at)] };
  }

  nextDueAt(at: number): number {
    return (Math.floor(at / this.periodMs) + 1) * this.periodMs;
  }

  async close(): Promise<void> {}
}

export interface TestPost {
  readonly gateway: Gateway;
  readonly reader: FakeReader;
  readonly recorded: readonly OutboxSample[];
  readonly outbox: Outbox;
}

export interface TestPostOptions {
  readonly time: VirtualTime;
  readonly centre: FakeCentre;
  readonly outbox: Outbox;
  readonly random?: Random;
  readonly clock?: Clock;
  readonly clockQuality?: () => ClockQuality;
  readonly config?: Partial<GatewayConfig>;
  readonly numbers?: { readonly births: RisingNumber; readonly connections: RisingNumber };
  readonly log?: Log;
  readonly deps?: Partial<GatewayDeps>;
}

export function makeTestPost(options: TestPostOptions): TestPost {
  const { outbox, recorded } = watched(options.outbox);
  const reader = new FakeReader();
  const numbers = options.numbers ?? { births: risingNumber(), connections: risingNumber() };
  const gateway = createGateway({
    config: { ...testConfig, ...options.config },
    profiles,
    reader,
    outbox,
    identity: { publicKey: 'key', ...numbers },
    openLink: options.centre.open,
    clock: options.clock ?? options.time,
    scheduler: options.time,
    random: options.random ?? (() => 0.5),
    log: options.log ?? { info() {}, warn() {} },
    version: '0.0.0',
    memoryBytes: () => 50e6,
    ...(options.clockQuality === undefined ? {} : { clockQuality: options.clockQuality }),
    ...options.deps,
  });
  return { gateway, reader, recorded, outbox };
}

export interface TestScene extends TestPost {
  readonly time: VirtualTime;
  readonly centre: FakeCentre;
}

/** A post with an outbox in memory before a centre of its own. */
export function makeScene(options: Partial<TestPostOptions> = {}): TestScene {
  const time = options.time ?? new VirtualTime(NOON);
  const centre = options.centre ?? new FakeCentre(time);
  const outbox = options.outbox ?? new MemoryOutbox({ epoch: '0123456789abcdef' });
  return { time, centre, ...makeTestPost({ ...options, time, centre, outbox }) };
}
