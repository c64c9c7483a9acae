// The project's own source files, for the tests that speak about the house as a whole.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const ROOMS = [
  'domain',
  'contract',
  'profiles',
  'gateway',
  'server',
  'dashboards',
  'simulators',
  'texts',
  'cli',
  'bench',
  'tests',
] as const;
export type Room = (typeof ROOMS)[number];

export interface SourceFile {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly room: Room;
  readonly text: string;
  readonly isTest: boolean;
}

export function listFiles(folder: string, keep: (name: string) => boolean): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : listFiles(path, keep);
    return keep(entry.name) ? [relative(ROOT, join(ROOT, path)).replaceAll('\\', '/')] : [];
  });
}

export function readSources(): SourceFile[] {
  return ROOMS.flatMap((room) =>
    listFiles(room, (name) => /\.(ts|tsx|mjs)$/.test(name)).map((path) => ({
      path,
      room,
      text: readFileSync(join(ROOT, path), 'utf8'),
      isTest: /\.(test|suite)\.tsx?$/.test(path) || room === 'tests',
    })),
  );
}
