// Points of older loggers on their way to the server, and what it says of them.
import { type Static, Type } from 'typebox';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';

const closed = { additionalProperties: false } as const;

/** Points of one request. */
export const POINTS_MAX = 5000;
/** Room for as many with long texts. */
export const POINTS_BYTES_MAX = 2 * 1024 * 1024;

export const PointsRequestSchema = Type.Object(
  {
    series: Type.Array(
      Type.Object(
        { device: Type.String({ pattern: IDENTIFIER_PATTERN }), metric: Type.String({ minLength: 1, maxLength: 100 }) },
        closed,
      ),
      { minItems: 1, maxItems: 1000 },
    ),
    /** [place among `series`, source time in epoch ms, value or null, reason code]. */
    points: Type.Array(
      Type.Tuple([
        Type.Integer({ minimum: 0 }),
        Type.Integer(),
        Type.Union([Type.Number(), Type.String({ maxLength: 1000 }), Type.Null()]),
        Type.Integer({ minimum: 0, maximum: 255 }),
      ]),
      { minItems: 1, maxItems: POINTS_MAX },
    ),
  },
  closed,
);
export type PointsRequest = Static<typeof PointsRequestSchema>;

export const PointsResponseSchema = Type.Object({
  /** Points that the store holds now; those that were there already are there once. */
  stored: Type.Integer(),
  /** Those that it never takes, by their place in the request. `STORE_TYPE`, `STORE_TIME`. */
  refused: Type.Array(Type.Object({ index: Type.Integer(), code: Type.String() })),
});
export type PointsResponse = Static<typeof PointsResponseSchema>;

/** One file that was imported, for the journal. */
export const ImportNoteSchema = Type.Object(
  {
    by: Type.String({ minLength: 1, maxLength: 80 }),
    file: Type.String({ minLength: 1, maxLength: 200 }),
    /** Of the file, as hex. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    stored: Type.Integer({ minimum: 0 }),
    rejected: Type.Integer({ minimum: 0 }),
    /** Source times of the first and last point, epoch ms. */
    from: Type.Union([Type.Integer(), Type.Null()]),
    to: Type.Union([Type.Integer(), Type.Null()]),
  },
  closed,
);
export type ImportNote = Static<typeof ImportNoteSchema>;
