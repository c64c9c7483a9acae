import { en, type Texts } from './en.js';
import type { Language } from './language.js';

/** The words of a language, fetched only when somebody reads it. English is always there. Rejects when the fetch fails. */
export async function loadTexts(language: Language): Promise<Texts> {
  if (language === 'ru') return (await import('./ru.js')).ru;
  if (language === 'tg') return (await import('./tg.js')).tg;
  return en;
}
