// The format of a device profile: what a maker's document says about registers, as data. No expressions, no code.
// `docs/profiles.md` explains it to technicians; `lint.ts` says what a schema cannot.
import { type Static, Type } from 'typebox';
import { Settings } from 'typebox/system';
import { DEVICE_KINDS } from '#domain/device-kind.js';
import { DEVICE_UNITS } from '#domain/quantity.js';

// The library stops at the eighth fault; a person wants them all at once.
Settings.Set({ maxErrors: 200 });

const literals = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.Enum([...values]));

const address = Type.Integer({ minimum: 0, maximum: 65535 });
const strict = { additionalProperties: false } as const;

/** Modbus data models that can be read: function 3 (holding) and 4 (input); 1 (coil) and 2 (discrete). */
export const TABLES = ['holding', 'input', 'coil', 'discrete'] as const;
export type Table = (typeof TABLES)[number];

/**
 * What the words hold, and what comes out of them.
 * - Numbers: unsigned, signed, IEEE 754.
 * - `enum`: an unsigned code; its word of `states` comes out, or `prefix` and the code, or `impossible`.
 * - `bits`: unsigned; the codes of the bits that are set come out, lowest bit first, with a space between (`F18 F24`), or
 *   `none` where no bit is set.
 * - `string`: two characters per word, high byte first; ends at the first zero byte; spaces at its end are cut off.
 * - `clock`: the device's own time as `2026-06-21T12:34:56`. Three words: year - 2000 and month, day and hour, minute and
 *   second, one per byte, high byte first. Six words: one each. A time that no calendar has is `impossible`.
 * - `bit`: one coil or discrete input. `states` may name 0 and 1.
 */
export const REGISTER_TYPES = [
  'u16',
  's16',
  'u32',
  's32',
  'u64',
  's64',
  'f32',
  'f64',
  'enum',
  'bits',
  'string',
  'clock',
  'bit',
] as const;

/** `big`: most significant word at the lower address. Bytes inside a word are big-endian unless `swapBytes`. */
export const WORD_ORDERS = ['big', 'little'] as const;

export const RegisterSchema = Type.Object(
  {
    /** Wire address, counted from zero. */
    at: address,
    table: Type.Optional(literals(TABLES)),
    type: literals(REGISTER_TYPES),
    /** Words, where the type leaves it open: strings, clocks, wide enums and bit fields. */
    words: Type.Optional(Type.Integer({ minimum: 1, maximum: 32 })),
    order: Type.Optional(literals(WORD_ORDERS)),
    swapBytes: Type.Optional(Type.Boolean()),
    /** One character per word (low byte), as SRNE has it. */
    charPerWord: Type.Optional(Type.Boolean()),
    /** The value is not contiguous: its further words, in the order of `order`, after the one at `at`. */
    moreWordsAt: Type.Optional(Type.Array(address, { minItems: 1, maxItems: 3 })),
    /**
     * The high word that newer firmware keeps apart: used where it continues the sign or is not zero, so that firmware which
     * leaves it at 0 is still read right as 16 bits.
     */
    highWordAt: Type.Optional(address),
    /** Bits to keep of the raw number, before everything else. They stay where they are: nothing is shifted. */
    mask: Type.Optional(Type.Integer({ minimum: 1, maximum: 0xffffffff })),
    /** value = raw × scale + offset, in `unit`. */
    scale: Type.Optional(Type.Number()),
    offset: Type.Optional(Type.Number()),
    /** Name of a register that holds a power of ten (SunSpec scale factor), read in the same poll. */
    scaleFrom: Type.Optional(Type.String()),
    unit: Type.Optional(literals(Object.keys(DEVICE_UNITS))),
    /** -1 where the device's positive is the vocabulary's negative. */
    sign: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(-1)])),
    /** Raw patterns that mean "no value", as unsigned numbers or hexadecimal text (`0x7fffffff`); `NaN` for any NaN. */
    invalid: Type.Optional(
      Type.Array(Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^(0x[0-9a-f]+|NaN)$' })])),
    ),
    /** Raw patterns that mean "the device sleeps". */
    asleep: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
    /** Limits of belief in the device's unit: outside, the value is questionable. */
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    /** Words for codes (type `enum`). */
    states: Type.Optional(
      Type.Record(Type.String({ pattern: '^[0-9]+$' }), Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9-]*$' })),
    ),
    /**
     * For fault numbers (type `enum`): a code that `states` does not list comes out as this and the number (`F57`), so that
     * a fault nobody has listed is still a fault.
     */
    prefix: Type.Optional(Type.String({ pattern: '^[A-Za-z][A-Za-z-]*$' })),
    /** Codes for bits (type `bits`); a set bit without a code is shown as `bitN`. */
    bits: Type.Optional(Type.Record(Type.String({ pattern: '^[0-9]+$' }), Type.String({ pattern: '^[A-Za-z0-9-]+$' }))),
    /** Counters: the value at which it starts again from zero, in the device's unit. */
    modulus: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    /** Metric that it becomes. Without one it only serves its `name`, and is read where something needs that. */
    metric: Type.Optional(Type.String()),
    /** Name for `identify`, `derived`, `scaleFrom` and `variants`. */
    name: Type.Optional(Type.String({ pattern: '^[a-z][a-zA-Z0-9]*$' })),
    /** How often: `fast` each poll (default), `slow` each minute, `rare` at start and each hour. */
    poll: Type.Optional(literals(['fast', 'slow', 'rare'])),
    /** Registers of one group are read in one request or not at all. */
    group: Type.Optional(Type.String()),
    /** 2: two independent sources agree. 1: one source, to be confirmed at commissioning. */
    verified: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2)])),
    note: Type.Optional(Type.String()),
  },
  strict,
);
export type Register = Static<typeof RegisterSchema>;

/** Values that need more than one register. Each kind is fixed arithmetic, so that a profile stays data. */
export const DerivedSchema = Type.Union([
  /** Sum of named registers' values, all in their metric's unit. */
  Type.Object(
    { metric: Type.String(), sumOf: Type.Array(Type.String(), { minItems: 2 }), note: Type.Optional(Type.String()) },
    strict,
  ),
  /** A totaliser in two registers, with its multiplier and unit in two more. */
  Type.Object(
    {
      metric: Type.String(),
      integer: Type.String(),
      fraction: Type.String(),
      /** The multiplier is 10^(exponent register + exponentOffset). */
      exponent: Type.Optional(Type.String()),
      exponentOffset: Type.Optional(Type.Integer()),
      /** Register with the code of the unit, and the codes. A code that is not listed makes the value invalid. */
      unitCode: Type.Optional(Type.String()),
      units: Type.Optional(Type.Record(Type.String({ pattern: '^[0-9]+$' }), literals(Object.keys(DEVICE_UNITS)))),
      unit: Type.Optional(literals(Object.keys(DEVICE_UNITS))),
      note: Type.Optional(Type.String()),
    },
    strict,
  ),
]);
export type Derived = Static<typeof DerivedSchema>;

/** A condition on one register's raw number: all the bounds that are given must hold, and the device must answer. */
export const ConditionSchema = Type.Object(
  {
    at: address,
    table: Type.Optional(literals(TABLES)),
    type: Type.Optional(literals(REGISTER_TYPES)),
    words: Type.Optional(Type.Integer({ minimum: 1, maximum: 32 })),
    order: Type.Optional(literals(WORD_ORDERS)),
    oneOf: Type.Optional(Type.Array(Type.Union([Type.Integer(), Type.String()]))),
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
  },
  strict,
);
export type Condition = Static<typeof ConditionSchema>;

export const ProfileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    /** `maker/model`, equal to the file's path. */
    id: Type.String({ pattern: '^[a-z0-9-]+/[a-z0-9-]+$' }),
    maker: Type.String({ minLength: 1 }),
    model: Type.String({ minLength: 1 }),
    /** Other names that the same map serves. */
    models: Type.Optional(Type.Array(Type.String())),
    kind: literals(DEVICE_KINDS),
    /** Title, edition and page of the maker's document, or the public project, for each source. */
    sources: Type.Array(Type.String(), { minItems: 1 }),
    protocol: Type.Object(
      {
        table: literals(TABLES),
        order: literals(WORD_ORDERS),
        /** Most registers in one request. Modbus itself allows 125. */
        maxRegisters: Type.Integer({ minimum: 1, maximum: 125 }),
        /** Most unlisted registers that a request may span. 0 where a device refuses or hides gaps. */
        allowedGap: Type.Integer({ minimum: 0, maximum: 124 }),
        /** Start and count of each request are multiples of this (Eastron: 2). */
        alignment: Type.Optional(Type.Integer({ minimum: 1, maximum: 4 })),
        /** Least time between two requests to this device. */
        pauseMs: Type.Integer({ minimum: 0, maximum: 5000 }),
        /** Time a device needs after a TCP connect before the first request. */
        connectDelayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
        timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000 })),
        unit: Type.Integer({ minimum: 0, maximum: 255 }),
        /** Unit that answers, where it is not the one asked (EASUN: asked 255, answers 1). */
        replyUnit: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
        /** `byte`: a request's start counts bytes, its quantity registers (JK PB). */
        addressing: Type.Optional(literals(['register', 'byte'])),
        /** Only one TCP client at a time: back off rather than fight for the place. */
        singleClient: Type.Optional(Type.Boolean()),
        /** Powered by the sun: silence after dark is `asleep`, not a fault. */
        sleepsAtNight: Type.Optional(Type.Boolean()),
        serial: Type.Optional(
          Type.Object(
            {
              baud: Type.Integer(),
              parity: literals(['none', 'even', 'odd']),
              stopBits: Type.Union([Type.Literal(1), Type.Literal(2)]),
            },
            strict,
          ),
        ),
        tcpPort: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
      },
      strict,
    ),
    /** Never read these, not even inside a gap: reading them disturbs the device. */
    forbidden: Type.Optional(
      Type.Array(
        Type.Object({ table: Type.Optional(literals(TABLES)), from: address, to: address, why: Type.String() }, strict),
      ),
    ),
    /** What the device must answer to be taken for this model. */
    identify: Type.Optional(Type.Array(ConditionSchema)),
    registers: Type.Array(RegisterSchema, { minItems: 1, maxItems: 1000 }),
    derived: Type.Optional(Type.Array(DerivedSchema)),
    /** Differences of firmware or size: where the condition holds, registers of these names or metrics are replaced. */
    variants: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String(),
            when: ConditionSchema,
            /** Registers that replace those with the same metric or name, or are added. */
            replace: Type.Optional(Type.Array(RegisterSchema)),
            /** Metrics or names that this variant lacks. */
            without: Type.Optional(Type.Array(Type.String())),
          },
          strict,
        ),
      ),
    ),
    /** What a person wiring it should know. */
    notes: Type.Optional(Type.Array(Type.String())),
  },
  strict,
);
export type Profile = Static<typeof ProfileSchema>;

/** Words of a profile's sample: register image on the left, what must come out of it on the right. */
export const SampleSchema = Type.Object(
  {
    /** Where the words come from: a capture, or the maker's table worked by hand. */
    source: Type.String({ minLength: 1 }),
    /** Per table: start address (as text) → words. */
    image: Type.Partial(
      Type.Object({
        holding: Type.Record(
          Type.String({ pattern: '^[0-9]+$' }),
          Type.Array(Type.Integer({ minimum: 0, maximum: 65535 })),
        ),
        input: Type.Record(
          Type.String({ pattern: '^[0-9]+$' }),
          Type.Array(Type.Integer({ minimum: 0, maximum: 65535 })),
        ),
        coil: Type.Record(Type.String({ pattern: '^[0-9]+$' }), Type.Array(Type.Integer({ minimum: 0, maximum: 1 }))),
        discrete: Type.Record(
          Type.String({ pattern: '^[0-9]+$' }),
          Type.Array(Type.Integer({ minimum: 0, maximum: 1 })),
        ),
      }),
    ),
    /** Metric → value in the metric's unit and sign; an object where the quality is not good. Every metric of the profile. */
    readings: Type.Record(
      Type.String(),
      Type.Union([
        Type.Number(),
        Type.String(),
        Type.Object({ value: Type.Union([Type.Number(), Type.String(), Type.Null()]), reason: Type.String() }, strict),
      ]),
    ),
    /** Variant that the image belongs to, if any. */
    variant: Type.Optional(Type.String()),
  },
  strict,
);
export type ProfileSample = Static<typeof SampleSchema>;
