// The words of what can be broken at a simulated post, apart from the others: no dashboard needs them.
import { enFaults, type FaultTexts } from './en-faults.js';
import type { Language } from './language.js';
import { ruFaults } from './ru-faults.js';
import { tgFaults } from './tg-faults.js';

export type { FaultTexts } from './en-faults.js';

const catalogues: Readonly<Record<Language, FaultTexts>> = { en: enFaults, ru: ruFaults, tg: tgFaults };

export function faultTextsOf(language: Language): FaultTexts {
  return catalogues[language];
}
