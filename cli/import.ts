// `oftob import`: a file of `oftob outbox export`, or files of an older logger, to the server.
import { createReadStream, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { CARRY_MEDIA_TYPE, type CarrySummary, readCarry } from '#contract/carry.js';
import { doorOf, parseJson } from '#contract/door.js';
import { type ImportResponse, ImportResponseSchema } from '#contract/http.js';
import { ok, type Result } from '#domain/result.js';
import { type Command, type CommandFault, done, fault, type Options, textOf } from './command.js';
import { readYaml } from './config-file.js';
import { parseMapping } from './import/mapping.js';
import { importOlder } from './import/older-logger.js';
import { createPointsDoor } from './import/points-door.js';
import { summaryText } from './import/summary.js';
import { type Answer, upload } from './import/upload.js';
import { refusalOf, SERVER_OPTION, serverUrl } from './server-door.js';

const ANSWER_BYTES_MAX = 64 * 1024;

const answerDoor = doorOf(ImportResponseSchema);

export const importFile: Command = {
  name: 'import',
  summary: 'Feeds files to the server: of `oftob outbox export`, or with --mapping of an older logger.',
  usage: 'FILE [--server URL] | --mapping MAPPING FILE… [--dry-run]',
  options: [
    SERVER_OPTION,
    { name: 'mapping', value: 'FILE', meaning: 'what the columns of an older logger mean (YAML), see docs/import.md' },
    { name: 'dry-run', meaning: 'with --mapping: read and tell, send nothing' },
    { name: 'by', value: 'NAME', meaning: 'with --mapping: who imports, for the journal (default: who runs it)' },
    { name: 'json', meaning: 'print JSON' },
  ],
  example: 'oftob import --mapping deploy/mapping.yaml --dry-run logger-2019.csv',
  async run(options, words) {
    const mapping = textOf(options, 'mapping');
    if (mapping !== undefined) return importOlderFiles(mapping, words, options);
    const url = serverUrl(options, '/import');
    if (!url.ok) return url;
    const [file] = words;
    if (file === undefined || words.length > 1)
      return fault('USAGE', 'import needs one FILE, or --mapping. See: oftob import --help');
    const checked = await checkFile(file);
    if (!checked.ok) return checked;
    const stored = await send(file, checked.value, url.value);
    if (!stored.ok) return stored;
    process.stdout.write(importText(file, checked.value, stored.value, options.json === true));
    return done;
  },
};

/** One file after the other; the first fault ends it. */
async function importOlderFiles(
  mappingFile: string,
  files: readonly string[],
  options: Options,
): Promise<Result<undefined, CommandFault>> {
  if (files.length === 0) return fault('USAGE', 'import --mapping needs a FILE. See: oftob import --help');
  const mapping = readYaml(mappingFile, parseMapping);
  if (!mapping.ok) return mapping;
  const door = options['dry-run'] === true ? ok(undefined) : createPointsDoor(options, mapping.value.post);
  if (!door.ok) return door;
  const by = textOf(options, 'by') ?? userName();
  if (by === '') return fault('USAGE', 'import --mapping needs --by NAME: it stands in the journal');
  for (const file of files) {
    const imported = await importOlder(file, { mapping: mapping.value, door: door.value, by, now: Date.now() });
    if (!imported.ok) return imported;
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify(imported.value)}\n`
        : summaryText(imported.value, door.value === undefined),
    );
  }
  return done;
}

/** Empty for a user without a name, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

/** The whole file, before a byte of it is sent: a bad copy is found where it can be copied again. */
async function checkFile(file: string): Promise<Result<CarrySummary, CommandFault>> {
  try {
    if (!statSync(file).isFile()) return fault('CARRY_UNREADABLE', `${file} is no file`);
    const read = await readCarry(createReadStream(file));
    return read.ok ? read : fault(read.fault.code, `${file}: ${read.fault.message}`);
  } catch (error) {
    return fault('CARRY_UNREADABLE', `cannot read ${file}: ${(error as Error).message}`);
  }
}

async function send(file: string, { bytes }: CarrySummary, url: URL): Promise<Result<ImportResponse, CommandFault>> {
  const answer = await upload(file, bytes, url, CARRY_MEDIA_TYPE);
  if (answer.ok) return readAnswer(answer.value, url);
  const { kind, message } = answer.fault;
  if (kind === 'unreachable')
    return fault(
      'CARRY_SERVER_UNREACHABLE',
      `no server answers at ${url.origin} (${message}); start it, or name it with --server`,
    );
  return fault(
    'CARRY_SERVER_GONE',
    `${url.origin} ended the connection (${message}); import the file again: what is stored is not stored twice`,
  );
}

function readAnswer({ status, text }: Answer, url: URL): Result<ImportResponse, CommandFault> {
  const bytes = Buffer.from(text);
  if (status === 200) {
    const stored = parseJson(answerDoor, bytes, ANSWER_BYTES_MAX);
    if (stored.ok) return stored;
  }
  return refusalOf(url, status, bytes, 'CARRY_SERVER_FOREIGN');
}

function importText(
  file: string,
  { header, totals }: CarrySummary,
  { records, samples, stored, refused }: ImportResponse,
  asJson: boolean,
): string {
  const { fleet, post } = header;
  if (asJson) return `${JSON.stringify({ file, fleet, post, records, samples, stored, refused })}\n`;
  const time = (at: number | null) => (at === null ? '–' : new Date(at).toISOString());
  return [
    `Imported ${file}: post ${post}, ${time(totals.from)} to ${time(totals.to)}`,
    `  records  ${records}`,
    `  samples  ${samples}`,
    `  stored   ${stored} (what was there already is there once)`,
    `  refused  ${refused}${refused === 0 ? '' : ' (the server’s dead letters say why)'}`,
    '',
  ].join('\n');
}
