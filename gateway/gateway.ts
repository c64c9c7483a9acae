// One post: polls its devices, records what changed, keeps it, and sends it until the server has it.
import type { Clock, ClockQuality, Random, Scheduler } from '#domain/clock.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import type { GatewayConfig } from './config.js';
import { createDeviceWatch } from './health/device-watch.js';
import { HEALTH_PERIOD_MS, readHealth } from './health/health.js';
import { type Identity, leastNumberAt } from './identity.js';
import type { Outbox, OutboxFault, OutboxStatus, RecordDraft } from './outbox/outbox.js';
import type { PollResult } from './ports.js';
import { Appender } from './record/appender.js';
import { DiskSync } from './record/disk-sync.js';
import { postFactsOf, rulesOf } from './record/post-facts.js';
import { Recorder } from './record/recorder.js';
import { createTimekeeper, type Timekeeper } from './record/timekeeper.js';
import { catalogueOf, makeBirth, type NumberedBirth } from './uplink/birth.js';
import type { OpenLink } from './uplink/link.js';
import type { Log } from './uplink/log.js';
import { type SessionStatus, UplinkSession } from './uplink/session.js';

/** What the gateway asks of the part that reads the devices. Times are the caller's; they never step back. */
export interface DeviceReader {
  pollOnce(at: number): Promise<readonly PollResult[]>;
  /** When the next poll is due. */
  nextDueAt(at: number): number;
  close(): Promise<void>;
}

export interface GatewayDeps {
  readonly config: GatewayConfig;
  /** Profiles by id; those of all configured devices must be there. */
  readonly profiles: ReadonlyMap<string, LoadedProfile>;
  readonly reader: DeviceReader;
  readonly outbox: Outbox;
  readonly identity: Pick<Identity, 'publicKey' | 'births' | 'connections'>;
  readonly openLink: OpenLink;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  /** Of this software. */
  readonly version: string;
  /** How far the machine's clock may be trusted now; `synchronised` where absent. */
  readonly clockQuality?: () => ClockQuality;
  /** What the monotonic clock counts from: the machine's boot, where it is that. Else each start of the gateway. */
  readonly boot?: string;
  readonly memoryBytes?: () => number;
  /** Share of a poll period, 0 ≤ … < 1, that this start polls apart from others; drawn at random. 0 where absent. */
  readonly pollPhase?: number;
  /** Longest random delay of birth and snapshot when a server starts under connected posts. */
  readonly birthSpreadMs?: number;
}

export interface GatewayStatus {
  readonly clockQuality: ClockQuality;
  readonly session: SessionStatus;
  readonly outbox: OutboxStatus;
  /** Records that wait in memory for the disk, and those that it could not hold. */
  readonly unsaved: number;
  readonly lost: number;
  readonly outboxFault: OutboxFault | undefined;
  /** Times that the disk did not keep for good what it had taken. */
  readonly syncFaults: number;
  /** Readings of metrics that no profile declares. */
  readonly undeclared: number;
  readonly polls: number;
}

export interface Gateway {
  /** Records polls of this post. `historical`: they are from the past, and leave what is live alone. */
  record(results: readonly PollResult[], options?: { readonly historical?: boolean }): void;
  /** Begins to poll and to connect. */
  start(): void;
  /** Ends polling, says goodbye, closes reader and outbox. Nothing is lost by it. */
  stop(): Promise<void>;
  status(): GatewayStatus;
}

const BIRTH_SPREAD_MS = 30_000;
/** Between two polls, whatever the reader says. */
const POLL_PAUSE_MIN_MS = 20;
const POLL_PAUSE_MAX_MS = 60_000;
const TIDY_PERIOD_MS = 60_000;
/** A poll has its own time-outs; the end does not depend on them. */
const STOP_MAX_MS = 15_000;

/** Composes a post's gateway. Throws when a configured profile is missing or a number cannot be written to the disk. */
export function createGateway(deps: GatewayDeps): Gateway {
  return new PostGateway(deps);
}

class PostGateway implements Gateway {
  readonly #deps: GatewayDeps;
  readonly #time: Timekeeper;
  readonly #boot: string;
  readonly #recorder: Recorder;
  readonly #appender: Appender;
  readonly #disk: DiskSync;
  readonly #session: UplinkSession;
  readonly #makeBirth: () => NumberedBirth;
  /** Steady time = monotonic + this: what the reader is asked with. It never steps. */
  readonly #steadyOffset: number;
  readonly #startedAt: number;
  readonly #watchDevices: (results: readonly PollResult[]) => void;
  readonly #cancels = new Set<() => void>();
  #running = false;
  #toldDamage: string | undefined;
  #polling: Promise<void> = Promise.resolve();
  #polls = 0;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { clock, config, outbox } = deps;
    this.#startedAt = clock.monotonic();
    this.#steadyOffset = clock.now() - clock.monotonic() - phaseMs(config, deps.pollPhase ?? 0);
    this.#time = createTimekeeper(clock, deps.clockQuality ?? (() => 'synchronised'));
    this.#boot = deps.boot ?? outbox.epoch;
    const facts = postFactsOf(config, deps.profiles);
    this.#recorder = new Recorder({
      rules: rulesOf(facts.metrics),
      batchPeriodMs: config.batchPeriodMs,
      full: config.full,
      isTaken: (device, at) => outbox.hasTime(device, at) || this.#appender.hasTime(device, at),
    });
    this.#appender = new Appender(outbox, deps.log);
    const { writeDelayMs } = config.outbox;
    this.#disk = new DiskSync({ outbox, scheduler: deps.scheduler, log: deps.log, writeDelayMs });
    this.#watchDevices = createDeviceWatch(deps.log);
    this.#makeBirth = birthMaker(deps, facts, this.#time);
    this.#session = new UplinkSession({
      fleet: config.fleet,
      post: config.post,
      batchPeriodMs: config.batchPeriodMs,
      ...config.uplink,
      clock,
      scheduler: deps.scheduler,
      random: deps.random,
      log: deps.log,
      outbox,
      sync: () => this.#disk.sync(),
      openLink: deps.openLink,
      connections: deps.identity.connections,
      time: this.#time,
      birth: () => this.#makeBirth(),
      takeSnapshot: () => this.#takeSnapshot(),
      learnTime: (serverTime) => this.#learnTime(serverTime),
      birthSpreadMs: deps.birthSpreadMs ?? BIRTH_SPREAD_MS,
    });
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#tellDamage();
    this.#timeWaitingRecords();
    this.#session.start();
    this.#repeat(TIDY_PERIOD_MS, () => this.#tidy());
    this.#repeat(HEALTH_PERIOD_MS, () => this.#recordHealth());
    this.#recordHealth();
    this.#pollSoon(0);
  }

  async stop(): Promise<void> {
    const wasRunning = this.#running;
    this.#running = false;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    await this.#within(
      STOP_MAX_MS,
      this.#deps.reader.close().then(() => this.#polling),
    );
    if (wasRunning) await this.#session.stop();
    this.#disk.stop();
    this.#deps.outbox.close();
  }

  record(results: readonly PollResult[], options: { readonly historical?: boolean } = {}): void {
    this.#recordAs(results, options.historical === true ? 'past' : 'present');
  }

  #recordAs(
    results: readonly PollResult[],
    stream: 'present' | 'past',
    { urgent: isNews, boot }: { readonly urgent: boolean; readonly boot: string | undefined } = {
      urgent: false,
      boot: undefined,
    },
  ): void {
    const { drafts, urgent } = this.#recorder.take(results, {
      stream,
      attended: stream === 'present' && this.#session.isAttended,
      offline: !this.#session.isOnline,
      ...(boot === undefined ? {} : { boot }),
    });
    if (drafts.length === 0 && this.#appender.unsaved === 0) return;
    this.#append(drafts);
    this.#session.recorded(urgent || isNews);
  }

  #append(drafts: readonly RecordDraft[]): void {
    this.#appender.append(drafts);
    this.#disk.appended();
  }

  status(): GatewayStatus {
    return {
      clockQuality: this.#time.quality(),
      session: this.#session.status(),
      outbox: this.#deps.outbox.status(),
      unsaved: this.#appender.unsaved,
      lost: this.#appender.lost,
      outboxFault: this.#appender.fault,
      syncFaults: this.#disk.faults,
      undeclared: this.#recorder.undeclared,
      polls: this.#polls,
    };
  }

  /** Waits for what should end soon, but not for ever. */
  #within(ms: number, ending: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#deps.scheduler.after(ms, resolve);
      ending.finally(cancel).then(resolve, reject);
    });
  }

  // --- polling ---

  #after(delayMs: number, task: () => void): void {
    const cancel = this.#deps.scheduler.after(delayMs, () => {
      this.#cancels.delete(cancel);
      if (this.#running) task();
    });
    this.#cancels.add(cancel);
  }

  #repeat(periodMs: number, task: () => void): void {
    this.#after(periodMs, () => {
      this.#repeat(periodMs, task);
      task();
    });
  }

  #steadyNow(): number {
    return this.#deps.clock.monotonic() + this.#steadyOffset;
  }

  #pollSoon(delayMs: number): void {
    this.#after(delayMs, () => {
      this.#polling = this.#poll().catch((error: unknown) => {
        this.#deps.log.warn({ error: String(error) }, 'a poll failed');
        this.#pollSoon(POLL_PAUSE_MAX_MS);
      });
    });
  }

  async #poll(): Promise<void> {
    const results = await this.#deps.reader.pollOnce(this.#steadyNow());
    this.#polls += 1;
    this.#watchDevices(results);
    // The first poll after a start is news as a whole: the birth's snapshot came before it and was empty.
    this.#recordSteady(results, this.#polls === 1);
    if (!this.#running) return;
    const now = this.#steadyNow();
    const delayMs = this.#deps.reader.nextDueAt(now) - now;
    this.#pollSoon(Math.min(POLL_PAUSE_MAX_MS, Math.max(POLL_PAUSE_MIN_MS, delayMs)));
  }

  /** Readings in steady time get the time of day, or stay in monotonic time while nobody knows it. */
  #recordSteady(results: readonly PollResult[], urgent = false): void {
    this.#timeWaitingRecords();
    const wallNow = this.#time.now();
    const shiftMs = wallNow === undefined ? -this.#steadyOffset : wallNow - this.#steadyNow();
    const moved = results.map((result) => shiftTimes(result, shiftMs));
    this.#recordAs(moved, 'present', { urgent, boot: wallNow === undefined ? this.#boot : undefined });
  }

  // --- time ---

  #learnTime(serverTime: number): void {
    if (!this.#time.learn(serverTime)) return;
    this.#deps.log.info({ serverTime }, 'learnt the time from the server');
    this.#timeWaitingRecords();
  }

  /** Once the time is known, what waits for it gets it. */
  #timeWaitingRecords(): void {
    const wallNow = this.#time.now();
    if (wallNow === undefined) return;
    const offsetMs = wallNow - this.#deps.clock.monotonic();
    this.#recorder.learnTime(offsetMs);
    // At once for good: after a power cut no later boot could give these records their time.
    if (this.#deps.outbox.learnTime(this.#boot, offsetMs) > 0) this.#disk.sync();
  }

  // --- what the gateway says by itself ---

  #takeSnapshot(): void {
    // The time may have become known since the last poll.
    this.#timeWaitingRecords();
    const wallNow = this.#time.now();
    const context = { offline: false, ...(wallNow === undefined ? { boot: this.#boot } : {}) };
    this.#append(this.#recorder.snapshot(wallNow ?? this.#deps.clock.monotonic(), context));
  }

  #recordHealth(): void {
    const { session, outbox, clockQuality } = this.status();
    const facts = {
      upMs: this.#deps.clock.monotonic() - this.#startedAt,
      memoryBytes: this.#deps.memoryBytes?.() ?? process.memoryUsage.rss(),
      clockQuality,
      outbox,
      bytesSent: session.bytesSent,
      budgetUsed: session.budgetUsed,
      connects: session.connects,
    };
    this.#recordSteady([readHealth(facts, this.#steadyNow())]);
  }

  /** Once for each outbox that was put aside, at the start or since. */
  #tellDamage(): void {
    const { setAside, salvage } = this.#deps.outbox;
    if (setAside === undefined || setAside === this.#toldDamage) return;
    this.#toldDamage = setAside;
    const facts = { code: 'OUTBOX_DAMAGED', file: setAside, recovered: salvage?.recovered, damaged: salvage?.damaged };
    this.#deps.log.warn(facts, 'the outbox was damaged and put aside; what is whole in it goes on in a new one');
  }

  #tidy(): void {
    this.#session.keep();
    this.#tellDamage();
    const now = this.#time.now();
    if (now === undefined) return;
    const { outbox } = this.#deps;
    outbox.trim(now);
    const { bytes, bytesMax } = outbox.status();
    if (this.#session.isOnline && bytes < bytesMax && outbox.recordLost(now) > 0) {
      this.#disk.appended();
      this.#session.recorded(false);
    }
  }
}

/**
 * Polls are due at multiples of their period in steady time. Two gateways of one identity would poll in the same millisecond, and
 * the store would take one's samples for the other's: each start has a phase of its own.
 */
function phaseMs({ devices }: GatewayConfig, phase: number): number {
  return Math.floor(phase * Math.max(0, ...devices.map(({ pollPeriodMs }) => pollPeriodMs)));
}

function shiftTimes(result: PollResult, shiftMs: number): PollResult {
  if (shiftMs === 0) return result;
  return {
    device: result.device,
    at: result.at + shiftMs,
    readings: result.readings.map((reading) => ({ ...reading, at: reading.at + shiftMs })),
  };
}

/** Births of this start of the gateway: the same number as long as nothing in it is new. */
function birthMaker(deps: GatewayDeps, facts: ReturnType<typeof postFactsOf>, time: Timekeeper): () => NumberedBirth {
  const retired = deps.outbox.declare(catalogueOf(facts));
  let current: NumberedBirth | undefined;
  return () => {
    const clock = time.quality();
    if (current?.clock === clock) return current;
    const at = time.now() ?? Math.max(0, deps.clock.now());
    const number = deps.identity.births.next(leastNumberAt(time.now()));
    const { version, identity, config, outbox } = deps;
    const { epoch, start } = outbox;
    const birthFacts = {
      version,
      publicKey: identity.publicKey,
      epoch,
      start,
      batchPeriodMs: config.batchPeriodMs,
      ...facts,
    };
    current = makeBirth(birthFacts, retired, { number, at, clock });
    return current;
  };
}
