// A device between the world and the bus: what it measures or replays, what its own faults make of that, and its words.
import type { MeterRole } from '#domain/device-kind.js';
import type { Profile } from '#profiles/profile.js';
import type { DeviceFault } from '../fault/device-fault.js';
import { grownAt, isDeviceFault, type TimedFault } from '../fault/fault.js';
import type { ScenarioDevice } from '../scenarios/scenario.js';
import type { PostState } from '../world/post.js';
import type { PostSpec } from '../world/post-spec.js';
import { imageOf, type RegisterImage } from './image.js';
import { type Quantities, quantitiesOf } from './quantities.js';
import type { Recording } from './recording.js';
import { createDevice, type SimulatedDevice } from './simulated-device.js';
import { type Spoiler, spoil } from './spoil.js';

/** A device with its place on the post's buses. */
export interface PlacedDevice {
  readonly id: string;
  readonly bus: string;
  readonly unit: number;
  readonly role?: MeterRole;
  readonly device: SimulatedDevice;
}

export interface Instrument {
  readonly placed: PlacedDevice;
  /** Takes note of the moment: called after each step, so that what is shown does not depend on who reads when. */
  observe(): void;
}

/** What an instrument is part of. */
export interface InstrumentSite {
  readonly spec: PostSpec;
  state(): PostState;
  /** Faults that stand now. */
  standing(): readonly TimedFault[];
  /** Replayed in place of what the world would show. */
  readonly recording?: { readonly values: Recording; readonly startAt: number } | undefined;
}

/** Irradiance below which a device that lives on the array is off, W/m². */
const ASLEEP_BELOW = 5;
const LASTING: readonly DeviceFault['kind'][] = ['counterReset', 'rollover'];

export function createInstrument(device: ScenarioDevice, profile: Profile, site: InstrumentSite): Instrument {
  return new SiteInstrument(device, profile, site);
}

class SiteInstrument implements Instrument {
  readonly placed: PlacedDevice;
  readonly #device: ScenarioDevice;
  readonly #profile: Profile;
  readonly #site: InstrumentSite;
  /** What was measured when each fault of this device began. */
  readonly #onsets = new Map<DeviceFault, Quantities>();
  /** The image of a moment, and how many faults had begun by then. */
  #seen: { readonly state: PostState; readonly image: RegisterImage; readonly begun: number } | undefined;
  /** Shown in place of what is measured: the device is stuck, or its dongle has not asked it again. */
  #held: RegisterImage | undefined;
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor(device: ScenarioDevice, profile: Profile, site: InstrumentSite) {
    this.#device = device;
    this.#profile = profile;
    this.#site = site;
    const { id, unit, bus, role, variant } = device;
    const isAsleep = (): boolean =>
      profile.protocol.sleepsAtNight === true && site.state().sunlight.onArray < ASLEEP_BELOW;
    const served = createDevice(profile, () => this.#image(), { ...(variant !== undefined && { variant }), isAsleep });
    this.placed = { id, bus, unit, device: served, ...(role !== undefined && { role }) };
  }

  observe(): void {
    const own = this.#ownFaults();
    for (const { fault } of own)
      if (isDeviceFault(fault) && !this.#onsets.has(fault)) this.#onsets.set(fault, this.#measured());
    const { refreshS } = this.#device;
    const { at } = this.#site.state();
    const isStuck = own.some(({ fault }) => fault.kind === 'stuck');
    const isStale = refreshS !== undefined && at < this.#heldUntil;
    if (!isStuck && !isStale) this.#held = undefined;
    if (isStuck || refreshS !== undefined) this.#held ??= this.#fresh();
    if (refreshS !== undefined && !isStale) this.#heldUntil = at + refreshS * 1000;
  }

  #image(): RegisterImage {
    if (this.#held) return this.#held;
    const state = this.#site.state();
    const begun = this.#onsets.size;
    if (this.#seen?.state !== state || this.#seen.begun !== begun) this.#seen = { state, image: this.#fresh(), begun };
    return this.#seen.image;
  }

  #fresh(): RegisterImage {
    const now = this.#measured();
    const own = this.#ownFaults();
    const { at } = this.#site.state();
    const spoilers = [...this.#lasting(own), ...own.flatMap((timed) => this.#spoilerOf(timed, at))];
    const { variant } = this.#device;
    return imageOf(this.#profile, (metric) => spoil(this.#profile, metric, now, spoilers), {
      ...(variant !== undefined && { variant }),
      swapWords: own.some(({ fault }) => fault.kind === 'swappedWords'),
    });
  }

  #measured(): Quantities {
    const { recording, spec } = this.#site;
    const state = this.#site.state();
    if (recording) return recording.values.at(state.at - recording.startAt);
    const { role } = this.#device;
    return quantitiesOf(spec, state, { kind: this.#profile.kind, ...(role !== undefined && { role }) });
  }

  #ownFaults(): readonly TimedFault[] {
    return this.#site.standing().filter(({ fault }) => isDeviceFault(fault) && fault.device === this.#device.id);
  }

  /** A reset of counters stays when its fault is over. */
  #lasting(standing: readonly TimedFault[]): Spoiler[] {
    return [...this.#onsets]
      .filter(([fault]) => LASTING.includes(fault.kind) && !standing.some((timed) => timed.fault === fault))
      .map(([fault, then]) => ({ fault, then, grown: 1 }));
  }

  #spoilerOf(timed: TimedFault, at: number): Spoiler[] {
    const { fault } = timed;
    const then = isDeviceFault(fault) ? this.#onsets.get(fault) : undefined;
    return isDeviceFault(fault) && then !== undefined ? [{ fault, then, grown: grownAt(timed, at) }] : [];
  }
}
