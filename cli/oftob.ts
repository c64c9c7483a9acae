#!/usr/bin/env node
// The command `oftob`: finds the command, runs it, and says in one line what went wrong.
import { type Command, explain, readOptions } from './command.js';

/** By name, in the order of the overview. Each is loaded when it is asked for: a gateway needs nothing of a server. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.js')).demo,
  server: async () => (await import('./server.js')).server,
  gateway: async () => (await import('./gateway.js')).gateway,
  simulate: async () => (await import('./simulate.js')).simulate,
  read: async () => (await import('./read.js')).read,
  profiles: async () => (await import('./profiles.js')).profiles,
  outbox: async () => (await import('./outbox.js')).outbox,
  import: async () => (await import('./import.js')).importFile,
  export: async () => (await import('./export.js')).exportFile,
  backup: async () => (await import('./backup.js')).backup,
  drill: async () => (await import('./drill.js')).drill,
};

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    'Oftob watches and accounts for solar/hybrid power and water at remote posts.',
    '',
    'Usage: oftob COMMAND [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'oftob COMMAND --help explains one of them. Example: oftob demo',
    '',
  ].join('\n');
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(await overview());
    return name === undefined ? 1 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]?.() : undefined;
  if (command === undefined) {
    process.stderr.write(
      `oftob: USAGE: there is no command "${name}". Commands: ${Object.keys(COMMANDS).join(', ')}\n`,
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
