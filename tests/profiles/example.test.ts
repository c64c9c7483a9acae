// The worked example of docs/profiles.md is a profile that works.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeReadings, resolveProfile } from '#gateway/decode/decode.js';
import { createWordImage } from '#gateway/decode/word-image.js';
import { checkProfileFile, loadCatalog } from '#profiles/catalog.js';
import type { ProfileSample } from '#profiles/profile.js';

const page = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'profiles.md'), 'utf8');
const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
const folder = mkdtempSync(join(tmpdir(), 'example-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the worked example', () => {
  const file = join(folder, 'example', 'meter.json');
  mkdirSync(dirname(file));
  writeFileSync(file, blocks[0] ?? '');
  writeFileSync(join(folder, 'example', 'meter.sample.json'), blocks[1] ?? '');

  it('is a profile and its sample, and passes the check', () => {
    expect(blocks).toHaveLength(2);
    expect(checkProfileFile(file)).toEqual([]);
  });

  it('decodes to what its sample says', () => {
    const loaded = loadCatalog(folder).profiles.get('example/meter');
    const sample = JSON.parse(blocks[1] ?? '') as ProfileSample;
    const image = createWordImage();
    for (const [start, words] of Object.entries(sample.image.input ?? {}))
      image.put('input', Number(start), words, 'same');
    const readings = decodeReadings(resolveProfile(loaded!.profile), image, 0);
    expect(Object.fromEntries(readings.map(({ metric, value }) => [metric, value]))).toEqual(sample.readings);
  });
});
