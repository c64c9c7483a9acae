// What adds up over local days: the energy of a post's bus, and the water of its tanks.
import { type Static, Type } from 'typebox';
import { BALANCE_DOUBTS, ENERGY_SIDES } from '#domain/day-balance.js';

/** Days of one answer. */
export const BALANCE_DAYS_MAX = 400;

export const BalancesQuerySchema = Type.Object({
  from: Type.String({
    description: 'A time in the first day. ISO 8601 with its zone, or epoch milliseconds',
    examples: ['2026-06-01T00:00:00+05:00'],
  }),
  to: Type.String({
    description: `End, not included; at most ${BALANCE_DAYS_MAX} days`,
    examples: ['2026-07-01T00:00:00+05:00'],
  }),
});

const FigureSchema = Type.Object({
  value: Type.Unsafe<number | null>({
    type: ['number', 'null'],
    description: 'Wh or m³; null where a part is not known',
  }),
  coverage: Type.Number({ description: '0 to 1, the least of its parts' }),
  doubts: Type.Array(Type.Unsafe<(typeof BALANCE_DOUBTS)[number]>({ type: 'string', enum: [...BALANCE_DOUBTS] })),
});

const EnergySchema = Type.Object({
  sides: Type.Partial(Type.Object(Object.fromEntries(ENERGY_SIDES.map((side) => [side, FigureSchema])))),
  supply: FigureSchema,
  residual: FigureSchema,
  isWhole: Type.Boolean(),
});

const WaterSchema = Type.Object({
  pumped: FigureSchema,
  consumed: FigureSchema,
  gained: FigureSchema,
  drawn: FigureSchema,
  unaccounted: FigureSchema,
  isWhole: Type.Boolean(),
});

export const BalancesResponseSchema = Type.Object({
  post: Type.String(),
  zone: Type.String(),
  days: Type.Array(
    Type.Object({
      from: Type.Number(),
      /** Of a day that is not over: now. */
      to: Type.Number(),
      /** Only late data can change it. */
      closed: Type.Boolean(),
      energy: Type.Optional(EnergySchema),
      water: Type.Optional(WaterSchema),
    }),
  ),
});
export type BalancesResponse = Static<typeof BalancesResponseSchema>;
