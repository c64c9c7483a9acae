// What a schema cannot say about a profile. Pure: a profile in, findings out.
import type { Profile, ProfileSample } from './profile.js';

/** One thing that is wrong, and where, as a JSON pointer into the file. */
export interface Finding {
  readonly path: string;
  readonly message: string;
}

/** Findings of a profile that has passed the schema. */
export function lintProfile(_profile: Profile): Finding[] {
  return [];
}

/** Findings of a sample against the profile it belongs to. */
export function lintSample(_profile: Profile, _sample: ProfileSample): Finding[] {
  return [];
}
