// Faults as data: what goes wrong, where, from when to when. Times are seconds from the scenario's start.
import { type Static, type TSchema, Type } from 'typebox';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import type { Disturbance } from '../world/disturbance.js';
import type { BusDisturbance } from './bus-fault.js';

const strict = { additionalProperties: false } as const;
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });
const share = Type.Number({ minimum: 0, maximum: 1 });

const when = {
  /** Seconds from the scenario's start; negative: it stands already. */
  fromS: Type.Number(),
  /** Without an end it stays. */
  toS: Type.Optional(Type.Number()),
  note: Type.Optional(Type.String()),
};
/** One device, or the whole bus where none is named. */
const where = { device: Type.Optional(identifier) };
const one = { device: identifier };

const plant = <T extends string, P extends Record<string, ReturnType<typeof Type.Number>>>(kind: T, more: P) =>
  Type.Object({ kind: Type.Literal(kind), ...when, ...more }, strict);

export const PlantFaultSchema = Type.Union([
  /** The battery is pulled to a state of charge, %, at 10 % a second. */
  plant('batterySoc', { soc: Type.Number({ minimum: 0, maximum: 100 }) }),
  plant('dryWell', {}),
  plant('closedValve', {}),
  plant('noFlow', {}),
  plant('pumpByHand', {}),
  plant('pumpOff', {}),
  /** Times the friction of the line. */
  plant('blockage', { factor: Type.Number({ minimum: 1 }) }),
  /** Times the pump's head. */
  plant('wornPump', { factor: share }),
  /** Share of the pumped water lost before the tank. */
  plant('lineLeak', { share }),
  plant('tankLeak', { flowM3h: Type.Number({ minimum: 0 }) }),
  plant('gensetFailsToStart', {}),
  plant('gridLost', {}),
  /** Share of the light that still reaches the array. */
  plant('snow', { share }),
  plant('floatStuckFull', {}),
  plant('floatStuckNotFull', {}),
]);
export type PlantFault = Static<typeof PlantFaultSchema>;

export const TalkFaultSchema = Type.Union([
  Type.Object({ kind: Type.Literal('silence'), ...when, ...where }, strict),
  Type.Object({ kind: Type.Literal('delay'), ...when, ...where, delayMs: Type.Integer({ minimum: 1 }) }, strict),
  Type.Object(
    { kind: Type.Literal('exception'), ...when, ...where, exception: Type.Integer({ minimum: 1, maximum: 255 }) },
    strict,
  ),
  Type.Object({ kind: Type.Literal('garbled'), ...when, ...where }, strict),
  Type.Object({ kind: Type.Literal('miscounted'), ...when, ...where }, strict),
  Type.Object({ kind: Type.Literal('truncated'), ...when, ...where }, strict),
  Type.Object({ kind: Type.Literal('wrongUnit'), ...when, ...where }, strict),
  Type.Object({ kind: Type.Literal('drop'), ...when, ...where }, strict),
  /** Each answer comes twice. */
  Type.Object({ kind: Type.Literal('doubled'), ...when, ...where }, strict),
  /** Connections that asked while it stood are never answered again, and never closed. */
  Type.Object({ kind: Type.Literal('halfOpen'), ...when, ...where }, strict),
]);
export type TalkFault = Static<typeof TalkFaultSchema>;

export const DeviceFaultSchema = Type.Union([
  /** Answers the same words again and again. */
  Type.Object({ kind: Type.Literal('stuck'), ...when, ...one }, strict),
  /** Has no value for these metrics, or for any. */
  Type.Object(
    { kind: Type.Literal('noValue'), ...when, ...one, metrics: Type.Optional(Type.Array(Type.String())) },
    strict,
  ),
  /** Counters start again from zero. That lasts, whatever `toS` says. */
  Type.Object({ kind: Type.Literal('counterReset'), ...when, ...one }, strict),
  /** 32-bit values with their words the wrong way round, as after an update. */
  Type.Object({ kind: Type.Literal('swappedWords'), ...when, ...one }, strict),
]);
export type DeviceFault = Static<typeof DeviceFaultSchema>;

export const FaultSchema = Type.Union([PlantFaultSchema, TalkFaultSchema, DeviceFaultSchema]);
export type Fault = Static<typeof FaultSchema>;

/** Each kind with what belongs to it. */
export const FAULT_KINDS: ReadonlyMap<string, TSchema> = new Map(
  [...PlantFaultSchema.anyOf, ...TalkFaultSchema.anyOf, ...DeviceFaultSchema.anyOf].map((schema) => [
    schema.properties.kind.const,
    schema,
  ]),
);

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
export function faultsAt(faults: readonly TimedFault[], at: number): readonly Fault[] {
  return faults.filter(({ from, to }) => from <= at && at < to).map(({ fault }) => fault);
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

/** What the plant's faults of a moment do together. Of two of one kind the later one in the list wins. */
export function disturbanceOf(faults: readonly Fault[]): Disturbance {
  return Object.assign({}, ...faults.map(plantDisturbance)) as Disturbance;
}

function plantDisturbance(fault: Fault): Disturbance {
  switch (fault.kind) {
    case 'batterySoc':
      return { batterySoc: fault.soc };
    case 'dryWell':
    case 'closedValve':
    case 'noFlow':
    case 'pumpByHand':
    case 'pumpOff':
    case 'gensetFailsToStart':
    case 'gridLost':
      return { [fault.kind]: true };
    case 'blockage':
      return { frictionFactor: fault.factor };
    case 'wornPump':
      return { headFactor: fault.factor };
    case 'lineLeak':
      return { lineLeakShare: fault.share };
    case 'tankLeak':
      return { tankLeakM3h: fault.flowM3h };
    case 'snow':
      return { sunFactor: fault.share };
    case 'floatStuckFull':
      return { floatStuck: 'full' };
    case 'floatStuckNotFull':
      return { floatStuck: 'notFull' };
    default:
      return {};
  }
}

/** What the faults of a moment do to the talk of one device. */
export function talkOf(faults: readonly Fault[], device: string): BusDisturbance {
  return Object.assign({}, ...faults.map((fault) => talkDisturbance(fault, device))) as BusDisturbance;
}

function talkDisturbance(fault: Fault, device: string): BusDisturbance {
  if ('device' in fault && fault.device !== undefined && fault.device !== device) return {};
  switch (fault.kind) {
    case 'silence':
      return { silent: true };
    case 'delay':
      return { delayMs: fault.delayMs };
    case 'exception':
      return { exception: fault.exception };
    case 'garbled':
    case 'miscounted':
    case 'truncated':
    case 'wrongUnit':
    case 'drop':
    case 'doubled':
    case 'halfOpen':
      return { [fault.kind]: true };
    default:
      return {};
  }
}
