// Every profile of the product: format, lint, samples, texts, and the schema that editors read.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProfileFile, loadCatalog, PROFILES_FOLDER, profileFilesOf, sampleFilesOf } from '#profiles/catalog.js';
import { metricsOf } from '#profiles/extent.js';
import type { ProfileSample } from '#profiles/profile.js';
import { profileJsonSchema } from '#profiles/profile-schema.js';
import { loadProfileTexts, textsFileOf } from '#profiles/texts.js';

const files = profileFilesOf(PROFILES_FOLDER);
const { profiles, faults } = loadCatalog();
const named = files.map((file) => [relative(PROFILES_FOLDER, file), file] as const);

function samplesOf(file: string): ProfileSample[] {
  return sampleFilesOf(file).map((sample) => JSON.parse(readFileSync(sample, 'utf8')) as ProfileSample);
}

describe('the catalogue of the product', () => {
  it('loads whole', () => {
    expect(faults).toEqual([]);
    expect(profiles.size).toBe(files.length);
    expect(profiles.size).toBeGreaterThan(0);
  });

  it('holds no sample and no texts without a profile', () => {
    const orphans = [...new Set(files.map(dirname))].flatMap((folder) => {
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
      return names.filter((name) => !existsSync(join(folder, `${basename(name).split('.')[0]}.json`)));
    });
    expect(orphans).toEqual([]);
  });

  it('is described to editors by a schema that is up to date', () => {
    const stored = JSON.parse(readFileSync(join(PROFILES_FOLDER, 'profile.schema.json'), 'utf8'));
    expect(
      stored,
      `profile.ts has changed. Run: node --conditions=source --import tsx -e "import('./profiles/profile-schema.ts').then((m) => m.writeProfileSchema())" && npx biome check --write profiles`,
    ).toEqual(profileJsonSchema());
  });
});

describe.each(named)('%s', (_name, file) => {
  const id = `${basename(dirname(file))}/${basename(file, '.json')}`;
  const profile = profiles.get(id)?.profile;

  it('passes schema and lint, with its samples and texts', () => {
    expect(checkProfileFile(file)).toEqual([]);
  });

  it('has a sample of every metric with a value in it', () => {
    if (!profile) throw new Error(`${id} did not load`);
    const withValue = new Set(
      samplesOf(file).flatMap(({ readings }) =>
        Object.entries(readings).flatMap(([metric, expected]) =>
          typeof expected === 'object' && expected.value === null ? [] : [metric],
        ),
      ),
    );
    expect(metricsOf(profile).filter((metric) => !withValue.has(metric))).toEqual([]);
  });

  it('has a sample of every variant', () => {
    const sampled = new Set(samplesOf(file).map(({ variant }) => variant));
    expect((profile?.variants ?? []).map(({ name }) => name).filter((name) => !sampled.has(name))).toEqual([]);
    expect(sampled.has(undefined)).toBe(true);
  });

  it('says in its schema link what it is', () => {
    expect(profile?.$schema).toBe('../profile.schema.json');
  });

  it('has texts that end in a full stop where they say what to do', () => {
    for (const codes of Object.values(loadProfileTexts(id)))
      for (const [code, texts] of Object.entries(codes))
        for (const [language, { text, do: advice }] of Object.entries(texts)) {
          expect(advice, `${code} ${language}`).toMatch(/[.!?]$/);
          expect(text, `${code} ${language}`).not.toMatch(/[.!?]$/);
        }
    if (existsSync(textsFileOf(id))) expect(loadProfileTexts(id)).not.toEqual({});
  });
});
