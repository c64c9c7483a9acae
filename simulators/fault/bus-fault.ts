// What can go wrong between a device and the one who asks it.
import { type TProperties, Type } from 'typebox';
import { device, type FaultKind, type FaultOf } from './fault-kind.js';

/** The sum of the faults of a bus or device at one moment. Empty: all is well. */
export interface BusDisturbance {
  readonly silent?: boolean;
  readonly delayMs?: number;
  /** Modbus exception code instead of an answer. */
  readonly exception?: number;
  /** An answer of another function than was asked for. */
  readonly garbled?: boolean;
  /** An answer whose checksum is wrong. Where there is none (Modbus TCP), the converter has thrown it away. */
  readonly badCrc?: boolean;
  /** An answer whose byte count is not that of its data. Many clients believe it. */
  readonly miscounted?: boolean;
  /** An answer that ends too early. */
  readonly truncated?: boolean;
  /** An answer under another unit. */
  readonly wrongUnit?: boolean;
  /** Before the answer comes one to a question of somebody else on the line. */
  readonly foreignMaster?: boolean;
  /** The connection is cut. */
  readonly drop?: boolean;
  /** The answer comes twice, as from a converter that repeats itself. */
  readonly doubled?: boolean;
  /** The connection is dead from now on, and its end is not told: a converter that was switched off and on again. */
  readonly halfOpen?: boolean;
}

const DEVICE_BUSY = 6;

/** One device, or the whole bus where none is named; and the share of requests that it happens to, all without one. */
const where = {
  device: Type.Optional(device),
  share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
};

function talk<P extends TProperties>(
  more: P,
  effect: FaultKind<P, BusDisturbance>['effect'],
): FaultKind<P & typeof where, BusDisturbance> {
  return { measures: { ...where, ...more }, effect: effect as FaultKind<P & typeof where, BusDisturbance>['effect'] };
}

export const TALK_FAULTS = {
  silence: talk({}, () => ({ silent: true })),
  delay: talk({ delayMs: Type.Integer({ minimum: 1 }) }, ({ delayMs }) => ({ delayMs })),
  exception: talk({ exception: Type.Integer({ minimum: 1, maximum: 255 }) }, ({ exception }) => ({ exception })),
  busy: talk({}, () => ({ exception: DEVICE_BUSY })),
  garbled: talk({}, () => ({ garbled: true })),
  badCrc: talk({}, () => ({ badCrc: true })),
  miscounted: talk({}, () => ({ miscounted: true })),
  truncated: talk({}, () => ({ truncated: true })),
  wrongUnit: talk({}, () => ({ wrongUnit: true })),
  foreignMaster: talk({}, () => ({ foreignMaster: true })),
  drop: talk({}, () => ({ drop: true })),
  /** Each answer comes twice. */
  doubled: talk({}, () => ({ doubled: true })),
  /** Connections that asked while it stood are never answered again, and never closed. */
  halfOpen: talk({}, () => ({ halfOpen: true })),
};
export type TalkFault = FaultOf<typeof TALK_FAULTS>;
