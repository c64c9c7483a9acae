// One gateway of the drill on a machine of its own: clock, boot, flash card; it can be killed, cut from power and cloned.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, ClockQuality, Random } from '#domain/clock.js';
import { failed } from '#domain/result.js';
import { createGateway, type DeviceReader, type Gateway, type GatewayStatus } from '#gateway/gateway.js';
import { openIdentity } from '#gateway/identity.js';
import type { Outbox } from '#gateway/outbox/outbox.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import { createPostReader } from '#gateway/poll/post-reader.js';
import type { Link, OpenLink } from '#gateway/uplink/link.js';
import type { PostSimulation } from '#simulators/simulation.js';
import { drillBus } from './drill-bus.js';
import type { Card, Ledger, Life } from './ledger.js';
import type { DrillSite } from './site.js';
import type { VirtualBroker } from './virtual-broker.js';
import { type VirtualTime, wholeMs } from './virtual-time.js';
import { type Cut, cutPower, WalWatch } from './wal.js';

export interface MachineParts {
  readonly site: DrillSite;
  readonly world: PostSimulation;
  readonly time: VirtualTime;
  readonly broker: VirtualBroker;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly full: boolean;
  /** Bytes of the outbox; the site's where absent. */
  readonly bytesMax?: number;
  /** Changes the outbox beneath the ledger's eyes: for the drill's own test. */
  readonly spoilOutbox?: ((outbox: Outbox) => void) | undefined;
}

/** Time as this machine tells it. */
class MachineClock implements Clock {
  /** Added to the true time, where the clock knows any. */
  skewMs = 0;
  quality: ClockQuality = 'synchronised';
  boot = '';
  #bootedAt = 0;

  constructor(private readonly time: VirtualTime) {}

  /** @param boot names it */
  reboot(boot: string): void {
    this.boot = boot;
    this.#bootedAt = this.time.monotonic();
  }

  now(): number {
    return this.quality === 'unknown' ? this.monotonic() : this.time.now() + this.skewMs;
  }

  monotonic(): number {
    return this.time.monotonic() - this.#bootedAt;
  }
}

interface Process {
  isAlive: boolean;
  link: Link | undefined;
}

interface Running extends Process {
  readonly gateway: Gateway;
  readonly outbox: Outbox;
  readonly life: Life;
  readonly wal: WalWatch;
}

/** How wrong the time may be that a gateway learns from its server, beside what the message took. */
const CLOCK_ERROR_MS = 1_000;

const APART_MS_MAX = 3_000;

const quiet = { info: () => {}, warn: () => {}, error: () => {} };

export class PostMachine {
  readonly clock: MachineClock;
  /** The disk takes nothing. */
  isDiskFull = false;
  readonly #parts: MachineParts;
  readonly #card: Card;
  readonly #root: string;
  #folder: string;
  #folders = 0;
  #running: Running | undefined;
  #isDone = false;
  #timedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param root a folder of its own
   * @param apartMs its clock is set so much only after each start: it polls in a phase of its own
   */
  constructor(
    name: string,
    root: string,
    parts: MachineParts,
    private readonly apartMs = 0,
  ) {
    this.#parts = parts;
    this.#root = root;
    this.#card = parts.ledger.newCard(name);
    this.#folder = this.#newFolder();
    mkdirSync(this.#folder, { recursive: true });
    this.clock = new MachineClock(parts.time);
    this.clock.reboot(`boot-${name}-0`);
  }

  #newFolder(): string {
    this.#folders += 1;
    return join(this.#root, String(this.#folders));
  }

  get #file(): string {
    return join(this.#folder, 'outbox.sqlite');
  }

  start(): void {
    const { site, ledger, random, full, bytesMax } = this.#parts;
    const opened = openSqliteOutbox({
      file: this.#file,
      epoch: hex(random),
      bytesMax: bytesMax ?? site.config.outbox.bytesMax,
      keepReceiptedMs: site.config.outbox.keepReceiptedMs,
      writeDelayMs: site.config.outbox.writeDelayMs,
      reserveBytes: 0,
    });
    if (!opened.ok) throw new Error(`${opened.fault.code}: ${opened.fault.message}`);
    const outbox = opened.value;
    if (outbox.setAside !== undefined) throw new Error(`the outbox was damaged: ${outbox.setAside}`);
    const identity = openIdentity(this.#folder);
    if (!identity.ok) throw new Error(identity.fault.message);
    const life = ledger.newLife(this.#card);
    const wal = new WalWatch(this.#file);
    const timers = wholeMs(this.#parts.time);
    this.clock.skewMs += this.apartMs;
    const running: Process = { isAlive: true, link: undefined };
    this.#parts.spoilOutbox?.(outbox);
    this.#watch(outbox, life, wal);
    const gateway = createGateway({
      config: { ...site.config, dataFolder: this.#folder, full },
      profiles: site.catalog,
      reader: this.#reader(life, running),
      outbox,
      identity: identity.value,
      openLink: guarded(this.#parts.broker.open, running),
      clock: this.clock,
      clockQuality: () => this.clock.quality,
      boot: this.clock.boot,
      // A killed process runs nothing more.
      scheduler: { after: (delayMs, task) => timers.after(delayMs, () => running.isAlive && task()) },
      random,
      log: quiet,
      version: 'drill',
      memoryBytes: () => 0,
    });
    this.clock.skewMs -= this.apartMs;
    this.#running = Object.assign(running, { gateway, outbox, life, wal });
    gateway.start();
  }

  /** Sees what goes into the outbox, and is the disk that may be full. */
  #watch(outbox: Outbox, life: Life, wal: WalWatch): void {
    const { ledger, time } = this.#parts;
    const full = failed({ code: 'OUTBOX_FULL' as const, message: 'no space left' });
    const isSafe = (): void => {
      ledger.synced(life);
      wal.synced();
    };
    // Without a delay each write is on the disk when it returns.
    const look = this.#parts.site.config.outbox.writeDelayMs === 0 ? isSafe : () => wal.look();
    const append = outbox.append.bind(outbox);
    outbox.append = (drafts) => {
      ledger.drafted(life, drafts);
      if (this.isDiskFull) return full;
      const stored = append(drafts);
      if (stored.ok) ledger.kept(life, drafts, time.now());
      look();
      return stored;
    };
    const sync = outbox.sync.bind(outbox);
    outbox.sync = () => {
      if (this.isDiskFull) return full;
      const synced = sync();
      if (synced.ok) isSafe();
      return synced;
    };
    const learnTime = outbox.learnTime.bind(outbox);
    outbox.learnTime = (boot, offsetMs) => {
      if (this.isDiskFull) return 0;
      const timed = learnTime(boot, offsetMs);
      if (timed > 0) {
        ledger.timed(this.#card, boot, offsetMs, CLOCK_ERROR_MS + this.#parts.broker.slowestMs);
        this.#timedAt = time.now();
      }
      look();
      return timed;
    };
    const trim = outbox.trim.bind(outbox);
    outbox.trim = (at) => {
      if (this.isDiskFull) return;
      trim(at);
      look();
    };
    const markReceipted = outbox.markReceipted.bind(outbox);
    outbox.markReceipted = (epoch, ranges, at) => {
      if (this.isDiskFull) return 0;
      const changed = markReceipted(epoch, ranges, at);
      look();
      return changed;
    };
  }

  /** The real reader on simulated devices; what it gives is written into the ledger before the gateway sees it. */
  #reader(life: Life, running: { readonly isAlive: boolean }): DeviceReader {
    const { site, world, time, ledger } = this.#parts;
    const { config, catalog } = site;
    const scheduler = wholeMs(time);
    const onBus = (bus: string) => config.devices.filter((device) => device.bus === bus);
    const reader = createPostReader(config, {
      buses: new Map(config.buses.map(({ id }) => [id, drillBus(world, onBus(id), scheduler)])),
      catalog,
      clock: this.clock,
      scheduler,
    });
    return {
      pollOnce: async (at) => {
        if (this.#isDone) return [];
        world.stepTo(time.now());
        // The reader is asked in the gateway's steady time, and answers in it.
        const steadyMs = at - this.clock.monotonic();
        const results = await reader.pollOnce(at);
        if (!running.isAlive || this.#isDone) return [];
        const steadyNow = this.clock.monotonic() + steadyMs;
        const clockMs = this.clock.quality === 'unknown' ? undefined : this.clock.now() - steadyNow;
        ledger.took(life, results, time.now() - steadyNow, clockMs);
        return results;
      },
      nextDueAt: (at) => (this.#isDone ? Number.POSITIVE_INFINITY : reader.nextDueAt(at)),
      close: () => reader.close(),
    };
  }

  status(): GatewayStatus | undefined {
    return this.#running?.gateway.status();
  }

  pendingRecords(): number {
    const status = this.status();
    return status === undefined ? 0 : status.outbox.pendingRecords + status.unsaved;
  }

  /** What is still here, and why, as far as it tells. */
  left(): string[] {
    const { outbox, session, unsaved } = this.status() ?? {};
    const letters = new Set(this.#running?.outbox.deadLetters(1000).map(({ code }) => code));
    return [
      ...((outbox?.pendingRecords ?? 0) > 0
        ? [`${this.#card.name}: ${outbox?.pendingRecords} records wait, ${JSON.stringify(session)}`]
        : []),
      ...((unsaved ?? 0) > 0 ? [`${this.#card.name}: ${unsaved} records wait in memory`] : []),
      ...(letters.size > 0 ? [`${this.#card.name}: dead letters: ${[...letters].join(', ')}`] : []),
    ];
  }

  /** Nothing waits in memory for a full disk: a process that dies would take it along. */
  isKillable(): boolean {
    const status = this.status();
    return status !== undefined && status.unsaved === 0 && !this.isDiskFull;
  }

  /** No record waits for a time that only this boot can give it. */
  knowsTime(): boolean {
    const isSettled = this.#parts.time.now() - this.#timedAt > this.#parts.site.config.outbox.writeDelayMs;
    return (this.status()?.outbox.untimedRecords ?? 0) === 0 && isSettled;
  }

  /** Ends the process as `kill -9` does: the files stay as they are. */
  kill(): void {
    this.#end('none');
  }

  /** Ends the machine: what was not synced may not be on the disk, and the clock may not know the time any more. */
  powerCut(cut: Exclude<Cut, 'none'>, boot: string): void {
    const life = this.#running?.life;
    if (life !== undefined) life.cutAt = this.#parts.time.now();
    this.#end(cut);
    this.clock.reboot(boot);
  }

  #end(cut: Cut): void {
    const running = this.#running;
    if (running === undefined) return;
    running.isAlive = false;
    this.#running = undefined;
    running.link?.abort();
    const old = this.#folder;
    const next = this.#newFolder();
    cpSync(old, next, { recursive: true });
    if (cut !== 'none') cutPower(join(next, 'outbox.sqlite'), running.wal, cut, this.#parts.random);
    // Closing would tidy up what a dead process leaves lying.
    running.outbox.close();
    rmSync(old, { recursive: true, force: true });
    this.#folder = next;
  }

  /** A second machine with a copy of this card; both go on living. */
  clone(name: string, root: string): PostMachine {
    const copy = new PostMachine(name, root, this.#parts, Math.round(1 + APART_MS_MAX * this.#parts.random()));
    cpSync(this.#folder, copy.#folder, { recursive: true });
    return copy;
  }

  /** No more polls: what is on the post only has to arrive. */
  endPolling(): void {
    this.#isDone = true;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.gateway.stop();
  }
}

/** A connection that a dead process hears no more of. */
function guarded(open: OpenLink, process: Process): OpenLink {
  return (options) => {
    const { connected, message, closed } = options.handlers;
    process.link = open({
      ...options,
      handlers: {
        connected: () => process.isAlive && connected(),
        message: (topic, payload, retained) => process.isAlive && message(topic, payload, retained),
        closed: (reason) => process.isAlive && closed(reason),
      },
    });
    return process.link;
  };
}

function hex(random: Random): string {
  const word = (): string =>
    Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return word() + word();
}
