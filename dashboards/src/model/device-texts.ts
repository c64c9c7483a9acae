// What a device's fault codes mean, as its profile says.
import type { Language } from '#texts/language.js';

interface CodeText {
  readonly text: string;
  readonly do?: string;
}

/** Metric → code → language. English is always there. */
export type DeviceTexts = Readonly<Record<string, Readonly<Record<string, Partial<Record<Language, CodeText>>>>>>;

export interface CodeMeaning {
  readonly code: string;
  readonly text: string;
  /** What to do first; empty where the profile says nothing. */
  readonly action: string;
}

/** The meanings of a state's codes that the profile has words for. */
export function meaningsOf(
  texts: DeviceTexts | undefined,
  metric: string,
  value: string | number | null,
  language: Language,
): CodeMeaning[] {
  const codes = texts?.[metric];
  if (codes === undefined || value === null) return [];
  return String(value)
    .split(' ')
    .flatMap((code) => {
      const words = codes[code]?.[language] ?? codes[code]?.en;
      return words === undefined ? [] : [{ code, text: words.text, action: words.do ?? '' }];
    });
}
