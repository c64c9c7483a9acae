import { describe, expect, it } from 'vitest';
import { METRICS } from '#domain/metric.js';
import { REASONS } from '#domain/quality.js';
import { UNITS } from '#domain/quantity.js';
import { LANGUAGES, type Language, plural, textsOf } from './catalogue.js';
import { deliveryTextsOf } from './delivery.js';
import { faultTextsOf } from './faults.js';
import { loadTexts } from './load.js';
import { metricName, stateWords } from './metric-name.js';

/** Every text of a catalogue with its path; functions are called with numbers and words that stand out. */
function allTexts(value: unknown, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function')
    return [1, 2, 5, 21].flatMap((n) => allTexts((value as (...args: unknown[]) => unknown)(n, n), `${path}(${n})`));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, child]) => allTexts(child, `${path}.${key}`));
  return [];
}

const wordsOf = (language: Language) =>
  allTexts({ ...textsOf(language), delivery: deliveryTextsOf(language), faults: faultTextsOf(language) }, language);

describe.each(LANGUAGES)('the catalogue of %s', (language) => {
  const texts = textsOf(language);
  const all = wordsOf(language);

  it('has no empty text but the unit of a pure number', () => {
    expect(all.filter(([, text]) => text === '').map(([path]) => path)).toEqual([`${language}.units.1`]);
  });

  it('names every metric of the vocabulary, and no other', () => {
    const unnamed = [...METRICS.keys()].filter((id) => metricName(id, texts) === id);
    expect(unnamed).toEqual([]);
    const known = new Set([...METRICS.keys()].map((id) => id.replace(/\.l[123]\./, '.').replace(/^pv[1-9]\./, 'pv.')));
    expect(Object.keys(texts.metrics.names).filter((id) => !known.has(id))).toEqual([]);
  });

  it('has words for every unit and every reason', () => {
    for (const unit of UNITS) expect(texts.units[unit]).toBeTypeOf('string');
    expect(Object.keys(texts.reasons)).toEqual(Object.keys(REASONS));
  });

  it('is the one that the browser loads', async () => {
    expect(await loadTexts(language)).toBe(texts);
  });
});

describe.each(['ru', 'tg'] as const)('the letters of %s', (language) => {
  it('mix no Latin look-alike into a Cyrillic word', () => {
    const mixed = wordsOf(language).filter(([, text]) => /[a-z][\u0400-\u04ff]|[\u0400-\u04ff][a-z]/iu.test(text));
    expect(mixed).toEqual([]);
  });

  it('stand alone as Latin only where a name or a symbol asks for it', () => {
    const latin = wordsOf(language).flatMap(([, text]) => text.match(/[a-zA-Z]+/g) ?? []);
    const allowed = new Set(['CO', 'C', 'Escape', 'DC', 'ru', 'tg', 'L']);
    expect(latin.filter((word) => !allowed.has(word))).toEqual([]);
  });
});

describe('the words of a state', () => {
  it('are translated where many devices share them', () => {
    expect(stateWords('standby', textsOf('ru'))).toBe('ожидание');
  });
  it('are set apart where only the profile knows them', () => {
    expect(stateWords('openLoopMinimum', textsOf('en'))).toBe('open loop minimum');
  });
  it('keep the codes of a device, and list several', () => {
    expect(stateWords('F07 W31 bit12', textsOf('en'))).toBe('F07, W31, bit12');
  });
});

describe('the letters of Tajik', () => {
  it('are those of the Tajik alphabet, without the Russian ones that it gave up', () => {
    const strange = wordsOf('tg').filter(([, text]) => /[щыь]/iu.test(text));
    expect(strange).toEqual([]);
  });
});

describe('counting', () => {
  const posts = { one: 'пост', few: 'поста', many: 'постов' };
  it('follows the Russian rules', () => {
    expect([0, 1, 2, 4, 5, 11, 12, 21, 22, 25, 101, 111].map((n) => `${n} ${plural('ru', n, posts)}`)).toEqual([
      '0 постов',
      '1 пост',
      '2 поста',
      '4 поста',
      '5 постов',
      '11 постов',
      '12 постов',
      '21 пост',
      '22 поста',
      '25 постов',
      '101 пост',
      '111 постов',
    ]);
  });

  it('leaves the Tajik noun in the singular and the English one in the plural but for one', () => {
    expect(plural('tg', 5, posts)).toBe('пост');
    expect(textsOf('en').fleet.posts(1)).toBe('1 post');
    expect(textsOf('en').fleet.posts(0)).toBe('0 posts');
  });
});
