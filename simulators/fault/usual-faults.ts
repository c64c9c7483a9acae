// How often each fault happens at a post, how long it lasts and how bad it is: for years by chance, and for a hand that wants
// to break something without thinking of measures.
import { readFileSync } from 'node:fs';
import { type Static, type TProperties, Type } from 'typebox';
import { Value } from 'typebox/value';
import { metricOf } from '#domain/metric.js';
import type { PostSpec } from '../world/post-spec.js';
import { poisson, type RandomStream, SeededStream, seedFor } from '../world/random.js';
import { FAULT_GROUPS, FAULT_KINDS, type Fault, type FaultGroup } from './fault.js';

const range = Type.Tuple([Type.Number(), Type.Number()]);
export const UsualFaultSchema = Type.Object(
  {
    kind: Type.String(),
    /** Times in a year at one post. Guesses of the field, not statistics. */
    perYear: Type.Number({ minimum: 0 }),
    /** Shortest and longest. */
    hours: range,
    /** Each measure from mild to severe. */
    measures: Type.Optional(Type.Record(Type.String(), range)),
  },
  { additionalProperties: false },
);
export type UsualFault = Static<typeof UsualFaultSchema>;

/** All kinds, as `usual-faults.json` has them. */
export const USUAL_FAULTS: readonly UsualFault[] = Value.Parse(
  Type.Array(UsualFaultSchema),
  JSON.parse(readFileSync(new URL('./usual-faults.json', import.meta.url), 'utf8')),
);

/** A device of the post that a fault may be at. */
export interface FaultyDevice {
  readonly id: string;
  /** Metrics that its profile knows. */
  readonly metrics: readonly string[];
}

/** Groups of faults that this post can have: a post without a genset has no bad one. */
export function groupsAt(spec: PostSpec): readonly FaultGroup[] {
  const has: Partial<Record<FaultGroup, boolean>> = {
    array: spec.pv.capacityW > 0,
    genset: spec.genset.ratedW > 0,
    pump: spec.pump.supply !== 'none',
    water: spec.pump.supply !== 'none',
  };
  return (Object.keys(FAULT_GROUPS) as FaultGroup[]).filter((group) => has[group] !== false);
}

/** Kinds of a group that this post can have. */
export function kindsAt(spec: PostSpec, group: FaultGroup): readonly Fault['kind'][] {
  return (FAULT_GROUPS[group] as Fault['kind'][]).filter((kind) => kind !== 'gridLost' || spec.grid.maxW > 0);
}

/** True where a fault of this kind must name a device, or may. */
export function namesDevice(kind: Fault['kind']): boolean {
  return 'device' in ((FAULT_KINDS.get(kind) as { properties?: TProperties } | undefined)?.properties ?? {});
}

/**
 * A fault of this kind from now on, as bad as asked for. `undefined` where there is no such kind, or it needs a device that
 * measures something.
 * @param severity 0 (mild) to 1 (severe)
 */
export function usualFault(kind: string, severity: number, device?: FaultyDevice): Fault | undefined {
  const usual = USUAL_FAULTS.find((one) => one.kind === kind);
  if (!usual) return undefined;
  const measures = Object.entries(usual.measures ?? {}).map(([name, [mild, severe]]) => {
    const value = mild + (severe - mild) * severity;
    // What counts devices, milliseconds or strings is whole.
    return [name, Number.isInteger(mild) && Number.isInteger(severe) ? Math.round(value) : value] as const;
  });
  const gauge = device?.metrics.find((metric) => metricOf(metric)?.kind === 'gauge');
  const fault = {
    kind,
    fromS: 0,
    ...Object.fromEntries(measures),
    ...(device && namesDevice(kind as Fault['kind']) ? { device: device.id } : {}),
    ...(kind === 'drift' ? { metrics: gauge === undefined ? [] : [gauge] } : {}),
  };
  const schema = FAULT_KINDS.get(kind);
  return schema !== undefined && Value.Check(schema, fault) ? (fault as Fault) : undefined;
}

/** What may happen by chance at a post. */
export interface Chance {
  readonly days: number;
  /** Times as often as usual. */
  readonly rate: number;
}

/** Faults by chance: the same seed gives the same ones. Seconds count from the scenario's start. */
export function faultsByChance(
  seed: number,
  { days, rate }: Chance,
  spec: PostSpec,
  devices: readonly FaultyDevice[],
): Fault[] {
  const kinds = new Set<string>(groupsAt(spec).flatMap((group) => kindsAt(spec, group)));
  return USUAL_FAULTS.filter(({ kind }) => kinds.has(kind)).flatMap((usual) => {
    // A stream of its own for each kind: another kind in the table changes nothing of the others.
    const random = new SeededStream(seedFor(seed, `chance ${usual.kind}`));
    return Array.from({ length: poisson((usual.perYear * rate * days) / 365, random) }, () =>
      oneByChance(usual, days, devices, random),
    ).filter((fault) => fault !== undefined);
  });
}

function oneByChance(
  { kind, hours: [shortest, longest] }: UsualFault,
  days: number,
  devices: readonly FaultyDevice[],
  random: RandomStream,
): Fault | undefined {
  const fault = usualFault(kind, random.next(), devices[Math.floor(random.next() * devices.length)]);
  const fromS = Math.round(random.next() * days * 86_400);
  // Short ones are more frequent than long ones.
  const forS = Math.round(3600 * shortest * (longest / shortest) ** random.next());
  return fault && { ...fault, fromS, toS: fromS + forS };
}
