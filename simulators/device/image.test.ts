import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCatalog, PROFILES_FOLDER, profileFilesOf, sampleFilesOf } from '#profiles/catalog.js';
import { addressesOf, placedRegisters, tableOf, wordCountOf } from '#profiles/extent.js';
import type { Profile, ProfileSample, Register } from '#profiles/profile.js';
import type { MetricValue } from './encoder.js';
import { imageOf, rawOf } from './image.js';

const { profiles } = loadCatalog();
const cases = profileFilesOf(PROFILES_FOLDER).flatMap((file) =>
  sampleFilesOf(file).map((sampleFile) => {
    const { id } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
    const sample = JSON.parse(readFileSync(sampleFile, 'utf8')) as ProfileSample;
    return { title: `${id} (${basename(sampleFile)})`, profile: profiles.get(id)!.profile, sample };
  }),
);

function wordsOf(sample: ProfileSample, table: keyof ProfileSample['image']): Map<number, number> {
  const words = new Map<number, number>();
  for (const [start, run] of Object.entries(sample.image[table] ?? {}))
    for (const [index, word] of run.entries()) words.set(Number(start) + index, word);
  return words;
}

/** Raw numbers of registers that only have a name: units, exponents and parts of sums cannot be told from the readings. */
function namedOf(profile: Profile, sample: ProfileSample): Record<string, number> {
  const totals = new Set((profile.derived ?? []).flatMap((one) => ('sumOf' in one ? [] : [one.integer, one.fraction])));
  const named: Record<string, number> = {};
  for (const { register } of placedRegisters(profile, sample.variant)) {
    if (register.metric !== undefined || register.name === undefined || totals.has(register.name)) continue;
    const table = wordsOf(sample, tableOf(profile, register));
    const words = Array.from({ length: wordCountOf(register) }, (_, index) => table.get(register.at + index) ?? 0);
    if ((register.order ?? profile.protocol.order) === 'little') words.reverse();
    named[register.name] = rawOf(register, words);
  }
  return named;
}

describe('from what a device means, the words that it sends', () => {
  test('there are samples', () => expect(cases.length).toBeGreaterThan(0));

  test.each(cases)('$title', ({ profile, sample }) => {
    const reading = (metric: string): MetricValue | undefined => {
      const expected = sample.readings[metric];
      return typeof expected === 'object' ? expected.value : expected;
    };
    const named = namedOf(profile, sample);
    const image = imageOf(profile, reading, {
      named,
      ...(sample.variant === undefined ? {} : { variant: sample.variant }),
    });
    const wrong: string[] = [];
    for (const { register } of placedRegisters(profile, sample.variant)) {
      const table = tableOf(profile, register);
      const given = wordsOf(sample, table);
      const words = addressesOf(register).map((address) => given.get(address));
      if (words.includes(undefined) || isAnyMissingValue(profile, register, reading)) continue;
      const keep = maskOf(register);
      for (const [index, address] of addressesOf(register).entries()) {
        if ((image[table].get(address)! & keep) === (words[index]! & keep)) continue;
        // Older firmware leaves a high word that is kept apart at 0.
        if (address === register.highWordAt && words[index] === 0) continue;
        wrong.push(
          `${table} ${address} (${register.metric ?? register.name}): ${image[table].get(address)}, not ${words[index]}`,
        );
      }
    }
    expect(wrong).toEqual([]);
  });
});

function maskOf(register: Register): number {
  return wordCountOf(register) === 1 ? (register.mask ?? 0xffff) : 0xffff;
}

/** A missing value has as many words as the device has sentinels; that ours is one of them is tested below. */
function isAnyMissingValue(
  profile: Profile,
  register: Register,
  reading: (metric: string) => MetricValue | undefined,
): boolean {
  if (register.metric !== undefined) return reading(register.metric) === null;
  return (profile.derived ?? []).some(
    (one) =>
      !('sumOf' in one) && [one.integer, one.fraction].includes(register.name ?? '') && reading(one.metric) === null,
  );
}

test.each([...profiles.values()].map(({ profile }) => ({ id: profile.id, profile })))(
  '$id says "no value" in its own words',
  ({ profile }) => {
    const image = imageOf(profile, () => null);
    for (const register of profile.registers) {
      if (register.metric === undefined || register.invalid === undefined) continue;
      const words = addressesOf(register).map((address) => image[tableOf(profile, register)].get(address)!);
      const raw = rawOf(register, (register.order ?? profile.protocol.order) === 'little' ? words.reverse() : words);
      const patterns = register.invalid.map((pattern) => (pattern === 'NaN' ? Number.NaN : Number(pattern)));
      expect(patterns, register.metric).toContainEqual(raw);
    }
  },
);

test.each([...profiles.values()].map(({ profile }) => ({ id: profile.id, profile })))(
  '$id is recognised by what it must answer',
  ({ profile }) => {
    const image = imageOf(profile, () => 0);
    for (const condition of profile.identify ?? []) {
      const register = { type: 'u16', ...condition } as Register;
      const words = addressesOf(register).map((address) => image[tableOf(profile, condition)].get(address)!);
      const raw = rawOf(register, (condition.order ?? profile.protocol.order) === 'little' ? words.reverse() : words);
      if (condition.oneOf) expect(condition.oneOf).toContain(raw);
      if (condition.min !== undefined) expect(raw).toBeGreaterThanOrEqual(condition.min);
      if (condition.max !== undefined) expect(raw).toBeLessThanOrEqual(condition.max);
    }
  },
);

describe('a device that is no special variant', () => {
  test.each(
    [...profiles.values()].filter(({ profile }) => profile.variants !== undefined).map(({ profile }) => profile.id),
  )('%s does not look like one', (id) => {
    const { profile } = profiles.get(id)!;
    const image = imageOf(profile, () => undefined);
    for (const { name, when } of profile.variants ?? []) {
      const words = Array.from(
        { length: wordCountOf({ type: 'u16', ...when } as Register) },
        (_, i) => image[tableOf(profile, when)].get(when.at + i) ?? 0,
      );
      expect(when.oneOf ?? [], name).not.toContain(rawOf({ type: when.type ?? 'u16' }, words));
    }
  });
});

test('a scale factor moves when a value outgrows its register, for all that share it', () => {
  const profile = {
    ...profiles.get('eastron/sdm630')!.profile,
    identify: [],
    registers: [
      { at: 0, type: 's16', metric: 'ac.power', unit: 'W', scaleFrom: 'powerScale' },
      { at: 1, type: 's16', metric: 'ac.l1.power', unit: 'W', scaleFrom: 'powerScale' },
      { at: 2, type: 's16', name: 'powerScale' },
    ],
  } as unknown as Profile;
  const wordsAt = (watts: number): (number | undefined)[] => {
    const { input } = imageOf(profile, (metric) => (metric === 'ac.power' ? watts : 1234));
    return [0, 1, 2].map((address) => input.get(address));
  };
  expect(wordsAt(32_000)).toEqual([32_000, 1234, 0]);
  expect(wordsAt(48_000)).toEqual([4800, 123, 1]);
  expect(wordsAt(5_000_000)).toEqual([5000, 1, 3]);
});
