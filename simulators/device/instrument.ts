// A device between the world and the bus: what it measures or replays, what its own faults make of that, and its words.
import type { MeterRole } from '#domain/device-kind.js';
import type { Profile } from '#profiles/profile.js';
import type { DeviceFault } from '../fault/device-fault.js';
import { grownAt, isDeviceFault, type TimedFault } from '../fault/fault.js';
import type { ScenarioDevice } from '../scenarios/scenario.js';
import type { PostState } from '../world/post.js';
import type { PostSpec } from '../world/post-spec.js';
import type { MetricValue } from './encoder.js';
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

export function createInstrument(device: ScenarioDevice, profile: Profile, site: InstrumentSite): Instrument {
  const { id, unit, bus, role, variant, refreshS } = device;
  const place = { kind: profile.kind, ...(role === undefined ? {} : { role }) };
  const onsets = new Map<DeviceFault, Quantities>();
  let seen: { readonly state: PostState; readonly image: RegisterImage; readonly faults: number } | undefined;
  let held: RegisterImage | undefined;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let faultsKnown = 0;

  const measured = (): Quantities => {
    const state = site.state();
    const { recording } = site;
    return recording ? recording.values.at(state.at - recording.startAt) : quantitiesOf(site.spec, state, place);
  };
  const own = (): readonly TimedFault[] =>
    site.standing().filter(({ fault }) => isDeviceFault(fault) && fault.device === id);
  const fresh = (): RegisterImage => {
    const now = measured();
    const { at } = site.state();
    const faults = own();
    const spoilers = [...lasting(onsets, faults), ...faults.flatMap((timed) => spoilerOf(timed, at, onsets))];
    const value = (metric: string): MetricValue | undefined => spoil(profile, metric, now, spoilers);
    return imageOf(profile, value, {
      ...(variant === undefined ? {} : { variant }),
      swapWords: faults.some(({ fault }) => fault.kind === 'swappedWords'),
    });
  };
  const image = (): RegisterImage => {
    if (held) return held;
    const state = site.state();
    if (seen?.state !== state || seen.faults !== faultsKnown) seen = { state, image: fresh(), faults: faultsKnown };
    return seen.image;
  };
  const isAsleep = (): boolean =>
    profile.protocol.sleepsAtNight === true && site.state().sunlight.onArray < ASLEEP_BELOW;
  const observe = (): void => {
    const faults = own();
    for (const { fault } of faults)
      if (isDeviceFault(fault) && !onsets.has(fault)) {
        onsets.set(fault, measured());
        faultsKnown += 1;
      }
    const isStuck = faults.some(({ fault }) => fault.kind === 'stuck');
    const { at } = site.state();
    const isStale = refreshS !== undefined && at < heldUntil;
    if (!isStuck && !isStale) held = undefined;
    if (isStuck || refreshS !== undefined) held ??= fresh();
    if (refreshS !== undefined && !isStale) heldUntil = at + refreshS * 1000;
  };
  return {
    placed: {
      id,
      bus,
      unit,
      device: createDevice(profile, image, { ...(variant === undefined ? {} : { variant }), isAsleep }),
      ...(role === undefined ? {} : { role }),
    },
    observe,
  };
}

/** A reset of counters stays when its fault is over. */
function lasting(onsets: ReadonlyMap<DeviceFault, Quantities>, standing: readonly TimedFault[]): Spoiler[] {
  return [...onsets]
    .filter(([fault]) => isLasting(fault) && !standing.some((timed) => timed.fault === fault))
    .map(([fault, then]) => ({ fault, then, grown: 1 }));
}

function isLasting({ kind }: DeviceFault): boolean {
  return kind === 'counterReset' || kind === 'rollover';
}

function spoilerOf(timed: TimedFault, at: number, onsets: ReadonlyMap<DeviceFault, Quantities>): Spoiler[] {
  const { fault } = timed;
  const then = isDeviceFault(fault) ? onsets.get(fault) : undefined;
  return isDeviceFault(fault) && then !== undefined ? [{ fault, then, grown: grownAt(timed, at) }] : [];
}
