// Reads a configuration file for a command; every fault in it becomes a line.
import { readFileSync } from 'node:fs';
import { failed, ok, type Result } from '#domain/result.js';
import { type CommandFault, fault } from './command.js';

export function readConfig<T>(
  file: string | undefined,
  command: string,
  parse: (text: string) => Result<T, readonly { readonly path: string; readonly message: string }[]>,
): Result<T, CommandFault> {
  if (file === undefined) return fault('USAGE', `${command} needs --config FILE. See: oftob ${command} --help`);
  return readYaml(file, parse);
}

/** The same of a file whose name is there. */
export function readYaml<T>(
  file: string,
  parse: (text: string) => Result<T, readonly { readonly path: string; readonly message: string }[]>,
): Result<T, CommandFault> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fault('CONFIG_UNREADABLE', `cannot read ${file}: ${(error as Error).message}`);
  }
  const parsed = parse(text);
  if (parsed.ok) return ok(parsed.value);
  const count = parsed.fault.length;
  return failed({
    code: 'CONFIG_FAULTY',
    message: `${file} has ${count} fault${count === 1 ? '' : 's'}; nothing was started`,
    details: parsed.fault.map(({ path, message }) => `${path}: ${message}`),
  });
}
