// `oftob export`: a selection of points or windows from the server to a file, and a look at such a file.
import { createReadStream } from 'node:fs';
import { EXPORT_FORMATS, EXPORT_LAYOUTS, EXPORT_SEPARATORS, type ExportTrailer } from '#contract/export.js';
import type { Result } from '#domain/result.js';
import { type Command, type CommandFault, done, fault, type Options, textOf } from './command.js';
import { checkBytes } from './export/check.js';
import { download } from './export/download.js';
import { SERVER_OPTION, serverUrl } from './server-door.js';

const WORDS = ['posts', 'metrics', 'from', 'to', 'resolution', 'format', 'layout', 'separator'] as const;

export const exportFile: Command = {
  name: 'export',
  summary: 'Writes points or windows of the server to a file that proves itself whole, or checks such a file.',
  usage: 'FILE --posts … --metrics … --from … --to … | --check FILE',
  options: [
    SERVER_OPTION,
    { name: 'posts', value: 'POSTS', meaning: 'with commas between; * for all' },
    { name: 'metrics', value: 'METRICS', meaning: 'device/metric, with commas between' },
    { name: 'from', value: 'TIME', meaning: 'begin, with its zone: 2026-06-01T00:00:00+05:00' },
    { name: 'to', value: 'TIME', meaning: 'end, not included' },
    { name: 'resolution', value: 'WHICH', meaning: 'raw, quarter, day, month or year', preset: 'raw' },
    { name: 'format', value: 'FORMAT', meaning: EXPORT_FORMATS.join(', '), preset: 'csv' },
    { name: 'layout', value: 'LAYOUT', meaning: `of points: ${EXPORT_LAYOUTS.join(' or ')}` },
    { name: 'separator', value: 'WHICH', meaning: `of csv: ${Object.keys(EXPORT_SEPARATORS).join(' or ')}` },
    { name: 'check', meaning: 'only look whether FILE is whole and unchanged; asks nobody' },
  ],
  example:
    'oftob export year.csv --posts kyzyl-art --metrics inverter/pv.energy --from 2026-01-01T00:00:00+05:00 --to 2027-01-01T00:00:00+05:00 --resolution day',
  async run(options, words) {
    const [file] = words;
    if (file === undefined || words.length > 1)
      return fault('USAGE', 'export needs one FILE. See: oftob export --help');
    return options.check === true ? check(file) : fetchFile(file, options);
  },
};

async function check(file: string): Promise<Result<undefined, CommandFault>> {
  try {
    return tell(await checkBytes(file, createReadStream(file)), file, 'is whole');
  } catch (error) {
    return fault('EXPORT_UNREADABLE', `cannot read ${file}: ${(error as Error).message}`);
  }
}

async function fetchFile(file: string, options: Options): Promise<Result<undefined, CommandFault>> {
  const url = serverUrl(options, '/export');
  if (!url.ok) return url;
  for (const name of WORDS) {
    const value = textOf(options, name);
    if (value !== undefined) url.value.searchParams.set(name, value);
  }
  return tell(await download(url.value, file), file, 'is written, and whole');
}

function tell(
  checked: Result<ExportTrailer | undefined, CommandFault>,
  file: string,
  what: string,
): Result<undefined, CommandFault> {
  if (!checked.ok) return checked;
  const facts = checked.value === undefined ? '' : `: ${checked.value.rows} rows, SHA-256 ${checked.value.sha256}`;
  process.stdout.write(`${file} ${what}${facts}\n`);
  return done;
}
