// The languages that people read, and what each needs from grammar.

/** English comes first: it is the default and the type of the other catalogues. */
export const LANGUAGES = ['en', 'ru', 'tg'] as const;
export type Language = (typeof LANGUAGES)[number];

/** True for a language code that has a catalogue. */
export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.some((language) => language === value);
}

/** Forms of a counted noun. Russian uses all three; English `one` and `many`; Tajik nouns stay singular after a number. */
export interface PluralForms {
  readonly one: string;
  readonly few: string;
  readonly many: string;
}

/**
 * The form that a noun takes after `count`, by the rules of Unicode CLDR for whole numbers.
 * Browsers know no Tajik and would answer with the rules of the phone's own language, so the rules stand here.
 */
export function plural(language: Language, count: number, forms: PluralForms): string {
  if (language === 'tg') return forms.one;
  if (language === 'en') return count === 1 ? forms.one : forms.many;
  const tens = Math.abs(count) % 100;
  const ones = tens % 10;
  if (tens > 10 && tens < 20) return forms.many;
  if (ones === 1) return forms.one;
  return ones >= 2 && ones <= 4 ? forms.few : forms.many;
}
