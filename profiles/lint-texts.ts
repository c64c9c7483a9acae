// What must hold for the texts beside a profile: they speak of codes that its registers can come out as.
import { metricsOf, placedRegisters } from './extent.js';
import type { Finding } from './lint.js';
import type { Profile } from './profile.js';
import { didYouMean } from './suggest.js';
import type { ProfileTextsFile } from './texts.js';
import { isUnlistedWord, listedWordsOf } from './words.js';

/** Findings of a texts file against the profile it belongs to. */
export function lintTexts(profile: Profile, texts: ProfileTextsFile): Finding[] {
  const registers = new Map(placedRegisters(profile).map(({ register }) => [register.metric, register]));
  return Object.entries(texts).flatMap(([metric, codes]): Finding[] => {
    const path = `/${metric}`;
    const register = registers.get(metric);
    if (!register)
      return [
        { path, message: `"${metric}" is no metric of "${profile.id}"${didYouMean(metric, metricsOf(profile))}` },
      ];
    const meant = typeof codes === 'string' ? texts[codes] : codes;
    if (typeof meant !== 'object') return [{ path, message: `refers to "${String(codes)}", which has no codes here` }];
    const known = listedWordsOf(register);
    return Object.keys(meant).flatMap((code) =>
      known.has(code) || isUnlistedWord(register, code)
        ? []
        : [{ path: `${path}/${code}`, message: `"${code}" is no word of "${metric}"${didYouMean(code, known)}` }],
    );
  });
}
