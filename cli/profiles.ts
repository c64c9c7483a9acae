// `oftob profiles`: lists, shows and checks device profiles.

import { checkProfileFile, type LoadedProfile, loadCatalog, type ProfileFault, suggest } from '#profiles/catalog.js';
import type { Profile } from '#profiles/profile.js';
import { type Command, done, fault } from './command.js';

export const profiles: Command = {
  name: 'profiles',
  summary: 'Lists, shows and checks the profiles of devices.',
  usage: 'list [--markdown] | show ID | check [FILE…]',
  options: [{ name: 'markdown', meaning: 'list as the table of the README' }],
  example: 'oftob profiles show eastron/sdm630',
  async run(options, words) {
    const [verb = 'list', ...names] = words;
    if (verb === 'check') return check(names);
    const { profiles: known } = loadCatalog();
    if (verb === 'list') {
      process.stdout.write(options.markdown === true ? markdownTable(known.values()) : listing(known.values()));
      return done;
    }
    if (verb === 'show') return show(names[0], known);
    return fault('USAGE', `profiles knows list, show and check, not "${verb}"`);
  },
};

function sorted(loaded: Iterable<LoadedProfile>): Profile[] {
  return [...loaded].map(({ profile }) => profile).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function listing(loaded: Iterable<LoadedProfile>): string {
  const rows = sorted(loaded);
  const width = Math.max(0, ...rows.map(({ id }) => id.length)) + 2;
  return rows.map(({ id, kind, maker, model }) => `${id.padEnd(width)}${kind.padEnd(12)}${maker} ${model}\n`).join('');
}

/** The README's table of devices. */
export function markdownTable(loaded: Iterable<LoadedProfile>): string {
  const rows = sorted(loaded).map(
    ({ id, maker, model, kind, registers }) =>
      `| \`${id}\` | ${maker} ${model} | ${kind} | ${registers.filter(({ metric }) => metric !== undefined).length} | ${confidence(registers)} |`,
  );
  return [
    '| profile | device | kind | metrics | confirmed by two sources |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Share of registers that two independent sources agree on. */
function confidence(registers: Profile['registers']): string {
  const verified = registers.filter((register) => register.verified === 2).length;
  return `${Math.round((100 * verified) / registers.length)} %`;
}

function show(id: string | undefined, known: ReadonlyMap<string, LoadedProfile>) {
  if (id === undefined) return fault('USAGE', 'profiles show needs an id, such as eastron/sdm630');
  const loaded = known.get(id);
  if (loaded === undefined) {
    const near = suggest(id, known.keys());
    return fault(
      'PROFILE_UNKNOWN',
      `there is no profile "${id}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
  const { profile } = loaded;
  const lines = profile.registers.map((register) => {
    const table = register.table ?? profile.protocol.table;
    const unit = register.unit === undefined ? '' : ` ${register.unit}`;
    const scale = register.scale === undefined ? '' : ` ×${register.scale}`;
    return `  ${table.padEnd(9)}${String(register.at).padStart(5)}  ${register.type.padEnd(7)}${(register.metric ?? `(${register.name ?? ''})`).padEnd(32)}${scale}${unit}`;
  });
  const { protocol } = profile;
  process.stdout.write(
    [
      `${profile.id}: ${profile.maker} ${profile.model} (${profile.kind})`,
      `unit ${protocol.unit}, at most ${protocol.maxRegisters} registers a read, gaps up to ${protocol.allowedGap}, pause ${protocol.pauseMs} ms`,
      ...lines,
      ...(profile.notes ?? []).map((note) => `note: ${note}`),
      ...profile.sources.map((source) => `source: ${source}`),
      '',
    ].join('\n'),
  );
  return done;
}

function check(files: readonly string[]) {
  const faults = files.length === 0 ? loadCatalog().faults : files.flatMap((file) => checkProfileFile(file));
  if (faults.length === 0) {
    process.stdout.write(files.length === 0 ? 'All profiles are in order.\n' : `${files.join(', ')}: in order.\n`);
    return done;
  }
  return fault(
    'PROFILE_FAULTY',
    `${faults.length} fault${faults.length === 1 ? '' : 's'}; docs/profiles.md explains each`,
    faults.map(describe),
  );
}

/** `file:line path message` */
export function describe({ file, line, path, message }: ProfileFault): string {
  return `${file}${line === undefined ? '' : `:${line}`} ${path} ${message}`;
}
