// The server's configuration: YAML in, a typed value or every fault at once out.
import { type Static, Type } from 'typebox';
import { LineCounter, parseDocument } from 'yaml';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { failed, ok, type Result } from '#domain/result.js';
import { RULE_IDS, type RuleId } from '#texts/alarm-rules.js';
import { addSchemaFaults, type ConfigFault, createFaultList, type FaultList } from './config-faults.js';
import { isLoopbackAddress } from './loopback.js';

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

const StoreSchema = Type.Object(
  {
    url: Type.String(),
    /** PEM of the authority behind the certificate of `influxs://…`, where it is none of those that Node knows. */
    caFile: Type.Optional(Type.String({ minLength: 1 })),
    /** false: all goes to the database's own retention policy. InfluxDB 2 and 3 ask for that. */
    policies: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type StoreConfig =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'influx';
      /** `http://host:8086` */
      readonly url: string;
      readonly database: string;
      readonly username?: string;
      readonly password?: string;
      readonly caFile?: string;
      /** Retention by policies that the server makes. */
      readonly policies: boolean;
    };

const RetentionSchema = Type.Object(
  {
    rawDays: Type.Optional(Type.Integer({ minimum: 40, maximum: 36_500 })),
    quarterYears: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  closed,
);
/** How long points and rollups of 15 minutes are kept. Days, months and years stay for ever. */
export type RetentionConfig = Readonly<Required<Static<typeof RetentionSchema>>>;

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
    retention: Type.Optional(RetentionSchema),
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
  readonly retention: RetentionConfig;
}

const HTTP_PORT = 8080;
/** What mosquitto has too: a gateway's configuration stays the same when the broker changes. */
const BROKER_PORT = 1883;
const INFLUX_PORT = 8086;
const NOTICE_PRIORITY = 2;
/** This winter and the last, with room. */
const RAW_DAYS = 400;
const QUARTER_YEARS = 10;

/**
 * Reads the server's configuration. All faults come together, each with its place (`posts[1].zone`), its line, and what to
 * write instead. Codes: `CONFIG_YAML`, `CONFIG_FORM`, `CONFIG_NOT_LOOPBACK`.
 */
export function parseServerConfig(text: string): Result<ServerConfig, readonly ConfigFault[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    return failed(
      document.errors.map(({ message }) => ({
        code: 'CONFIG_YAML',
        path: '/',
        message: `is not YAML: ${message.split('\n')[0]}`,
      })),
    );
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const list = createFaultList(document, lines);
  addSchemaFaults(list, FileSchema, value, []);
  const parts = (typeof value === 'object' ? value : {}) as Partial<Static<typeof FileSchema>>;
  addHttpFaults(list, parts.http);
  addPostFaults(list, parts.posts);
  addRetentionFaults(list, parts.retention);
  const broker = brokerOf(list, parts.broker ?? 'embedded', parts.brokerPort);
  const store = storeOf(list, parts.store ?? 'embedded');
  if (list.faults.length > 0) return failed(list.faults);
  return ok(configOf(value as Static<typeof FileSchema>, broker, store));
}

function configOf(file: Static<typeof FileSchema>, broker: BrokerConfig, store: StoreConfig): ServerConfig {
  const email = file.notices?.email;
  return {
    fleet: file.fleet,
    dataFolder: file.dataFolder,
    http: { host: file.http?.host ?? '127.0.0.1', port: file.http?.port ?? HTTP_PORT },
    broker,
    store,
    posts: (file.posts ?? []).map((post) => ({
      ...post,
      name: post.name ?? post.id,
      zone: post.zone ?? 'UTC',
      alarms: (post.alarms ?? {}) as RuleOverrides,
    })),
    alarms: (file.alarms ?? {}) as RuleOverrides,
    notices:
      email === undefined
        ? {}
        : { email: { ...email, minPriority: (email.minPriority ?? NOTICE_PRIORITY) as EmailConfig['minPriority'] } },
    retention: { rawDays: RAW_DAYS, quarterYears: QUARTER_YEARS, ...file.retention },
  };
}

function addHttpFaults(list: FaultList, http: unknown): void {
  const host = (http as { host?: unknown } | undefined)?.host;
  if (typeof host !== 'string' || isLoopbackAddress(host)) return;
  list.add(
    ['http', 'host'],
    `"${host}" can be reached by others; write 127.0.0.1 until access control is configured, and use an SSH tunnel from elsewhere`,
    'CONFIG_NOT_LOOPBACK',
  );
}

/** Rollups of 15 minutes are what is left when points go: they must stay longer. */
function addRetentionFaults(list: FaultList, retention: unknown): void {
  if (typeof retention !== 'object' || retention === null) return;
  const { rawDays = RAW_DAYS, quarterYears = QUARTER_YEARS } = retention as Record<string, unknown>;
  if (typeof rawDays !== 'number' || typeof quarterYears !== 'number' || rawDays <= quarterYears * 365) return;
  const years = Math.ceil(rawDays / 365);
  list.add(
    ['retention', 'quarterYears'],
    `${quarterYears} years are shorter than rawDays (${rawDays}); write ${years} or more`,
  );
}

/** What the schema cannot say of posts. Runs also on a file that the schema refuses, as far as its parts are there. */
function addPostFaults(list: FaultList, posts: unknown): void {
  if (!Array.isArray(posts)) return;
  const seen = new Map<unknown, number>();
  posts.forEach((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null) return;
    const { id, zone, latitude, longitude, pump } = entry as Record<string, unknown>;
    const other = seen.get(id);
    if (other !== undefined) list.add(['posts', index, 'id'], `"${String(id)}" is the id of posts[${other}] too`);
    else if (id !== undefined) seen.set(id, index);
    if (typeof zone === 'string' && !isZone(zone))
      list.add(['posts', index, 'zone'], `"${zone}" is no IANA time zone; write one such as Asia/Dushanbe`);
    if ((latitude === undefined) !== (longitude === undefined))
      list.add(['posts', index], 'has one of latitude and longitude; write both or neither');
    const { staticHeadM, shutOffHeadM } = (pump ?? {}) as Record<string, unknown>;
    if (typeof staticHeadM === 'number' && typeof shutOffHeadM === 'number' && staticHeadM >= shutOffHeadM)
      list.add(
        ['posts', index, 'pump', 'shutOffHeadM'],
        `${shutOffHeadM} m is not above staticHeadM (${staticHeadM} m): such a pump moves no water`,
      );
  });
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function brokerOf(list: FaultList, broker: unknown, brokerPort: number | undefined): BrokerConfig {
  const embedded = { kind: 'embedded', port: brokerPort ?? BROKER_PORT } as const;
  if (broker === 'embedded') return embedded;
  if (typeof broker !== 'object') {
    list.add(['broker'], `${JSON.stringify(broker)} is neither "embedded" nor { url: mqtt://host:port }`);
    return embedded;
  }
  if (brokerPort !== undefined) list.add(['brokerPort'], 'means nothing with a broker that has a url; leave it out');
  return addSchemaFaults(list, BrokerSchema, broker, ['broker'])
    ? { kind: 'external', ...(broker as Static<typeof BrokerSchema>) }
    : embedded;
}

function storeOf(list: FaultList, store: unknown): StoreConfig {
  if (store === 'embedded') return { kind: 'embedded' };
  if (typeof store !== 'object') {
    list.add(['store'], `${JSON.stringify(store)} is neither "embedded" nor { url: influx://host:port/database }`);
    return { kind: 'embedded' };
  }
  if (!addSchemaFaults(list, StoreSchema, store, ['store'])) return { kind: 'embedded' };
  const { caFile, policies, url } = store as Static<typeof StoreSchema>;
  const parsed = parseStoreUrl(url);
  if (parsed?.kind === 'influx')
    return { ...parsed, ...(caFile !== undefined && { caFile }), policies: policies ?? parsed.policies };
  list.add(['store', 'url'], `"${url}" is not of the form influx://user:password@host:${INFLUX_PORT}/database`);
  return { kind: 'embedded' };
}

/**
 * `influx://[user:password@]host[:port]/database`, with `influxs://` for TLS, as in the configuration and on the command line.
 * `undefined` for anything else.
 */
export function parseStoreUrl(text: string): StoreConfig | undefined {
  const scheme = /^influx(s?):\/\//.exec(text);
  if (scheme === null || !URL.canParse(text.replace(/^influx/, 'http'))) return undefined;
  const url = new URL(text.replace(/^influx/, 'http'));
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '' || database.includes('/')) return undefined;
  // From the text: a URL leaves out 80 and 443.
  const port = /^[^/]*\/\/[^/]*:(\d+)\//.exec(text)?.[1] ?? INFLUX_PORT;
  return {
    kind: 'influx',
    url: `${url.protocol}//${url.hostname}:${port}`,
    database,
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    policies: true,
  };
}
