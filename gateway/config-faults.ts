// Faults of a configuration in a person's words: where (path and line), what, and what was probably meant.
import type { TSchema } from 'typebox';
import type { Document, LineCounter } from 'yaml';
import type { Fault } from '#contract/door.js';
import { suggest } from '#profiles/catalog.js';

type Path = readonly (string | number)[];

/** `["devices", 2, "profile"]` → `devices[2].profile`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** Steps of a JSON pointer. Numbers become indexes; no key of the configuration is a number. */
export function stepsOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** ` ; did you mean "x"?`, or what there is where nothing is near. */
export function meant(text: string, known: readonly string[]): string {
  const near = suggest(text, known);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return known.length > 0 && known.length <= 8 ? `; there is ${known.map((one) => `"${one}"`).join(', ')}` : '';
}

export interface FaultList {
  add(path: Path, message: string): void;
  readonly faults: readonly Fault[];
}

/** Collects faults; each is told with its line where the document has one there. */
export function createFaultList(document: Document, lines: LineCounter): FaultList {
  const faults: Fault[] = [];
  return {
    faults,
    add(path, message) {
      const line = lineOf(document, lines, path);
      faults.push({ path: pathText(path) || '/', message: line === undefined ? message : `${message} (line ${line})` });
    },
  };
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

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** Tells each schema error once, with suggestions for mistyped keys and words. */
export function addSchemaFaults(
  list: FaultList,
  errors: readonly SchemaError[],
  value: unknown,
  schema: TSchema,
): void {
  const said = new Set<string>();
  const add = (path: Path, message: string) => {
    const key = `${pathText(path)} ${message}`;
    if (!said.has(key)) list.add(path, message);
    said.add(key);
  };
  const unions = new Map<string, string[]>();
  for (const { keyword, instancePath, message, params } of errors) {
    const path = stepsOf(instancePath);
    const details = params as {
      additionalProperties?: string[];
      requiredProperties?: string[];
      allowedValues?: unknown[];
      allowedValue?: unknown;
      pattern?: string;
    };
    if (keyword === 'additionalProperties') {
      const known = Object.keys(schemaAt(schema, path)?.properties ?? {});
      for (const name of details.additionalProperties ?? []) add([...path, name], `no such key${meant(name, known)}`);
    } else if (keyword === 'required')
      for (const name of details.requiredProperties ?? []) add([...path, name], 'is missing');
    else if (keyword === 'enum') {
      const words = (details.allowedValues ?? []).map(String);
      add(path, `${shown(value, path)} is none of ${words.join(', ')}${meant(String(at(value, path)), words)}`);
    } else if (keyword === 'const')
      unions.set(instancePath, [...(unions.get(instancePath) ?? []), String(details.allowedValue)]);
    else if (keyword === 'pattern') add(path, `${shown(value, path)} must match ${details.pattern}`);
    else if (keyword !== 'anyOf' && keyword !== 'boolean') add(path, `${message}${scalarShown(value, path)}`);
  }
  for (const [pointer, words] of unions)
    add(stepsOf(pointer), `${shown(value, stepsOf(pointer))} is none of ${words.join(', ')}`);
}

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>;
  readonly patternProperties?: Record<string, SchemaNode>;
  readonly items?: SchemaNode;
}

function schemaAt(schema: TSchema, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema as SchemaNode;
  for (const step of path) {
    if (typeof step === 'number') node = node?.items;
    else node = node?.properties?.[step] ?? Object.values(node?.patternProperties ?? {})[0];
  }
  return node;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step], value);
}

function shown(value: unknown, path: Path): string {
  return JSON.stringify(at(value, path)) ?? 'nothing';
}

function scalarShown(value: unknown, path: Path): string {
  const inner = at(value, path);
  return inner === null || typeof inner !== 'object' ? `, is ${JSON.stringify(inner)}` : '';
}
