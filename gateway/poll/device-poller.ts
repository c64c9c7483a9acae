// Polls one device: what is due, in as few requests as allowed, with patience for what fails and none for what is dead.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Reason } from '#domain/quality.js';
import { goodReading, invalidReading, type Reading } from '#domain/reading.js';
import { tableOf } from '#profiles/extent.js';
import type { Profile, Register } from '#profiles/profile.js';
import type { BusConfig, DeviceConfig } from '../config.js';
import { decodeReadings, namesIn, type ResolvedProfile } from '../decode/decode.js';
import { addressStepOf, createWordImage, type WordImage, wordAddressesOf } from '../decode/word-image.js';
import { POLL_COUNTS_MS } from '../defaults.js';
import { mapReadings } from '../map/map.js';
import type { Bus, BusFault } from '../ports.js';
import { type Asker, createAsker } from './asker.js';
import { fetchBlocks, reasonOfFault } from './fetch.js';
import { createLearnt, isWaiting, type Learnt } from './learnt.js';
import { type CostModel, networkCost, planReads, type ReadPlan, serialCost } from './plan.js';
import { PLANS_MAX, type PlanShelf } from './plan-shelf.js';
import { POLL_CLASSES, type PollClass, pollClassesOf } from './poll-class.js';
import { findVariant } from './variant.js';

/** What `poll.state` says of a device. */
export type PollState = 'answering' | 'partly' | 'silent' | 'asleep';

export interface DevicePollerDeps {
  readonly bus: Bus;
  readonly busConfig: BusConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Shared with the other devices of the post. */
  readonly shelf: PlanShelf;
}

/** After so many polls without any answer a device is asked less often. */
const SILENT_POLLS_BEFORE_BACK_OFF = 3;
const BACK_OFF_MAX_MS = 60_000;
/** Answers of a slave take 5 to 50 ms to begin (measured facts vary); plans only need the order of magnitude. */
const TURNAROUND_MS = 20;
const ALL_CLASSES: ReadonlySet<PollClass> = new Set(POLL_CLASSES);

interface CachedPlan extends ReadPlan {
  readonly version: number;
}

/** What one poll found out about the device as a whole. */
interface Outcome {
  readonly readings: readonly Reading[];
  readonly state: PollState;
}

/** The polling of one device, from the gateway's start to its end. */
export class DevicePoller {
  readonly #device: DeviceConfig;
  readonly #profile: Profile;
  readonly #asker: Asker;
  readonly #learnt: Learnt;
  readonly #cost: CostModel;
  readonly #shelf: PlanShelf;
  /** Without any variant's differences: what is known of a device that has not answered yet. */
  readonly #base: ResolvedProfile;
  /** Undefined until the device has told which variant it is. */
  #resolved: ResolvedProfile | undefined;
  #plans = new Map<string, CachedPlan>();
  #plansOf: ResolvedProfile | undefined;
  #dueSets = new Map<string, ReadonlySet<Register>>();
  #dueOf: ResolvedProfile | undefined;
  #silentPolls = 0;
  #silence: Reason = 'timeout';
  #askAgainAt = Number.NEGATIVE_INFINITY;
  #expected = 0;
  #good = 0;
  #state: PollState | undefined;
  #countsSlot: number | undefined;

  constructor(device: DeviceConfig, profile: Profile, deps: DevicePollerDeps) {
    this.#device = device;
    this.#profile = profile;
    const pauseMs = device.pauseMs ?? profile.protocol.pauseMs;
    this.#asker = createAsker({
      bus: deps.bus,
      profile,
      unit: device.unit,
      timeoutMs: deps.busConfig.timeoutMs,
      pauseMs,
      clock: deps.clock,
      scheduler: deps.scheduler,
    });
    this.#learnt = createLearnt(profile);
    this.#cost =
      deps.busConfig.type === 'tcp' ? networkCost(pauseMs) : serialCost(deps.busConfig, TURNAROUND_MS, pauseMs);
    this.#shelf = deps.shelf;
    this.#base = this.#shelf.resolve(profile);
    if ((profile.variants ?? []).length === 0) this.#resolved = this.#base;
  }

  /**
   * Reads everything of these classes, and tells about every metric of them: good, questionable, or invalid with its reason.
   * `poll.*` is added. Never throws; takes as long as the device makes it.
   */
  async poll(at: number, classes: ReadonlySet<PollClass>): Promise<Reading[]> {
    this.#expected += 1;
    const outcome = isWaiting(at, this.#askAgainAt, BACK_OFF_MAX_MS)
      ? this.#silent(at, classes)
      : await this.#attempt(at, classes);
    return [...mapReadings(this.#device, outcome.readings), ...this.#health(outcome.state, at)];
  }

  async #attempt(at: number, classes: ReadonlySet<PollClass>): Promise<Outcome> {
    const fault = (this.#silentPolls > 0 ? await this.#probe() : undefined) ?? (await this.#resolve());
    if (fault !== undefined) return this.#fellSilent(reasonOfFault(fault), at, classes);
    const resolved = this.#resolved ?? this.#base;
    const due = this.#due(resolved, classes);
    const image = createWordImage(addressStepOf(this.#profile));
    const fetched = await fetchBlocks(due, {
      asker: this.#asker,
      learnt: this.#learnt,
      pollPeriodMs: this.#device.pollPeriodMs,
      at,
      image,
      planFor: (registers) => this.#planFor(resolved, registers),
    });
    if (fetched.silence !== undefined) return this.#fellSilent(fetched.silence, at, classes);
    this.#silentPolls = 0;
    for (const [register, reason] of fetched.missing) failRegister(this.#profile, image, register, reason);
    if (fetched.words) this.#good += 1;
    return { readings: decodeReadings(resolved, image, at, due), state: fetched.partly ? 'partly' : 'answering' };
  }

  /** A device that was silent is first asked for the least it has, so that a dead one costs one time-out. */
  async #probe(): Promise<BusFault | undefined> {
    const resolved = this.#resolved ?? this.#base;
    const wordsOf = (register: Register) => wordAddressesOf(this.#profile, register).own.length;
    const shortest = [...this.#due(resolved, ALL_CLASSES)].sort((a, b) => wordsOf(a) - wordsOf(b)).slice(0, 1);
    const least = planReads(this.#profile, shortest, { cost: this.#cost, listed: resolved.registers }).blocks[0];
    if (least === undefined) return undefined;
    const attempt = await this.#asker.ask(least);
    return attempt.ok || attempt.fault.code === 'BUS_EXCEPTION' ? undefined : attempt.fault;
  }

  async #resolve(): Promise<BusFault | undefined> {
    if (this.#resolved !== undefined) return undefined;
    const answer = await findVariant(this.#profile, this.#asker);
    if (!answer.known) return answer.fault;
    this.#resolved = this.#shelf.resolve(this.#profile, answer.variant);
    return undefined;
  }

  /** Which registers are due does not change while the variant does not. */
  #due(resolved: ResolvedProfile, classes: ReadonlySet<PollClass>): ReadonlySet<Register> {
    if (this.#dueOf !== resolved) this.#dueSets = new Map();
    this.#dueOf = resolved;
    const key = POLL_CLASSES.filter((pollClass) => classes.has(pollClass)).join();
    const due = this.#dueSets.get(key) ?? dueRegisters(resolved, classes);
    this.#dueSets.set(key, due);
    return due;
  }

  #planFor(resolved: ResolvedProfile, registers: readonly Register[]): ReadPlan {
    if (this.#plansOf !== resolved || this.#plans.size > PLANS_MAX) this.#plans = new Map();
    this.#plansOf = resolved;
    const key = registers.map((register) => resolved.registers.indexOf(register)).join();
    const { version, plan } = this.#learnt;
    const make = () => planReads(this.#profile, registers, { cost: this.#cost, listed: resolved.registers, ...plan });
    // A device that has taught nothing yet is like the others of its profile behind such a bus.
    if (version === 0)
      return this.#shelf.plan(resolved, `${this.#cost.perRequest} ${this.#cost.perRegister} ${key}`, make);
    const known = this.#plans.get(key);
    if (known?.version === version) return known;
    const made = make();
    this.#plans.set(key, { ...made, version });
    return made;
  }

  #fellSilent(reason: Reason, at: number, classes: ReadonlySet<PollClass>): Outcome {
    this.#silentPolls += 1;
    this.#silence = reason;
    // Whoever comes back may have been replaced or updated.
    if ((this.#profile.variants ?? []).length > 0) this.#resolved = undefined;
    const excess = this.#silentPolls - SILENT_POLLS_BEFORE_BACK_OFF;
    if (excess >= 0)
      this.#askAgainAt = at + Math.min(BACK_OFF_MAX_MS, this.#device.pollPeriodMs * 2 ** Math.min(excess + 1, 16));
    return this.#silent(at, classes);
  }

  /** Every metric that is due, with the reason of the silence. */
  #silent(at: number, classes: ReadonlySet<PollClass>): Outcome {
    const resolved = this.#resolved ?? this.#base;
    const asleep = this.#profile.protocol.sleepsAtNight === true;
    const reason: Reason = asleep ? 'asleep' : this.#silence;
    const image = createWordImage(addressStepOf(this.#profile));
    const due = this.#due(resolved, classes);
    for (const register of due) failRegister(this.#profile, image, register, reason);
    return { readings: decodeReadings(resolved, image, at, due), state: asleep ? 'asleep' : 'silent' };
  }

  /** The state at every poll; the counts behind it now and then, and whenever it changes. */
  #health(state: PollState, at: number): Reading[] {
    const slot = Math.floor(at / POLL_COUNTS_MS);
    const isDue = slot !== this.#countsSlot || state !== this.#state;
    this.#countsSlot = slot;
    this.#state = state;
    return [goodReading('poll.state', state, at), ...(isDue ? this.#counts(state, at) : [])];
  }

  #counts(state: PollState, at: number): Reading[] {
    const { timeouts, exceptions, garbled, latencyMs } = this.#asker.counts;
    return [
      goodReading('poll.expected', this.#expected, at),
      goodReading('poll.good', this.#good, at),
      goodReading('poll.timeouts', timeouts, at),
      goodReading('poll.exceptions', exceptions, at),
      goodReading('poll.garbled', garbled, at),
      latencyMs === null || state === 'silent' || state === 'asleep'
        ? invalidReading('poll.latency', state === 'asleep' ? 'asleep' : this.#silence, at)
        : goodReading('poll.latency', Math.round(latencyMs) / 1000, at),
    ];
  }
}

/** Registers of these classes that something needs: a metric, a derived value, or a value whose scale they are. */
export function dueRegisters(resolved: ResolvedProfile, classes: ReadonlySet<PollClass>): Set<Register> {
  const pollClasses = pollClassesOf(resolved);
  const used = new Set([
    ...resolved.derived.flatMap(namesIn),
    ...resolved.registers.flatMap(({ scaleFrom }) => scaleFrom ?? []),
  ]);
  return new Set(
    resolved.registers.filter(
      (register) =>
        (register.metric !== undefined || used.has(register.name ?? '')) &&
        classes.has(pollClasses.get(register) ?? 'fast'),
    ),
  );
}

function failRegister(profile: Profile, image: WordImage, register: Register, reason: Reason): void {
  const { own, high } = wordAddressesOf(profile, register);
  for (const address of high === undefined ? own : [...own, high])
    if (typeof image.at(tableOf(profile, register), address) !== 'object')
      image.fail(tableOf(profile, register), address, 1, reason);
}
