// The profile format as JSON Schema, so that an editor helps while a profile is written.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILES_FOLDER } from './catalog.js';
import { ProfileSchema } from './profile.js';

/** The format as plain JSON Schema. */
export function profileJsonSchema(): Record<string, unknown> {
  const schema = JSON.parse(JSON.stringify(ProfileSchema)) as Record<string, unknown>;
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Profile of a device', ...schema };
}

/** Writes `profile.schema.json`, which the profiles name in their `$schema`. */
export function writeProfileSchema(folder: string = PROFILES_FOLDER): void {
  writeFileSync(join(folder, 'profile.schema.json'), `${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
}
