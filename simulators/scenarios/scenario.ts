// Scenarios: posts, their devices and what goes wrong with them, as data files beside this module.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { METER_ROLES, type MeterRole } from '#domain/device-kind.js';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Profile } from '#profiles/profile.js';
import { FAULT_KINDS, type Fault } from '../fault/fault.js';
import { PostSpecSchema } from '../world/post-spec.js';

const strict = { additionalProperties: false } as const;
/** ISO 8601 with its zone. */
export const TIME_PATTERN = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2})?(Z|[+-]\\d{2}:\\d{2})$';
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });

const ScenarioDeviceSchema = Type.Object(
  {
    id: identifier,
    /** `maker/model` */
    profile: Type.String({ pattern: '^[a-z0-9-]+/[a-z0-9-]+$' }),
    unit: Type.Integer({ minimum: 0, maximum: 255 }),
    bus: Type.String({ pattern: IDENTIFIER_PATTERN, default: 'main' }),
    /** Meters only. */
    role: Type.Optional(Type.Unsafe<MeterRole>(Type.Enum([...METER_ROLES]))),
    /** Variant of the profile that this device is. */
    variant: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    /** A dongle that asks its device only so often, and answers with what it heard last, s. */
    refreshS: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    /** A CSV file beside the scenario: the device shows what was recorded, in place of the post's world. */
    recording: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*\\.csv$' })),
  },
  strict,
);
export type ScenarioDevice = Static<typeof ScenarioDeviceSchema>;

const ScenarioPostSchema = Type.Object(
  {
    id: identifier,
    name: Type.String({ minLength: 1 }),
    /** IANA zone of the people there. */
    zone: Type.String({ minLength: 1, default: 'Asia/Dushanbe' }),
    /** Ports of its buses on loopback; a bus that is not listed takes a free one. */
    ports: Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 65535 }), { default: {} }),
    world: PostSpecSchema,
    devices: Type.Array(ScenarioDeviceSchema, { minItems: 1, maxItems: 200 }),
    /** Each checked against its own kind: a union of all kinds would tell of one what every other kind asks for. */
    faults: Type.Array(Type.Unsafe<Fault>(Type.Unknown()), { default: [] }),
    /** Beside them, what happens by chance: by the seed, in so many days, so many times as often as usual. */
    chance: Type.Optional(
      Type.Object(
        {
          days: Type.Integer({ minimum: 1, maximum: 3660 }),
          rate: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 100 }),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type ScenarioPost = Static<typeof ScenarioPostSchema>;

export const ScenarioSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: identifier,
    /** One line for the list. */
    summary: Type.String({ minLength: 1 }),
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
    /** When its world begins, where the season matters: ISO 8601 with its zone. */
    from: Type.Optional(Type.String({ pattern: TIME_PATTERN })),
    posts: Type.Array(ScenarioPostSchema, { minItems: 1, maxItems: 1000 }),
  },
  strict,
);
export type Scenario = Static<typeof ScenarioSchema>;

export interface ScenarioFault {
  readonly code: 'SCENARIO_UNKNOWN' | 'SCENARIO_INVALID';
  /** JSON pointer; empty where the whole file is meant. */
  readonly path: string;
  readonly message: string;
}

/** The product's own scenarios. */
export const SCENARIOS_FOLDER = dirname(fileURLToPath(import.meta.url));
const checkScenario = Compile(ScenarioSchema);

/** Names of the scenarios that the product brings, sorted. */
export function scenarioNames(): readonly string[] {
  return readdirSync(SCENARIOS_FOLDER)
    .filter((file) => file.endsWith('.json') && !file.endsWith('.schema.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** Name and summary of each scenario that the product brings. */
export function listScenarios(): readonly Pick<Scenario, 'name' | 'summary'>[] {
  return scenarioNames().flatMap((name) => {
    const loaded = loadScenario(name);
    return loaded.ok ? [{ name: loaded.value.name, summary: loaded.value.summary }] : [];
  });
}

/** One of the product's scenarios by its name. */
export function loadScenario(name: string): Result<Scenario, readonly ScenarioFault[]> {
  const names = scenarioNames();
  if (!names.includes(name)) {
    const message = `there is no scenario "${name}"; there are: ${names.join(', ')}`;
    return failed([{ code: 'SCENARIO_UNKNOWN', path: '', message }]);
  }
  return parseScenario(JSON.parse(readFileSync(join(SCENARIOS_FOLDER, `${name}.json`), 'utf8')));
}

/** Fills in what a scenario leaves open and lists everything that is wrong with it. */
export function parseScenario(input: unknown): Result<Scenario, readonly ScenarioFault[]> {
  const filled: unknown = Value.Default(ScenarioSchema, structuredClone(input));
  const wrong = faultsOfFaults(filled);
  if (!checkScenario.Check(filled)) return failed([...checkScenario.Errors(filled).map(schemaFault), ...wrong]);
  if (wrong.length > 0) return failed(wrong);
  const faults = filled.posts.flatMap((post, index) => crossFaults(post, `/posts/${index}`));
  const twice = repeated(filled.posts.map(({ id }) => id));
  if (twice !== undefined) faults.push(invalid('/posts', `has two posts "${twice}"`));
  if (filled.from !== undefined && Number.isNaN(Date.parse(filled.from)))
    faults.push(invalid('/from', `is no moment of any calendar: "${filled.from}"`));
  return faults.length > 0 ? failed(faults) : ok(filled);
}

/** What is wrong with a scenario's devices against the profiles that there are. */
export function checkDevices(
  scenario: Scenario,
  profileOf: (id: string) => Profile | undefined,
): readonly ScenarioFault[] {
  return scenario.posts.flatMap((post, postIndex) =>
    post.devices.flatMap((device, index) => {
      const path = `/posts/${postIndex}/devices/${index}`;
      const profile = profileOf(device.profile);
      if (!profile) return [invalid(`${path}/profile`, `there is no profile "${device.profile}"`)];
      if (device.role !== undefined && profile.kind !== 'meter')
        return [invalid(`${path}/role`, `only meters have a role, and "${device.profile}" is none`)];
      const variants = (profile.variants ?? []).map(({ name }) => name);
      if (device.variant !== undefined && !variants.includes(device.variant))
        return [invalid(`${path}/variant`, `"${device.profile}" has no variant "${device.variant}"`)];
      return [];
    }),
  );
}

function crossFaults(post: ScenarioPost, path: string): ScenarioFault[] {
  const faults: ScenarioFault[] = [];
  const twice = repeated(post.devices.map(({ id }) => id));
  if (twice !== undefined) faults.push(invalid(`${path}/devices`, `has two devices "${twice}"`));
  const place = repeated(post.devices.map(({ bus, unit }) => `${unit} on bus "${bus}"`));
  if (place !== undefined) faults.push(invalid(`${path}/devices`, `has two devices at unit ${place}`));
  const known = new Set(post.devices.map(({ id }) => id));
  post.faults.forEach((fault, index) => {
    if ('device' in fault && fault.device !== undefined && !known.has(fault.device))
      faults.push(invalid(`${path}/faults/${index}/device`, `there is no device "${fault.device}" at this post`));
    if (fault.toS !== undefined && fault.toS <= fault.fromS)
      faults.push(invalid(`${path}/faults/${index}/toS`, 'must be later than fromS'));
  });
  return faults;
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

function invalid(path: string, message: string): ScenarioFault {
  return { code: 'SCENARIO_INVALID', path, message };
}

/** What is wrong with each fault of each post, as far as there are posts and faults. */
function faultsOfFaults(scenario: unknown): ScenarioFault[] {
  return listAt(scenario, '/posts').flatMap((_, post) =>
    listAt(scenario, `/posts/${post}/faults`).flatMap((fault, index) =>
      faultsOfFault(fault, `/posts/${post}/faults/${index}`),
    ),
  );
}

function listAt(scenario: unknown, path: string): readonly unknown[] {
  const value: unknown = Value.Pointer.Get(scenario, path);
  return Array.isArray(value) ? value : [];
}

function faultsOfFault(fault: unknown, place: string): ScenarioFault[] {
  const kind = typeof fault === 'object' && fault !== null && 'kind' in fault ? fault.kind : undefined;
  const schema = FAULT_KINDS.get(String(kind));
  if (schema === undefined)
    return [
      invalid(`${place}/kind`, `${JSON.stringify(kind)} is no fault; there are: ${[...FAULT_KINDS.keys()].join(', ')}`),
    ];
  return Value.Errors(schema, fault).map(({ instancePath, message }) => invalid(place + instancePath, message));
}

function schemaFault({ instancePath, message }: { instancePath: string; message: string }): ScenarioFault {
  return invalid(instancePath, message);
}
