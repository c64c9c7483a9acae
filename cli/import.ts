// `oftob import`: a file of `oftob outbox export` to the server.
import { createReadStream, statSync } from 'node:fs';
import { CARRY_MEDIA_TYPE, type CarrySummary, readCarry } from '#contract/carry.js';
import { doorOf, parseJson } from '#contract/door.js';
import { API_ROOT, ErrorSchema, type ImportResponse, ImportResponseSchema } from '#contract/http.js';
import { ok, type Result } from '#domain/result.js';
import { type Command, type CommandFault, done, fault, textOf } from './command.js';
import { type Answer, upload } from './import/upload.js';

const SERVER = 'http://127.0.0.1:8080';
const ANSWER_BYTES_MAX = 64 * 1024;

const answerDoor = doorOf(ImportResponseSchema);
const errorDoor = doorOf(ErrorSchema);

export const importFile: Command = {
  name: 'import',
  summary: 'Feeds a file that `oftob outbox export` wrote on a post to the server.',
  usage: 'FILE [--server URL]',
  options: [
    { name: 'server', value: 'URL', meaning: 'the server', preset: SERVER },
    { name: 'json', meaning: 'print JSON' },
  ],
  example: 'oftob import /media/stick/pamir-kyzyl-art-20260115T120000Z.oftob',
  async run(options, words) {
    const [file] = words;
    if (file === undefined || words.length > 1)
      return fault('USAGE', 'import needs one FILE. See: oftob import --help');
    const url = importUrl(textOf(options, 'server') ?? SERVER);
    if (!url.ok) return url;
    const checked = await checkFile(file);
    if (!checked.ok) return checked;
    const stored = await send(file, checked.value, url.value);
    if (!stored.ok) return stored;
    process.stdout.write(importText(file, checked.value, stored.value, options.json === true));
    return done;
  },
};

function importUrl(server: string): Result<URL, CommandFault> {
  const isUrl = /^https?:\/\//.test(server) && URL.canParse(server);
  if (!isUrl) return fault('USAGE', `--server must be a URL such as ${SERVER}, not "${server}"`);
  return ok(new URL(`${API_ROOT}/import`, server));
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
  const said = parseJson(errorDoor, bytes, ANSWER_BYTES_MAX);
  if (said.ok) return fault(said.value.code, said.value.message);
  return fault(
    'CARRY_SERVER_FOREIGN',
    `${url.origin} answered ${status} and nothing that an Oftob server says; look at --server`,
  );
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
