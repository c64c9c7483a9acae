// What a device's fault codes mean in plain words, and what to do first. They lie beside the profile, by its id.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

const strict = { additionalProperties: false } as const;

const ExplanationSchema = Type.Object(
  {
    /** What the code means, for somebody who does not know the device. */
    text: Type.String({ minLength: 1, maxLength: 120 }),
    /** What to do first. Advice to a person: nothing is done by itself. */
    do: Type.String({ minLength: 1, maxLength: 240 }),
  },
  strict,
);

/** English is complete; the other languages fall back to it. */
const CodeSchema = Type.Object(
  { en: ExplanationSchema, ru: Type.Optional(ExplanationSchema), tg: Type.Optional(ExplanationSchema) },
  strict,
);

/** Metric → code → explanation by language. The name of another metric instead of codes: it has the same ones. */
export const ProfileTextsSchema = Type.Record(
  Type.String({ pattern: '^[a-z][a-zA-Z0-9.]*$' }),
  Type.Union([
    Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]+$' }), CodeSchema),
    Type.String({ pattern: '^[a-z][a-zA-Z0-9.]*$' }),
  ]),
);

export type ProfileTextsFile = Static<typeof ProfileTextsSchema>;
export type CodeTexts = Static<typeof CodeSchema>;
/** Metric → code → texts, every reference resolved. */
export type ProfileTexts = Readonly<Record<string, Readonly<Record<string, CodeTexts>>>>;

const texts = Compile(ProfileTextsSchema);
const ownFolder = dirname(fileURLToPath(import.meta.url));

/** Where the texts of a profile lie: `<maker>/texts/<model>.json`. */
export function textsFileOf(id: string, folder: string = ownFolder): string {
  const [maker = '', model = ''] = id.split('/');
  return join(folder, maker, 'texts', `${model}.json`);
}

/**
 * Texts of a profile's fault codes; empty where it has none, or where its file is unreadable: a code is then shown as it
 * is. Only ids of the form `maker/model` are looked up, so that an id from outside names no other file.
 */
export function loadProfileTexts(id: string, folder: string = ownFolder): ProfileTexts {
  if (!/^[a-z0-9-]+\/[a-z0-9-]+$/.test(id)) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(textsFileOf(id, folder), 'utf8'));
  } catch {
    return {};
  }
  return texts.Check(value) ? resolveReferences(value) : {};
}

function resolveReferences(file: ProfileTextsFile): ProfileTexts {
  const resolved: Record<string, Readonly<Record<string, CodeTexts>>> = {};
  for (const [metric, codes] of Object.entries(file)) {
    const meant = typeof codes === 'string' ? file[codes] : codes;
    if (typeof meant === 'object') resolved[metric] = meant;
  }
  return resolved;
}
