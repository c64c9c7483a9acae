// The arrows of the house: who may import whom, and which packages each room may know.
import { posix } from 'node:path';
import { ROOMS, type Room, type SourceFile } from './source-files.js';

/** Room → rooms that its files may import. Mirrors the table in ARCHITECTURE.md. */
export const ARROWS: Readonly<Record<Room, readonly Room[]>> = {
  domain: [],
  contract: ['domain'],
  profiles: ['domain'],
  gateway: ['domain', 'contract', 'profiles', 'texts'],
  server: ['domain', 'contract', 'texts'],
  dashboards: ['domain', 'contract', 'texts'],
  simulators: ['domain', 'profiles'],
  texts: ['domain'],
  cli: ['domain', 'contract', 'profiles', 'gateway', 'server', 'dashboards', 'simulators', 'texts'],
  bench: [...ROOMS],
  tests: [...ROOMS],
};

/** Packages that name a room's secret: nobody else may import them. */
const PACKAGE_OWNERS: readonly { readonly packages: RegExp; readonly allowed: readonly string[] }[] = [
  { packages: /^(modbus-serial|serialport|@serialport\/.*)$/, allowed: ['gateway/bus/', 'bench/', 'tests/'] },
  { packages: /^cbor-x$/, allowed: ['contract/', 'gateway/outbox/', 'bench/', 'tests/'] },
  { packages: /^mqtt$/, allowed: ['gateway/uplink/', 'server/ingest/', 'bench/', 'tests/'] },
  { packages: /^aedes$/, allowed: ['server/broker/', 'bench/', 'tests/'] },
  { packages: /^influx$/, allowed: ['server/store/', 'bench/', 'tests/'] },
  { packages: /^better-sqlite3$/, allowed: ['server/store/', 'gateway/outbox/', 'bench/', 'tests/'] },
  { packages: /^uplot/, allowed: ['dashboards/src/chart/'] },
  { packages: /^(fastify|@fastify\/.*)$/, allowed: ['server/', 'bench/', 'tests/'] },
];

/** Static, re-exporting, side-effect and dynamic imports, also over several lines. */
const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2];
    if (specifier === undefined) continue;
    const line = text.slice(0, (match.index ?? 0) + match[0].lastIndexOf(specifier)).split('\n').length;
    found.push({ specifier, line });
  }
  return found;
}

/** `path:line` and what is wrong, for every import that the house forbids. */
export function violationsOf(file: SourceFile): string[] {
  return importsOf(file.text).flatMap(({ specifier, line }) => {
    const fault = faultOf(file, specifier);
    return fault === undefined ? [] : [`${file.path}:${line} imports "${specifier}": ${fault}`];
  });
}

function faultOf(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return roomFault(file, specifier.slice(1).split('/')[0] ?? '');
  if (specifier.startsWith('.')) {
    const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
    const room = target.split('/')[0] ?? '';
    return room === file.room ? undefined : roomFault(file, room);
  }
  return packageFault(file, specifier);
}

function roomFault(file: SourceFile, room: string): string | undefined {
  if (room === file.room) return undefined;
  // A test may use the builders in tests/support; the code beside it may not.
  if (file.isTest && room === 'tests') return undefined;
  if (!ROOMS.includes(room as Room)) return undefined;
  return ARROWS[file.room].includes(room as Room) ? undefined : `${file.room} may not know ${room}`;
}

function packageFault(file: SourceFile, specifier: string): string | undefined {
  if (file.room === 'domain' && !file.isTest) return 'domain has no dependency, not even on Node';
  const owner = PACKAGE_OWNERS.find(({ packages }) => packages.test(specifier));
  if (owner === undefined || file.isTest || owner.allowed.some((prefix) => file.path.startsWith(prefix)))
    return undefined;
  return `only ${owner.allowed.filter((prefix) => !/^(bench|tests)/.test(prefix)).join(', ')} may know it`;
}
