// A scenario come to life: every post with its world, its devices and its buses, moved on by whoever holds the clock.

import type { Scheduler } from '#domain/clock.js';
import { metricsOf } from '#profiles/extent.js';
import type { Profile } from '#profiles/profile.js';
import { createInstrument, type PlacedDevice } from './device/instrument.js';
import type { Recording } from './device/recording.js';
import type { SimulatedDevice } from './device/simulated-device.js';
import type { BusDisturbance } from './fault/bus-fault.js';
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
import { faultsByChance } from './fault/usual-faults.js';
import { checkDevices, type Scenario, type ScenarioPost } from './scenarios/scenario.js';
import { type ServedBus, serveBus, type Wire } from './serve/serve-bus.js';
import { createPost, longestStepMs, type PostState, stepPost } from './world/post.js';
import type { PostSpec } from './world/post-spec.js';
import { resumeRandom, seedFor } from './world/random.js';

export type { PlacedDevice } from './device/instrument.js';

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
  /** Recorded plants by the name that the scenario's devices give them. */
  readonly recordings?: ReadonlyMap<string, Recording>;
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
  /** Puts a bus on a wire. Rejects when its port is taken, or there is no pseudo-terminal to be had. */
  serve(options: ServePostOptions): Promise<ServedBus>;
  /** Starts a fault now; its seconds count from this moment. The returned function ends it. */
  inject(fault: Fault): () => void;
  /** What the faults of this moment do to one request to a device. */
  talkTo(device: string): BusDisturbance;
  /** Faults that stand now. */
  activeFaults(): readonly Fault[];
  /** All that is, was or will be wrong, as far as it is known: the scenario's faults, and those started by hand. */
  truth(): readonly Truth[];
}

export interface ServePostOptions {
  readonly bus?: string;
  readonly wire: Wire;
  readonly scheduler: Scheduler;
  /** Devices keep silent when they are asked again too soon, as the profile says. Default: they are patient. */
  readonly needsPauses?: boolean;
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

/** Everything that changes while a post lives. */
interface Life {
  state: PostState;
  faults: TimedFault[];
  /** Those of them that stand now: asked for by each device in each step, and found once. */
  standing: readonly TimedFault[];
}

function createPostSimulation(scenario: ScenarioPost, seed: number, options: SimulationOptions): PostSimulation {
  const spec = scenario.world;
  const originAt = options.faultsFrom ?? options.startAt;
  const life: Life = {
    state: createPost(spec, options.startAt, seed),
    faults: [...scenario.faults, ...byChance(scenario, seed, options)].map((fault) => timedFault(fault, originAt)),
    standing: [],
  };
  const look = (): void => {
    life.standing = faultsAt(life.faults, life.state.at);
  };
  look();
  const standing = (): readonly TimedFault[] => life.standing;
  const instruments = scenario.devices.map((device) => {
    const profile = options.catalog.get(device.profile)?.profile;
    if (!profile) throw new Error(`no profile "${device.profile}"`);
    return createInstrument(device, profile, {
      spec,
      state: () => life.state,
      standing,
      recording: recordingOf(device.recording, options),
    });
  });
  const devices = instruments.map(({ placed }) => placed);
  const chance = resumeRandom(seedFor(seed, 'talk')).next;
  const observe = (): void => {
    for (const instrument of instruments) instrument.observe();
  };
  observe();
  return {
    id: scenario.id,
    scenario,
    spec,
    devices,
    buses: [...new Set(devices.map(({ bus }) => bus))],
    state: () => life.state,
    talkTo: (device) => talkOf(standing(), device, chance),
    activeFaults: () => standing().map(({ fault }) => fault),
    truth: () => life.faults.map((fault) => truthOf(scenario.id, fault)),
    stepTo: (at) => {
      while (life.state.at < at) {
        advance(spec, life, at);
        look();
        observe();
      }
    },
    deviceOf: (unit, bus) => devices.find((one) => one.unit === unit && (bus ?? one.bus) === one.bus)?.device,
    serve: (serving) => serve(devices, standing, seed, serving),
    inject: (fault) => {
      const timed = timedFault(fault, life.state.at);
      life.faults = [...life.faults, timed];
      look();
      observe();
      return () => {
        life.faults = life.faults.map((one) => (one === timed ? { ...one, to: Math.min(one.to, life.state.at) } : one));
        look();
      };
    },
  };
}

function byChance({ chance, devices, world }: ScenarioPost, seed: number, { catalog }: SimulationOptions): Fault[] {
  if (chance === undefined) return [];
  const faulty = devices.map(({ id, profile }) => {
    const known = catalog.get(profile)?.profile;
    return { id, metrics: known === undefined ? [] : metricsOf(known) };
  });
  return faultsByChance(seed, chance, world, faulty);
}

function recordingOf(name: string | undefined, { recordings, startAt }: SimulationOptions) {
  if (name === undefined) return undefined;
  const values = recordings?.get(name);
  if (!values) throw new Error(`no recording "${name}"`);
  return { values, startAt };
}

/** One step: as long as the world allows, but not over the next beginning or end of a fault. */
function advance(spec: PostSpec, life: Life, until: number): void {
  const { at } = life.state;
  const disturbance = disturbanceOf(life.standing, at);
  const end = Math.min(until, at + longestStepMs(life.state, disturbance), nextChangeAfter(life.faults, at));
  life.state = stepPost(spec, life.state, end - at, disturbance);
}

function serve(
  devices: readonly PlacedDevice[],
  standing: () => readonly TimedFault[],
  seed: number,
  { bus, wire, scheduler, needsPauses = false }: ServePostOptions,
): Promise<ServedBus> {
  const here = devices.filter((one) => bus === undefined || one.bus === bus);
  const idOf = new Map(here.map(({ unit, id }) => [unit, id]));
  const chance = resumeRandom(seedFor(seed, `bus ${bus ?? ''}`)).next;
  return serveBus(wire, {
    units: new Map(here.map(({ unit, device }) => [unit, device])),
    faults: (unit) => talkOf(standing(), idOf.get(unit) ?? '', chance),
    scheduler,
    needsPauses,
  });
}
