// One drill: hours of a post on virtual time, from the registers of its devices to the store, while things go wrong by a seed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '#domain/clock.js';
import type { Outbox } from '#gateway/outbox/outbox.js';
import { postFactsOf, rulesOf } from '#gateway/record/post-facts.js';
import type { Store } from '#server/ports.js';
import { createSimulation, type PostSimulation } from '#simulators/simulation.js';
import { resumeRandom, seedFor } from '#simulators/world/random.js';
import { DrillServer } from './drill-server.js';
import { GATEWAY, Ledger } from './ledger.js';
import { PostMachine } from './post-machine.js';
import type { DrillSite } from './site.js';
import { drawTroubles, NOT_WITH_SMALL_OUTBOX, TROUBLES, type TroubleKind } from './trouble.js';
import { Troublemaker } from './troublemaker.js';
import { judge, type Tally } from './verdict.js';
import { VirtualBroker } from './virtual-broker.js';
import { settleOnce, VirtualTime, wholeMs } from './virtual-time.js';

export interface DrillOptions {
  readonly seed: number;
  readonly hours: number;
  /** Every reading is a sample; else the exception rule decides. */
  readonly full: boolean;
  /** What may go wrong; everything where absent. */
  readonly kinds?: readonly TroubleKind[];
  /** Where its files are for the time of the drill; the system's folder for such where absent. */
  readonly folder?: string;
  /** Changes outbox or store beneath the drill's eyes: for its own test. */
  readonly spoilOutbox?: (outbox: Outbox) => void;
  readonly spoilStore?: (store: Store) => void;
}

export interface DrillReport {
  readonly seed: number;
  readonly full: boolean;
  readonly tally: Tally;
  /** How many things went wrong. */
  readonly troubles: number;
  readonly differences: readonly string[];
  /** What went wrong and when, one line each. */
  readonly history: readonly string[];
}

const START_AT = Date.UTC(2026, 0, 15, 5);
const STEP_MS = 5_000;
/** What was left behind has so long to arrive once everything is mended; a gateway tells of expired samples within minutes. */
const SETTLE_MS_MIN = 180_000;
const SETTLE_MS_MAX = 6 * 3_600_000;

/** Some posts have an outbox that a cut of minutes fills. */
const SMALL_SHARE = 0.2;
const SMALL_MS = 5 * 60_000;
const SMALL_BYTES_MIN = 10_000;
/** Longer than any poll and any write. */
const CLOSE_MS = 300_000;

export async function runDrill(site: DrillSite, options: DrillOptions): Promise<DrillReport> {
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'oftob-drill-'));
  const drill = new Drill(site, options, folder);
  try {
    return await drill.run();
  } finally {
    await drill.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** About what the outbox needs for all readings of so long. */
function bytesIn(ms: number, { config, catalog }: DrillSite): number {
  const rules = rulesOf(postFactsOf(config, catalog).metrics);
  const perMs = config.devices.map(({ id, pollPeriodMs }) => (100 + 6 * (rules.get(id)?.size ?? 0)) / pollPeriodMs);
  return Math.max(SMALL_BYTES_MIN, ms * perMs.reduce((sum, bytes) => sum + bytes, 0));
}

class Drill {
  readonly #site: DrillSite;
  readonly #options: DrillOptions;
  readonly #isSmall: boolean;
  readonly #time = new VirtualTime(START_AT);
  readonly #random: Random;
  readonly #ledger = new Ledger();
  readonly #broker: VirtualBroker;
  readonly #server: DrillServer;
  readonly #world: PostSimulation;
  readonly #machine: PostMachine;
  readonly #trouble: Troublemaker;

  constructor(site: DrillSite, options: DrillOptions, folder: string) {
    this.#site = site;
    this.#options = options;
    const { config, catalog } = site;
    this.#random = resumeRandom(seedFor(options.seed, options.full ? 'full' : 'by exception')).next;
    this.#isSmall = this.#random() < SMALL_SHARE;
    this.#broker = new VirtualBroker(wholeMs(this.#time), this.#random);
    this.#server = new DrillServer({
      fleet: config.fleet,
      time: this.#time,
      broker: this.#broker,
      random: this.#random,
      folder: join(folder, 'server'),
      spoilStore: options.spoilStore,
    });
    const world = createSimulation(site.scenario, { startAt: START_AT, seed: options.seed, catalog });
    this.#world = world.posts.get(config.post) as PostSimulation;
    this.#machine = new PostMachine('post', join(folder, 'post'), {
      site,
      world: this.#world,
      time: this.#time,
      broker: this.#broker,
      random: this.#random,
      ledger: this.#ledger,
      full: options.full,
      ...(this.#isSmall ? { bytesMax: bytesIn(SMALL_MS, site) * (1 + 3 * this.#random()) } : {}),
      spoilOutbox: options.spoilOutbox,
    });
    this.#trouble = new Troublemaker({
      time: this.#time,
      random: this.#random,
      broker: this.#broker,
      server: this.#server,
      world: this.#world,
      machine: this.#machine,
      folder,
    });
  }

  async run(): Promise<DrillReport> {
    const { hours, seed, full, kinds = TROUBLES } = this.#options;
    await this.#server.start();
    this.#machine.start();
    const possible = this.#isSmall ? kinds.filter((kind) => !NOT_WITH_SMALL_OUTBOX.has(kind)) : kinds;
    this.#trouble.plan(drawTroubles(hours, this.#random, possible));
    await this.#live(hours * 3_600_000);
    await this.#trouble.mend();
    this.#trouble.endPolling();
    const isDone = (waited: number): boolean => waited >= SETTLE_MS_MIN && this.#trouble.pendingRecords() === 0;
    for (let waited = 0; waited < SETTLE_MS_MAX && !isDone(waited); waited += STEP_MS) await this.#advance(STEP_MS);
    const { tally, differences } = await this.#judge();
    const left = this.#trouble.left();
    return {
      seed,
      full,
      tally,
      troubles: this.#trouble.begun,
      differences: [
        ...(differences.length > 0 ? left : []),
        ...differences.map(({ text, at }) => (at === undefined ? text : `${this.#clockOf(at)} ${text}`)),
      ],
      history: this.#trouble.history.map(({ at, text }) => `${this.#clockOf(at)} ${text}`),
    };
  }

  async #judge() {
    const { config, catalog } = this.#site;
    const rules = rulesOf(postFactsOf(config, catalog).metrics);
    const series = [...rules].flatMap(([device, metrics]) =>
      device === GATEWAY ? [] : [...metrics.keys()].map((metric) => [device, metric] as const),
    );
    const points = await this.#server.points(config.post, series);
    return judge(this.#ledger, points, {
      full: this.#options.full,
      ruleOf: (device, metric) => rules.get(device)?.get(metric),
      writeDelayMs: config.outbox.writeDelayMs,
      batchPeriodMs: config.batchPeriodMs,
      ...this.#trouble.thinned(),
    });
  }

  async #live(ms: number): Promise<void> {
    const until = this.#time.monotonic() + ms;
    for (let now = this.#time.monotonic(); now < until; now = this.#time.monotonic()) {
      const next = Math.min(until, this.#trouble.nextAt());
      await this.#advance(Math.max(0, next - now));
      await this.#trouble.act();
    }
  }

  #advance(ms: number): Promise<void> {
    return this.#time.advance(ms, settleOnce);
  }

  /** Hours, minutes and seconds since the start. */
  #clockOf(at: number): string {
    return new Date(Math.max(0, at - START_AT)).toISOString().slice(11, 23);
  }

  async close(): Promise<void> {
    const closed = this.#trouble.close().then(() => this.#server.stop());
    // A poll or a write may be on its way, and needs time to end.
    await this.#advance(CLOSE_MS);
    await closed;
  }
}
