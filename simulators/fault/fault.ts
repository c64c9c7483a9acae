// Faults as data: what goes wrong, where, from when to when. Times are seconds from the scenario's start.
import { type TSchema, Type } from 'typebox';
import type { Disturbance } from '../world/disturbance.js';
import { type BusDisturbance, TALK_FAULTS, type TalkFault } from './bus-fault.js';
import { DEVICE_FAULTS, type DeviceFault } from './device-fault.js';
import { type FaultOf, schemasOf } from './fault-kind.js';
import { POST_FAULTS, type PostFault } from './post-fault.js';
import { ARRAY_FAULTS, BATTERY_FAULTS, GENSET_FAULTS, INVERTER_FAULTS } from './power-faults.js';
import { PUMP_FAULTS, WATER_FAULTS } from './water-faults.js';

const PLANT_FAULTS = {
  ...BATTERY_FAULTS,
  ...INVERTER_FAULTS,
  ...ARRAY_FAULTS,
  ...GENSET_FAULTS,
  ...PUMP_FAULTS,
  ...WATER_FAULTS,
};
export type PlantFault = FaultOf<typeof PLANT_FAULTS>;

export type Fault = PlantFault | TalkFault | DeviceFault | PostFault;

/** Kinds by what they belong to, as a person looks for them. */
export const FAULT_GROUPS = {
  battery: Object.keys(BATTERY_FAULTS),
  inverter: Object.keys(INVERTER_FAULTS),
  array: Object.keys(ARRAY_FAULTS),
  genset: Object.keys(GENSET_FAULTS),
  pump: Object.keys(PUMP_FAULTS),
  water: Object.keys(WATER_FAULTS),
  bus: Object.keys(TALK_FAULTS),
  device: Object.keys(DEVICE_FAULTS),
  post: Object.keys(POST_FAULTS),
} as const;
export type FaultGroup = keyof typeof FAULT_GROUPS;

/** Each kind with its schema. */
export const FAULT_KINDS: ReadonlyMap<string, TSchema> = new Map(
  [PLANT_FAULTS, TALK_FAULTS, DEVICE_FAULTS, POST_FAULTS].flatMap(schemasOf),
);

export const FaultSchema = Type.Unsafe<Fault>(Type.Union([...FAULT_KINDS.values()]));

/** A fault with its times on the clock, epoch ms. */
export interface TimedFault {
  readonly fault: Fault;
  readonly from: number;
  readonly to: number;
}

/** Puts a fault's times on the clock. @param originAt epoch ms that its seconds count from */
export function timedFault(fault: Fault, originAt: number): TimedFault {
  const to = fault.toS === undefined ? Number.POSITIVE_INFINITY : originAt + fault.toS * 1000;
  return { fault, from: originAt + fault.fromS * 1000, to };
}

/** Faults that stand at a moment. */
export function faultsAt(faults: readonly TimedFault[], at: number): readonly TimedFault[] {
  return faults.filter(({ from, to }) => from <= at && at < to);
}

/** How far a fault has grown at a moment, 0 to 1. */
export function grownAt({ fault, from }: TimedFault, at: number): number {
  const { rampS = 0 } = fault;
  return rampS === 0 ? 1 : Math.min(1, Math.max(0, (at - from) / 1000 / rampS));
}

/** The next moment after `at` at which a fault begins or ends; infinity where none does. */
export function nextChangeAfter(faults: readonly TimedFault[], at: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { from, to } of faults) {
    if (from > at) next = Math.min(next, from);
    if (to > at) next = Math.min(next, to);
  }
  return next;
}

const NOTHING_WRONG: Disturbance = {};

/** What the plant's faults that stand at a moment do together. Of two of one kind the later one in the list wins. */
export function disturbanceOf(standing: readonly TimedFault[], at: number): Disturbance {
  if (standing.length === 0) return NOTHING_WRONG;
  return Object.assign(
    {},
    ...standing.map((timed) => plantDisturbance(timed.fault, grownAt(timed, at))),
  ) as Disturbance;
}

function plantDisturbance(fault: Fault, grown: number): Disturbance {
  if (!(fault.kind in PLANT_FAULTS)) return NOTHING_WRONG;
  // The measures were checked against the kind's own schema.
  const { effect } = PLANT_FAULTS[fault.kind as PlantFault['kind']];
  return (effect as (measures: Fault, grown: number) => Disturbance)(fault, grown);
}

/**
 * What the faults of a moment do to one request to a device.
 * @param chance uniform in [0, 1): decides for faults that happen to a share of the requests
 */
export function talkOf(standing: readonly TimedFault[], device: string, chance: () => number): BusDisturbance {
  return Object.assign({}, ...standing.map(({ fault }) => talkDisturbance(fault, device, chance))) as BusDisturbance;
}

function talkDisturbance(fault: Fault, device: string, chance: () => number): BusDisturbance {
  if (fault.kind === 'powerCut') return { silent: true };
  if (!isTalkFault(fault)) return {};
  if (fault.device !== undefined && fault.device !== device) return {};
  if (fault.share !== undefined && chance() >= fault.share) return {};
  return (TALK_FAULTS[fault.kind].effect as (measures: TalkFault, grown: number) => BusDisturbance)(fault, 1);
}

export function isTalkFault(fault: Fault): fault is TalkFault {
  return fault.kind in TALK_FAULTS;
}

export function isDeviceFault(fault: Fault): fault is DeviceFault {
  return fault.kind in DEVICE_FAULTS;
}

export function isPostFault(fault: Fault): fault is PostFault {
  return fault.kind in POST_FAULTS;
}
