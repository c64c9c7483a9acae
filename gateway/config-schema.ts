// The post's configuration as a person writes it. Unknown keys are faults: a mistyped one would otherwise be silently lost.
import { type Static, Type } from 'typebox';
import { METER_ROLES } from '#domain/device-kind.js';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';

const strict = { additionalProperties: false } as const;
const literals = <T extends string>(values: readonly T[]) => Type.Unsafe<T>(Type.Enum([...values]));
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });
const text = Type.String({ minLength: 1 });

export const BUS_TYPES = ['tcp', 'rtu', 'rtu-over-tcp'] as const;
export const PARITIES = ['none', 'even', 'odd'] as const;

const BusFileSchema = Type.Object(
  {
    id: identifier,
    type: literals(BUS_TYPES),
    host: Type.Optional(text),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    path: Type.Optional(text),
    baud: Type.Optional(Type.Integer({ minimum: 300, maximum: 1_000_000 })),
    parity: Type.Optional(literals(PARITIES)),
    stopBits: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2)])),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000 })),
  },
  strict,
);

const DeviceFileSchema = Type.Object(
  {
    id: identifier,
    bus: Type.String(),
    profile: Type.String(),
    unit: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    role: Type.Optional(literals(METER_ROLES)),
    reversed: Type.Optional(Type.Boolean()),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 80 })),
    pollPeriodS: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
    pauseMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 5000 })),
    deadbands: Type.Optional(Type.Record(Type.String(), Type.Number({ minimum: 0 }))),
    heartbeatS: Type.Optional(Type.Number({ minimum: 1, maximum: 86_400 })),
    watch: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ low: Type.Optional(Type.Number()), high: Type.Optional(Type.Number()) }, strict),
      ),
    ),
  },
  strict,
);

export const GatewayFileSchema = Type.Object(
  {
    fleet: identifier,
    post: identifier,
    dataFolder: text,
    mqtt: Type.Object(
      {
        url: Type.String({ pattern: '^(mqtts?|wss?|tcp|ssl)://' }),
        username: Type.Optional(text),
        password: Type.Optional(Type.String()),
        ca: Type.Optional(text),
      },
      strict,
    ),
    batchPeriodS: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
    pollPeriodS: Type.Optional(Type.Number({ minimum: 0.1, maximum: 3600 })),
    full: Type.Optional(Type.Boolean()),
    outbox: Type.Optional(
      Type.Object(
        {
          maxMB: Type.Optional(Type.Number({ minimum: 1, maximum: 1_000_000 })),
          keepReceiptedDays: Type.Optional(Type.Number({ minimum: 0, maximum: 3650 })),
          writeDelayS: Type.Optional(Type.Number({ minimum: 0, maximum: 10 })),
        },
        strict,
      ),
    ),
    uplink: Type.Optional(
      Type.Object(
        {
          dailyMB: Type.Optional(Type.Number({ minimum: 0.1, maximum: 100_000 })),
          historyKBps: Type.Optional(Type.Number({ minimum: 0.1, maximum: 100_000 })),
        },
        strict,
      ),
    ),
    buses: Type.Array(BusFileSchema, { minItems: 1, maxItems: 50 }),
    devices: Type.Array(DeviceFileSchema, { minItems: 1, maxItems: 500 }),
  },
  strict,
);

export type GatewayFile = Static<typeof GatewayFileSchema>;
export type BusFile = Static<typeof BusFileSchema>;
export type DeviceFile = Static<typeof DeviceFileSchema>;
