// Faults of the configuration in a person's words: where (path and line), what, and what to write instead.
import type { TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Errors } from 'typebox/value';
import type { Document, LineCounter } from 'yaml';
import type { Fault } from '#contract/door.js';

/** `CONFIG_YAML`: not YAML. `CONFIG_FORM`: a field is wrong. `CONFIG_NOT_LOOPBACK`: an address that others could reach. */
export interface ConfigFault extends Fault {
  readonly code: 'CONFIG_YAML' | 'CONFIG_FORM' | 'CONFIG_NOT_LOOPBACK';
}

export type Path = readonly (string | number)[];

export interface FaultList {
  add(path: Path, message: string, code?: ConfigFault['code']): void;
  readonly faults: readonly ConfigFault[];
}

/** Collects faults, each once, with the line where the document has one there. */
export function createFaultList(document: Document, lines: LineCounter): FaultList {
  const faults: ConfigFault[] = [];
  return {
    faults,
    add(steps, text, code = 'CONFIG_FORM') {
      const line = lineOf(document, lines, steps);
      const path = pathText(steps);
      const message = line === undefined ? text : `${text} (line ${line})`;
      if (!faults.some((fault) => fault.path === path && fault.message === message))
        faults.push({ code, path, message });
    },
  };
}

function pathText(path: Path): string {
  const text = path.reduce<string>(
    (before, step) => (typeof step === 'number' ? `${before}[${step}]` : before === '' ? step : `${before}.${step}`),
    '',
  );
  return text === '' ? '/' : text;
}

/** Line of the node, or of the nearest one above it that is there. */
function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] | null } | undefined;
    const start = node?.range?.[0];
    if (start !== undefined) return lines.linePos(start).line;
  }
  return undefined;
}

/** More than any file can have; TypeBox stops at 8 by itself. */
const ERRORS_MAX = 10_000;

/** Adds what the schema finds, with `under` before each path. True when it finds nothing. */
export function addSchemaFaults(list: FaultList, schema: TSchema, value: unknown, under: Path): boolean {
  const errorsMax = Settings.Get().maxErrors;
  Settings.Set({ maxErrors: ERRORS_MAX });
  const errors = Errors(schema, value);
  Settings.Set({ maxErrors: errorsMax });
  const choices = new Map<string, unknown[]>();
  for (const error of errors) {
    const steps = stepsOf(error.instancePath);
    const node = schemaAt(schema, steps);
    const params = error.params as {
      additionalProperties?: string[];
      requiredProperties?: string[];
      allowedValue?: unknown;
    };
    if (error.keyword === 'additionalProperties')
      for (const key of params.additionalProperties ?? [])
        list.add([...under, ...steps, key], `is not known here${meant(key, Object.keys(node?.properties ?? {}))}`);
    else if (error.keyword === 'required')
      for (const key of params.requiredProperties ?? [])
        list.add([...under, ...steps, key], `is missing; ${wanted(schemaAt(schema, [...steps, key]))}`);
    else if (error.keyword === 'const')
      choices.set(error.instancePath, [...(choices.get(error.instancePath) ?? []), params.allowedValue]);
    else if (error.keyword !== 'boolean' && error.keyword !== 'anyOf')
      list.add([...under, ...steps], `${shown(value, steps)} will not do; ${wanted(node)}`);
  }
  for (const [pointer, words] of choices)
    list.add(
      [...under, ...stepsOf(pointer)],
      `${shown(value, stepsOf(pointer))} will not do; write ${words.map((word) => JSON.stringify(word)).join(' or ')}`,
    );
  return errors.length === 0;
}

/** Steps of a JSON pointer; no key of the configuration is a number. */
function stepsOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

function schemaAt(schema: TSchema, path: Path): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>(
    (node, step) => (typeof step === 'number' ? node?.items : node?.properties?.[step]),
    schema as SchemaNode,
  );
}

const PATTERNS: readonly [RegExp, string][] = [
  [/a-z0-9-/, 'a name of 1 to 32 lower-case letters, digits and hyphens'],
  [/mqtt/, 'an address such as mqtt://127.0.0.1:1883'],
  [/@/, 'an e-mail address'],
];

/** What the schema wants at a place, in words. */
function wanted(node: SchemaNode | undefined): string {
  if (node?.anyOf !== undefined) return `write ${node.anyOf.map((one) => JSON.stringify(one.const)).join(' or ')}`;
  if (node?.pattern !== undefined) {
    const form = PATTERNS.find(([pattern]) => pattern.test(node.pattern ?? ''))?.[1];
    return `write ${form ?? `text of the form ${node.pattern}`}`;
  }
  if (node?.type === 'number' || node?.type === 'integer')
    return `write a ${node.type === 'integer' ? 'whole number' : 'number'}${bounds(node)}`;
  if (node?.type === 'boolean') return 'write true or false';
  if (node?.type === 'array')
    return `write a list of ${node.minItems ?? 0} to ${node.maxItems ?? 'any number of'} entries`;
  if (node?.type === 'object') return `write fields: ${Object.keys(node.properties ?? {}).join(', ')}`;
  return `write a text${node?.maxLength === undefined ? '' : ` of 1 to ${node.maxLength} characters`}`;
}

function bounds({ exclusiveMinimum, maximum, minimum }: SchemaNode): string {
  const low =
    exclusiveMinimum !== undefined ? ` above ${exclusiveMinimum}` : minimum !== undefined ? ` from ${minimum}` : '';
  return `${low}${maximum === undefined ? '' : ` to ${maximum}`}`;
}

function shown(value: unknown, path: Path): string {
  const inner = path.reduce<unknown>(
    (part, step) => (part as Record<string | number, unknown> | undefined)?.[step],
    value,
  );
  const text = JSON.stringify(inner) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** `; did you mean "x"?` for the nearest known key, else the keys that there are. */
function meant(key: string, known: readonly string[]): string {
  const [near] = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance, name }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return near === undefined ? `; there is ${known.join(', ')}` : `; did you mean "${near.name}"?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] as number;
}
