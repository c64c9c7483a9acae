// Every text by language. The browser loads one language at a time instead (`load.ts`).
import { en, type Texts } from './en.js';
import type { Language } from './language.js';
import { ru } from './ru.js';
import { tg } from './tg.js';

export { type AlarmText, alarmText, RULE_IDS, type RuleId } from './alarm-rules.js';
export type { Texts } from './en.js';
export { isLanguage, LANGUAGES, type Language, plural } from './language.js';

const catalogues: Readonly<Record<Language, Texts>> = { en, ru, tg };

/** The words of a language. */
export function textsOf(language: Language): Texts {
  return catalogues[language];
}
