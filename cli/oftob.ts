#!/usr/bin/env node
// The command `oftob`: finds the command, runs it, and says in one line what went wrong.
import { type Command, explain, readOptions } from './command.js';
import { demo } from './demo.js';
import { drill } from './drill.js';
import { gateway } from './gateway.js';
import { importFile } from './import.js';
import { outbox } from './outbox.js';
import { profiles } from './profiles.js';
import { read } from './read.js';
import { server } from './server.js';
import { simulate } from './simulate.js';

const COMMANDS: readonly Command[] = [demo, server, gateway, simulate, read, profiles, outbox, importFile, drill];

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  return [
    'Oftob watches and accounts for solar/hybrid power and water at remote posts.',
    '',
    'Usage: oftob COMMAND [options]',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'oftob COMMAND --help explains one of them. Example: oftob demo',
    '',
  ].join('\n');
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return name === undefined ? 1 : 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    process.stderr.write(
      `oftob: USAGE: there is no command "${name}". Commands: ${COMMANDS.map((each) => each.name).join(', ')}\n`,
    );
    return 1;
  }
  const parsed = readOptions(command, rest);
  if (parsed.ok && parsed.value.options.help === true) {
    process.stdout.write(explain(command));
    return 0;
  }
  const result = parsed.ok ? await command.run(parsed.value.options, parsed.value.words) : parsed;
  if (result.ok) return 0;
  const { code, message, details = [] } = result.fault;
  process.stderr.write(`oftob: ${code}: ${message}\n${details.map((line) => `  ${line}\n`).join('')}`);
  return 1;
}

// Standard output may be a pipe that its reader closes early (`oftob read … | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

process.exitCode = await main(process.argv.slice(2));
