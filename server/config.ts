// The server's configuration: YAML in, a typed value or every fault at once out.
import { type Static, Type } from 'typebox';
import { LineCounter, parseDocument } from 'yaml';
import { doorOf, type Fault } from '#contract/door.js';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { failed, ok, type Result } from '#domain/result.js';

/** Rules of the alarm catalogue that a configuration may adjust. */
export const RULE_IDS = [
  'batterySocLow',
  'batterySocCritical',
  'pumpDryRun',
  'pumpNoFlow',
  'deviceSilent',
  'postSilent',
] as const;
export type RuleId = (typeof RULE_IDS)[number];

const closed = { additionalProperties: false } as const;
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });
const port = Type.Integer({ minimum: 0, maximum: 65535 });
const delayS = Type.Number({ minimum: 0, maximum: 2_592_000 });
const priority = Type.Integer({ minimum: 1, maximum: 3 });
const positive = Type.Number({ exclusiveMinimum: 0 });

const RuleOverrideSchema = Type.Object(
  {
    /** In the unit of the rule's metric; seconds for the silence rules. */
    limit: Type.Optional(Type.Number()),
    deadband: Type.Optional(Type.Number({ minimum: 0 })),
    onDelayS: Type.Optional(delayS),
    offDelayS: Type.Optional(delayS),
    priority: Type.Optional(priority),
    latching: Type.Optional(Type.Boolean()),
    enabled: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type RuleOverride = Omit<Static<typeof RuleOverrideSchema>, 'priority'> & { priority?: 1 | 2 | 3 };
export type RuleOverrides = { readonly [rule in RuleId]?: RuleOverride };

const ruleOverrides = Type.Object(
  Object.fromEntries(RULE_IDS.map((id) => [id, Type.Optional(RuleOverrideSchema)])),
  closed,
);

const PumpSchema = Type.Object(
  {
    /** The drive or pump whose metrics are judged. */
    device: identifier,
    /** A meter with role `pump`, where the drive does not tell its power. */
    meter: Type.Optional(identifier),
    type: Type.Union([Type.Literal('centrifugal'), Type.Literal('positive')]),
    ratedFrequencyHz: positive,
    /** Power against a closed valve at rated frequency. */
    deadHeadPowerW: positive,
    staticHeadM: Type.Number({ minimum: 0 }),
    shutOffHeadM: positive,
    ratedFlowM3h: positive,
    /** Below this the water meter says zero. */
    flowMeterCutoffM3h: Type.Number({ minimum: 0 }),
  },
  closed,
);
/** Facts of a post's pump, as `domain/pump.ts` judges them, and where its readings are. */
export type PumpConfig = Static<typeof PumpSchema>;

const PostSchema = Type.Object(
  {
    id: identifier,
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 80 })),
    zone: Type.Optional(Type.String()),
    latitude: Type.Optional(Type.Number({ minimum: -90, maximum: 90 })),
    longitude: Type.Optional(Type.Number({ minimum: -180, maximum: 180 })),
    altitudeM: Type.Optional(Type.Number({ minimum: -500, maximum: 9000 })),
    pvCapacityW: Type.Optional(positive),
    pvTiltDeg: Type.Optional(Type.Number({ minimum: 0, maximum: 90 })),
    /** Clockwise from north; 180 is south. */
    pvAzimuthDeg: Type.Optional(Type.Number({ minimum: 0, maximum: 360 })),
    batteryCapacityWh: Type.Optional(positive),
    tankVolumeM3: Type.Optional(positive),
    tankHeightM: Type.Optional(positive),
    pump: Type.Optional(PumpSchema),
    alarms: Type.Optional(ruleOverrides),
  },
  closed,
);
/** Facts of a post: they stand here, never on the wire. */
export type PostConfig = Omit<Static<typeof PostSchema>, 'name' | 'zone' | 'alarms'> & {
  /** The id where no name was given. */
  readonly name: string;
  /** IANA zone; `UTC` where none was given. */
  readonly zone: string;
  readonly alarms: RuleOverrides;
};

const EmailSchema = Type.Object(
  {
    host: Type.String({ minLength: 1 }),
    port: Type.Integer({ minimum: 1, maximum: 65535 }),
    /** TLS from the first byte (port 465); with `false` STARTTLS is used where the peer offers it. */
    secure: Type.Boolean(),
    username: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    from: Type.String({ pattern: '@' }),
    to: Type.Array(Type.String({ pattern: '@' }), { minItems: 1, maxItems: 50 }),
    /** Alarms of this priority and above (1 is highest) are told. */
    minPriority: Type.Optional(priority),
  },
  closed,
);
export type EmailConfig = Omit<Static<typeof EmailSchema>, 'minPriority'> & { readonly minPriority: 1 | 2 | 3 };

const HttpSchema = Type.Object({ host: Type.Optional(Type.String()), port: Type.Optional(port) }, closed);

const BrokerSchema = Type.Object(
  {
    url: Type.String({ pattern: '^mqtts?://.' }),
    username: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
  },
  closed,
);
export type BrokerConfig =
  | { readonly kind: 'embedded'; readonly port: number }
  | { readonly kind: 'external'; readonly url: string; readonly username?: string; readonly password?: string };

const StoreSchema = Type.Object({ url: Type.String() }, closed);
export type StoreConfig =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'influx';
      /** `http://host:8086` */
      readonly url: string;
      readonly database: string;
      readonly username?: string;
      readonly password?: string;
    };

const FileSchema = Type.Object(
  {
    fleet: identifier,
    dataFolder: Type.String({ minLength: 1 }),
    http: Type.Optional(HttpSchema),
    broker: Type.Optional(Type.Unknown()),
    brokerPort: Type.Optional(port),
    store: Type.Optional(Type.Unknown()),
    posts: Type.Optional(Type.Array(PostSchema, { maxItems: 10_000 })),
    alarms: Type.Optional(ruleOverrides),
    notices: Type.Optional(Type.Object({ email: Type.Optional(EmailSchema) }, closed)),
  },
  closed,
);

export interface ServerConfig {
  readonly fleet: string;
  readonly dataFolder: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly broker: BrokerConfig;
  readonly store: StoreConfig;
  readonly posts: readonly PostConfig[];
  /** For every post; a post's own `alarms` win. */
  readonly alarms: RuleOverrides;
  readonly notices: { readonly email?: EmailConfig };
}

/** `CONFIG_YAML`: not YAML. `CONFIG_FORM`: a field is wrong. `CONFIG_NOT_LOOPBACK`: an address that others could reach. */
export interface ConfigFault extends Fault {
  readonly code: 'CONFIG_YAML' | 'CONFIG_FORM' | 'CONFIG_NOT_LOOPBACK';
}

/** Reads the server's configuration. All faults come together, each with its path and what to write instead. */
export function parseServerConfig(text: string): Result<ServerConfig, readonly ConfigFault[]> {
  void [text, LineCounter, parseDocument, doorOf, failed, ok, FileSchema, BrokerSchema, StoreSchema];
  throw new Error('in the making');
}
