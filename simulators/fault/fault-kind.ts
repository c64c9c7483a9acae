// What all faults have in common: from when to when, how fast they grow, and the words for their measures.
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';

const strict = { additionalProperties: false } as const;

const WHEN = {
  /** Seconds from the scenario's start; negative: it stands already. */
  fromS: Type.Number(),
  /** Without an end it stays. */
  toS: Type.Optional(Type.Number()),
  /** It grows for so many seconds until it is as bad as its measures say. */
  rampS: Type.Optional(Type.Number({ minimum: 0 })),
  note: Type.Optional(Type.String()),
};
export type When = Static<TObject<typeof WHEN>>;

/** One device of the post. */
export const device = Type.String({ pattern: IDENTIFIER_PATTERN });
export const share = Type.Number({ minimum: 0, maximum: 1 });
export const positive = Type.Number({ exclusiveMinimum: 0 });
export const notNegative = Type.Number({ minimum: 0 });
export const any = Type.Number();

/** A kind of fault: what it is measured by, and what it does. */
export interface FaultKind<P extends TProperties, Effect> {
  readonly measures: P;
  /** @param grown how far it has grown: 0 to 1 */
  readonly effect: (measures: Static<TObject<P>>, grown: number) => Effect;
}

/** Every fault of a table of kinds, as a scenario or a hand starts it. */
export type FaultOf<Kinds extends Record<string, { readonly measures: TProperties }>> = {
  [K in keyof Kinds]: { kind: K } & When & Static<TObject<Kinds[K]['measures']>>;
}[keyof Kinds];

/** The schema of each kind of a table. */
export function schemasOf(kinds: Record<string, { readonly measures: TProperties }>): readonly [string, TSchema][] {
  return Object.entries(kinds).map(([kind, { measures }]) => [
    kind,
    Type.Object({ kind: Type.Literal(kind), ...WHEN, ...measures }, strict),
  ]);
}

/** A factor that has grown so far from 1. */
export function grownFactor(factor: number, grown: number): number {
  return 1 + (factor - 1) * grown;
}
