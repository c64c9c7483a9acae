// `oftob outbox`: what a stopped gateway still keeps, and carrying it by hand.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { failed, ok, type Result } from '#domain/result.js';
import { type GatewayConfig, parseGatewayConfig } from '#gateway/config.js';
import { loadCatalog } from '#profiles/catalog.js';
import { machineClockQuality } from './clock-quality.js';
import { type Command, type CommandFault, done, fault, type Options, textOf } from './command.js';
import { readConfig } from './config-file.js';
import { withDataFolder } from './outbox/data-folder.js';
import { type Exported, type ExportRequest, exportBacklog } from './outbox/export.js';
import { beginFile, NewFileError } from './outbox/new-file.js';
import { deadLettersText, exportText, statusText } from './outbox/report.js';
import { VERSION } from './places.js';
import { systemClock } from './system.js';

const VERBS = ['export', 'status', 'dead-letters'] as const;

export const outbox: Command = {
  name: 'outbox',
  summary: 'Shows what a stopped gateway still keeps, and writes it to a file to carry to the server by hand.',
  usage: 'export --config FILE --to FILE [--since TIME] [--all] | status --config FILE | dead-letters --config FILE',
  options: [
    { name: 'config', value: 'FILE', meaning: 'the configuration of the gateway' },
    { name: 'to', value: 'FILE', meaning: 'export: the file to write, or a folder that it is written to' },
    {
      name: 'since',
      value: 'TIME',
      meaning: 'export: only what was recorded since then, such as 2026-01-15 or 2026-01-15T12:00Z',
    },
    { name: 'all', meaning: 'export: also what the server has confirmed and the outbox still keeps' },
    { name: 'json', meaning: 'print JSON' },
  ],
  example: 'oftob outbox export --config /etc/oftob/gateway.yaml --to /media/stick',
  async run(options, [verb, ...rest]) {
    if (!VERBS.some((known) => known === verb) || rest.length > 0)
      return fault('USAGE', `outbox knows ${VERBS.join(', ')}. See: oftob outbox --help`);
    const { profiles } = loadCatalog();
    const config = readConfig(textOf(options, 'config'), 'outbox', (text) => parseGatewayConfig(text, profiles));
    if (!config.ok) return config;
    const asJson = options.json === true;
    if (verb === 'export') return runExport(config.value, options);
    const text = withDataFolder(config.value, ({ outbox: opened }) =>
      ok(verb === 'status' ? statusText(opened, asJson) : deadLettersText(opened, asJson)),
    );
    if (!text.ok) return text;
    process.stdout.write(text.value);
    return done;
  },
};

function runExport(config: GatewayConfig, options: Options): Result<undefined, CommandFault> {
  const now = systemClock.now();
  const since = sinceOf(textOf(options, 'since'));
  if (!since.ok) return since;
  const file = fileOf(textOf(options, 'to'), config, now);
  if (!file.ok) return file;
  const written = writeFile(file.value, {
    config,
    profiles: loadCatalog().profiles,
    software: VERSION,
    now,
    clock: machineClockQuality(now),
    ...(since.value !== undefined && { since: since.value }),
    receipted: options.all === true,
  });
  if (!written.ok) return written;
  process.stdout.write(exportText({ file: file.value, ...written.value }, options.json === true));
  return done;
}

interface Written extends Exported {
  readonly bytes: number;
  readonly sha256: string;
}

/** Leaves no file behind where there is nothing to carry. */
function writeFile(file: string, request: ExportRequest): Result<Written, CommandFault> {
  const begun = beginFile(file);
  if (!begun.ok) return begun;
  try {
    const exported = withDataFolder(request.config, (opened) =>
      exportBacklog(opened, request, (bytes) => begun.value.append(bytes)),
    );
    if (!exported.ok) return exported;
    if (exported.value.totals.records === 0) return ok({ ...exported.value, bytes: 0, sha256: '' });
    return ok({ ...exported.value, ...begun.value.finish() });
  } catch (error) {
    if (error instanceof NewFileError) return failed(error.fault);
    throw error;
  } finally {
    begun.value.discard();
  }
}

function sinceOf(text: string | undefined): Result<number | undefined, CommandFault> {
  if (text === undefined) return ok(undefined);
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (time >= 0) return ok(time);
  return fault('USAGE', `--since must be a time such as 2026-01-15 or 2026-01-15T12:00Z, not "${text}"`);
}

/** In a folder the file gets a name of its own: which post, and when. */
function fileOf(to: string | undefined, { fleet, post }: GatewayConfig, now: number): Result<string, CommandFault> {
  if (to === undefined) return fault('USAGE', 'outbox export needs --to FILE. See: oftob outbox --help');
  if (!existsSync(to) || !statSync(to).isDirectory()) return ok(to);
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  return ok(join(to, `${fleet}-${post}-${time}.oftob`));
}
