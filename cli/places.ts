// Where things lie in a checkout or an installed package.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const root = packageRoot();

/** The built dashboards. */
export const WEB_FOLDER = join(root, 'dist', 'web');

/** Profiles with their texts beside them. */
export const PROFILES_FOLDER = join(root, 'profiles');

export const VERSION: string = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string })
  .version;
