// A scenario come to life: every post with its world, its devices and its buses, moved on by whoever holds the clock.

import type { Scheduler } from '#domain/clock.js';
import type { MeterRole } from '#domain/device-kind.js';
import { metricOf } from '#domain/metric.js';
import type { Profile } from '#profiles/profile.js';
import type { MetricValue } from './device/encoder.js';
import { imageOf, type RegisterImage } from './device/image.js';
import { type Quantities, quantitiesOf } from './device/quantities.js';
import { createDevice, type SimulatedDevice } from './device/simulated-device.js';
import {
  disturbanceOf,
  type Fault,
  faultsAt,
  nextChangeAfter,
  type TimedFault,
  talkOf,
  timedFault,
} from './fault/fault.js';
import { type Truth, truthOf } from './fault/truth.js';
import { checkDevices, type Scenario, type ScenarioDevice, type ScenarioPost } from './scenarios/scenario.js';
import { type ServedBus, serveModbusTcp } from './serve/modbus-tcp.js';
import { createPost, longestStepMs, type PostState, stepPost } from './world/post.js';
import type { PostSpec } from './world/post-spec.js';
import { seedFor } from './world/random.js';

/** Profiles by id, as `profiles/catalog.ts` loads them. */
export type ProfileCatalog = ReadonlyMap<string, { readonly profile: Profile }>;

export interface SimulationOptions {
  /** Epoch ms at which the posts' worlds begin. */
  readonly startAt: number;
  /** Epoch ms that the scenario's faults count from. Default: `startAt`. A demo gives the moment at which it goes live. */
  readonly faultsFrom?: number;
  /** Default: the scenario's. */
  readonly seed?: number;
  readonly catalog: ProfileCatalog;
}

/** A device with its place on the post's buses. */
export interface PlacedDevice {
  readonly id: string;
  readonly bus: string;
  readonly unit: number;
  readonly role?: MeterRole;
  readonly device: SimulatedDevice;
}

export interface PostSimulation {
  readonly id: string;
  readonly scenario: ScenarioPost;
  readonly spec: PostSpec;
  readonly devices: readonly PlacedDevice[];
  /** Names of its buses. */
  readonly buses: readonly string[];
  /** The world at this moment: for tests and for the truth behind the registers. */
  state(): PostState;
  /**
   * Moves the world on to a moment. The same sequence of moments gives the same registers, bit for bit. Going back does nothing.
   */
  stepTo(at: number): void;
  deviceOf(unit: number, bus?: string): SimulatedDevice | undefined;
  /** Puts a bus on a TCP port (0: a free one). Rejects when the port is taken. */
  serve(options: ServePostOptions): Promise<ServedBus>;
  /** Starts a fault now; its seconds count from this moment. The returned function ends it. */
  inject(fault: Fault): () => void;
  /** Faults that stand now. */
  activeFaults(): readonly Fault[];
  /** All that is, was or will be wrong, as far as it is known: the scenario's faults, and those started by hand. */
  truth(): readonly Truth[];
}

export interface ServePostOptions {
  readonly bus?: string;
  readonly host: string;
  readonly port: number;
  readonly scheduler: Scheduler;
}

export interface Simulation {
  readonly scenario: Scenario;
  readonly posts: ReadonlyMap<string, PostSimulation>;
  /** Moves all posts on. */
  stepTo(at: number): void;
}

/**
 * Brings a scenario to life. Two simulations of the same scenario, seed and sequence of steps are bit-identical, so that one
 * can take over from another. Throws where `checkDevices` finds a fault.
 */
export function createSimulation(scenario: Scenario, options: SimulationOptions): Simulation {
  const faults = checkDevices(scenario, (id) => options.catalog.get(id)?.profile);
  if (faults.length > 0) throw new Error(faults.map(({ path, message }) => `${path}: ${message}`).join('; '));
  const seed = options.seed ?? scenario.seed;
  const posts = new Map(
    scenario.posts.map((post) => [post.id, createPostSimulation(post, seedFor(seed, post.id), options)]),
  );
  return {
    scenario,
    posts,
    stepTo: (at) => {
      for (const post of posts.values()) post.stepTo(at);
    },
  };
}

/** A device between the world and the bus: what its own faults make of what it measures. */
interface Instrument {
  readonly placed: PlacedDevice;
  /** Takes note of faults that began: called after each step, so that what is stuck does not depend on who reads when. */
  observe(active: readonly Fault[]): void;
}

/** Everything that changes while a post lives. */
interface Life {
  state: PostState;
  faults: TimedFault[];
}

function createPostSimulation(scenario: ScenarioPost, seed: number, options: SimulationOptions): PostSimulation {
  const spec = scenario.world;
  const originAt = options.faultsFrom ?? options.startAt;
  const life: Life = {
    state: createPost(spec, options.startAt, seed),
    faults: scenario.faults.map((fault) => timedFault(fault, originAt)),
  };
  const active = (): readonly Fault[] => faultsAt(life.faults, life.state.at);
  const instruments = scenario.devices.map((device) => createInstrument(device, spec, life, active, options.catalog));
  const devices = instruments.map(({ placed }) => placed);
  const observe = (): void => {
    for (const instrument of instruments) instrument.observe(active());
  };
  observe();
  return {
    id: scenario.id,
    scenario,
    spec,
    devices,
    buses: [...new Set(devices.map(({ bus }) => bus))],
    state: () => life.state,
    activeFaults: active,
    truth: () => life.faults.map((fault) => truthOf(scenario.id, fault)),
    stepTo: (at) => {
      while (life.state.at < at) {
        advance(spec, life, at);
        observe();
      }
    },
    deviceOf: (unit, bus) => devices.find((one) => one.unit === unit && (bus ?? one.bus) === one.bus)?.device,
    serve: (serving) => serveBus(devices, active, serving),
    inject: (fault) => {
      const timed = timedFault(fault, life.state.at);
      life.faults = [...life.faults, timed];
      observe();
      return () => {
        life.faults = life.faults.map((one) => (one === timed ? { ...one, to: Math.min(one.to, life.state.at) } : one));
      };
    },
  };
}

/** One step: as long as the world allows, but not over the next beginning or end of a fault. */
function advance(spec: PostSpec, life: Life, until: number): void {
  const disturbance = disturbanceOf(faultsAt(life.faults, life.state.at));
  const end = Math.min(
    until,
    life.state.at + longestStepMs(life.state, disturbance),
    nextChangeAfter(life.faults, life.state.at),
  );
  life.state = stepPost(spec, life.state, end - life.state.at, disturbance);
}

function serveBus(
  devices: readonly PlacedDevice[],
  active: () => readonly Fault[],
  { bus, host, port, scheduler }: ServePostOptions,
): Promise<ServedBus> {
  const here = devices.filter((one) => bus === undefined || one.bus === bus);
  const idOf = new Map(here.map(({ unit, id }) => [unit, id]));
  return serveModbusTcp({
    host,
    port,
    units: new Map(here.map(({ unit, device }) => [unit, device])),
    faults: (unit) => talkOf(active(), idOf.get(unit) ?? ''),
    scheduler,
  });
}

function createInstrument(
  { id, profile: profileId, unit, bus, role, variant }: ScenarioDevice,
  spec: PostSpec,
  life: Life,
  active: () => readonly Fault[],
  catalog: ProfileCatalog,
): Instrument {
  const profile = catalog.get(profileId)?.profile;
  if (!profile) throw new Error(`no profile "${profileId}"`);
  const place = { kind: profile.kind, ...(role === undefined ? {} : { role }) };
  const resets = new Map<Fault, Quantities>();
  let seen: { readonly state: PostState; readonly faults: readonly Fault[]; readonly image: RegisterImage } | undefined;
  let stuck: RegisterImage | undefined;

  const own = (faults: readonly Fault[]): readonly Fault[] =>
    faults.filter((fault) => 'device' in fault && fault.device === id);
  const fresh = (faults: readonly Fault[]): RegisterImage => {
    const quantities = quantitiesOf(spec, life.state, place);
    const value = (metric: string): MetricValue | undefined => spoil(metric, quantities[metric], faults, resets);
    return imageOf(profile, value, {
      ...(variant === undefined ? {} : { variant }),
      swapWords: faults.some(({ kind }) => kind === 'swappedWords'),
    });
  };
  const image = (): RegisterImage => {
    if (stuck) return stuck;
    const faults = own(active());
    const same = seen?.state === life.state && sameFaults(seen.faults, faults);
    if (!seen || !same) seen = { state: life.state, faults, image: fresh(faults) };
    return seen.image;
  };
  const isAsleep = (): boolean => profile.protocol.sleepsAtNight === true && life.state.sunlight.onArray < 5;
  const device = createDevice(profile, image, { ...(variant === undefined ? {} : { variant }), isAsleep });
  return {
    placed: { id, bus, unit, device, ...(role === undefined ? {} : { role }) },
    observe: (all) => {
      const faults = own(all);
      for (const fault of faults)
        if (fault.kind === 'counterReset' && !resets.has(fault))
          resets.set(fault, quantitiesOf(spec, life.state, place));
      if (!faults.some(({ kind }) => kind === 'stuck')) stuck = undefined;
      else stuck ??= fresh(faults);
    },
  };
}

function sameFaults(one: readonly Fault[], other: readonly Fault[]): boolean {
  return one.length === other.length && one.every((fault, index) => fault === other[index]);
}

/** What a device's own faults make of a value. */
function spoil(
  metric: string,
  value: MetricValue | undefined,
  faults: readonly Fault[],
  resets: ReadonlyMap<Fault, Quantities>,
): MetricValue | undefined {
  for (const fault of faults)
    if (fault.kind === 'noValue' && (fault.metrics === undefined || fault.metrics.includes(metric))) return null;
  if (typeof value !== 'number' || metricOf(metric)?.kind !== 'counter' || resets.size === 0) return value;
  let least = 0;
  for (const quantities of resets.values()) {
    const then = quantities[metric];
    if (typeof then === 'number') least = Math.max(least, then);
  }
  return value - least;
}
