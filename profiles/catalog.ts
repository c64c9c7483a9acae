// The profiles of a folder, each through schema and lint once. A bad file is a fault with its line, never a crash.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Compile } from 'typebox/compile';
import { type ParsedJson, parseJsonWithLines } from './json-lines.js';
import { type Finding, lintProfile } from './lint.js';
import { lintSample } from './lint-sample.js';
import { lintTexts } from './lint-texts.js';
import { type Profile, ProfileSchema, SampleSchema } from './profile.js';
import { ProfileTextsSchema } from './texts.js';

export { suggest } from './suggest.js';

export interface LoadedProfile {
  readonly profile: Profile;
  /** SHA-256 of the file's bytes, hexadecimal. */
  readonly hash: string;
}

/** One thing that is wrong with a profile file. `path` is a JSON pointer, `line` counts from 1. */
export interface ProfileFault {
  readonly file: string;
  readonly line?: number;
  readonly path: string;
  readonly message: string;
}

export interface Catalog {
  /** Sound profiles by id. */
  readonly profiles: ReadonlyMap<string, LoadedProfile>;
  readonly faults: readonly ProfileFault[];
}

/** Folder of the profiles that the product brings: this module's own, in the source tree and in the build. */
export const PROFILES_FOLDER = dirname(fileURLToPath(import.meta.url));

/** More than any profile needs; a larger file is not read. */
const FILE_BYTES_MAX = 2 ** 20;

const checkProfile = Compile(ProfileSchema);
const checkSample = Compile(SampleSchema);
const checkTexts = Compile(ProfileTextsSchema);

/**
 * Loads every `<maker>/<model>.json` below a folder. A profile with any fault is left out and its faults are listed, so that
 * one bad file does not take the others down. Throws only when the folder itself cannot be listed.
 */
export function loadCatalog(folder: string = PROFILES_FOLDER): Catalog {
  const profiles = new Map<string, LoadedProfile>();
  const faults: ProfileFault[] = [];
  for (const file of profileFilesOf(folder)) {
    const opened = openProfile(file);
    faults.push(...opened.faults);
    if (opened.loaded) profiles.set(opened.loaded.profile.id, opened.loaded);
  }
  return { profiles, faults };
}

/** Paths of the profile files of a folder, sorted. Samples and texts are not among them. */
export function profileFilesOf(folder: string): string[] {
  return subfoldersOf(folder).flatMap((maker) =>
    readdirSync(join(folder, maker))
      .filter((name) => name.endsWith('.json') && !name.endsWith('.sample.json'))
      .sort()
      .map((name) => join(folder, maker, name)),
  );
}

function subfoldersOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Every fault of one profile file, of the samples and of the texts beside it. An empty list means that it can be used. */
export function checkProfileFile(file: string): readonly ProfileFault[] {
  const { loaded, faults } = openProfile(file);
  if (!loaded) return faults;
  const { profile } = loaded;
  const samples = sampleFilesOf(file);
  const missing = samples.includes(mainSampleOf(file))
    ? []
    : [{ file, path: '/', message: `has no sample: ${mainSampleOf(file)} must list words and what they mean` }];
  const texts = join(dirname(file), 'texts', basename(file));
  return [
    ...missing,
    ...samples.flatMap((sample) => checkBeside(sample, checkSample, (value) => lintSample(profile, value))),
    ...(existsSync(texts) ? checkBeside(texts, checkTexts, (value) => lintTexts(profile, value)) : []),
  ];
}

function mainSampleOf(file: string): string {
  return file.replace(/\.json$/, '.sample.json');
}

/** The samples of a profile: `<model>.sample.json`, and `<model>.<anything>.sample.json` for its variants and captures. */
export function sampleFilesOf(file: string): string[] {
  const model = basename(file, '.json');
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(`${model}.`) && name.endsWith('.sample.json'))
    .sort()
    .map((name) => join(dirname(file), name));
}

/** Faults of a file that stands beside a profile: those of its schema, or else those against the profile. */
function checkBeside<T>(file: string, validator: Validator<T>, lint: (value: T) => readonly Finding[]): ProfileFault[] {
  const opened = openJson(file);
  if (!opened.ok) return [opened.fault];
  const { parsed } = opened;
  return locate(
    file,
    parsed,
    validator.Check(parsed.value) ? lint(parsed.value) : schemaFindings(validator, parsed.value),
  );
}

interface Opened {
  readonly loaded?: LoadedProfile;
  readonly faults: readonly ProfileFault[];
}

function openProfile(file: string): Opened {
  const opened = openJson(file);
  if (!opened.ok) return { faults: [opened.fault] };
  const { parsed, hash } = opened;
  if (!checkProfile.Check(parsed.value))
    return { faults: locate(file, parsed, schemaFindings(checkProfile, parsed.value)) };
  const profile = parsed.value;
  const findings = [...findingsOfId(file, profile), ...lintProfile(profile)];
  return findings.length > 0 ? { faults: locate(file, parsed, findings) } : { loaded: { profile, hash }, faults: [] };
}

function findingsOfId(file: string, profile: Profile): Finding[] {
  const expected = `${basename(dirname(resolve(file)))}/${basename(file, '.json')}`;
  return profile.id === expected
    ? []
    : [{ path: '/id', message: `is "${profile.id}", but the file's place says "${expected}"` }];
}

type OpenedJson =
  | { readonly ok: true; readonly parsed: ParsedJson & { ok: true }; readonly hash: string }
  | { readonly ok: false; readonly fault: ProfileFault };

function openJson(file: string): OpenedJson {
  const refuse = (message: string, line?: number): OpenedJson => ({
    ok: false,
    fault: { file, path: '/', message, ...(line === undefined ? {} : { line }) },
  });
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    return refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (bytes.length > FILE_BYTES_MAX) return refuse(`has ${bytes.length} bytes, more than ${FILE_BYTES_MAX}`);
  const parsed = parseJsonWithLines(bytes.toString('utf8'));
  if (!parsed.ok) return refuse(parsed.fault.message, parsed.fault.line);
  return { ok: true, parsed, hash: createHash('sha256').update(bytes).digest('hex') };
}

function locate(file: string, parsed: ParsedJson & { ok: true }, findings: readonly Finding[]): ProfileFault[] {
  return findings.map((finding) => {
    const line = parsed.lineOf(finding.path);
    return { file, ...(line === undefined ? {} : { line }), path: finding.path, message: finding.message };
  });
}

interface Validator<T> {
  Check(value: unknown): value is T;
  Errors(value: unknown): { keyword: string; instancePath: string; message: string; params: object }[];
}

interface Place {
  readonly choices: string[];
  readonly messages: string[];
}

/** What the schema says, one finding a place, in words. Alternatives that failed together become one list of choices. */
export function schemaFindings<T>(validator: Validator<T>, value: unknown): Finding[] {
  const places = new Map<string, Place>();
  for (const { keyword, instancePath, message, params } of validator.Errors(value)) {
    if (keyword === 'boolean' || keyword === 'anyOf') continue;
    const place = places.get(instancePath) ?? { choices: [], messages: [] };
    places.set(instancePath, place);
    const { allowedValue, allowedValues, additionalProperties } = params as SchemaErrorParams;
    if (keyword === 'const') place.choices.push(JSON.stringify(allowedValue));
    else if (keyword === 'enum') place.choices.push(...(allowedValues ?? []).map((allowed) => JSON.stringify(allowed)));
    else if (keyword === 'additionalProperties')
      place.messages.push(`does not know ${(additionalProperties ?? []).map((name) => `"${name}"`).join(', ')}`);
    else place.messages.push(message);
  }
  return [...places].filter(([path, place]) => !isRemark(path, place, places)).map(toFinding);
}

interface SchemaErrorParams {
  readonly allowedValue?: unknown;
  readonly allowedValues?: readonly unknown[];
  readonly additionalProperties?: readonly string[];
}

/** "Must be a string" about something whose inside was found wrong: the other form was meant. */
function isRemark(path: string, { choices, messages }: Place, places: ReadonlyMap<string, Place>): boolean {
  if (choices.length > 0 || !messages.every((message) => /^must be (string|object|array)$/.test(message))) return false;
  return [...places.keys()].some((deeper) => deeper.startsWith(`${path}/`));
}

function toFinding([path, { choices, messages }]: [string, Place]): Finding {
  const choice = choices.length > 0 ? [`must be ${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}`] : [];
  return { path: path || '/', message: [...new Set([...messages, ...choice])].join('; or ') };
}
