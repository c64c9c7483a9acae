import { readFileSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasValue } from '#domain/quality.js';
import { decodeReadings, resolveProfile } from '#gateway/decode/decode.js';
import { createWordImage } from '#gateway/decode/word-image.js';
import { loadCatalog, PROFILES_FOLDER, profileFilesOf, sampleFilesOf } from '#profiles/catalog.js';
import { type ProfileSample, TABLES } from '#profiles/profile.js';

const { profiles, faults } = loadCatalog();
const samples = profileFilesOf(PROFILES_FOLDER).flatMap((file) =>
  sampleFilesOf(file).map((sample) => ({
    name: relative(PROFILES_FOLDER, sample),
    file: sample,
    profile: profiles.get(`${basename(dirname(file))}/${basename(file, '.json')}`),
  })),
);

describe('every sample of a profile comes out as its facts say', () => {
  test('no profile is faulty', () => {
    expect(faults).toEqual([]);
    expect(samples.length).toBeGreaterThan(0);
  });

  test.each(samples)('$name', ({ file, profile }) => {
    const sample = JSON.parse(readFileSync(file, 'utf8')) as ProfileSample;
    const image = createWordImage();
    for (const table of TABLES)
      for (const [start, words] of Object.entries(sample.image[table] ?? {}))
        image.put(table, Number(start), words, 'same');
    const decoded = decodeReadings(resolveProfile(profile!.profile, sample.variant), image, 0);
    const readings = Object.fromEntries(
      decoded.map(({ metric, value, reason }) => [metric, reason === 'good' ? value : { value, reason }]),
    );
    expect(readings).toEqual(sample.readings);
    for (const { value, reason } of decoded) expect(value !== null).toBe(hasValue(reason));
  });
});
