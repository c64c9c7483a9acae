// The shape of a command, and how options are read and explained.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { failed, ok, type Result } from '#domain/result.js';

export interface CommandOption {
  readonly name: string;
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly meaning: string;
  readonly preset?: string;
}

export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** Why a command could not do its work, in one line that says what to do. */
export interface CommandFault {
  readonly code: string;
  readonly message: string;
  /** More lines: one per fault of a configuration. */
  readonly details?: readonly string[];
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Words behind the name, such as `list | show ID`. */
  readonly usage: string;
  readonly options: readonly CommandOption[];
  readonly example: string;
  run(options: Options, words: readonly string[]): Promise<Result<undefined, CommandFault>>;
}

export const done = ok(undefined);

export function fault(code: string, message: string, details?: readonly string[]): { ok: false; fault: CommandFault } {
  return failed(details === undefined ? { code, message } : { code, message, details });
}

/** Reads the words after a command's name. Fault: `USAGE`, for an option that the command does not know or a value that lacks. */
export function readOptions(
  command: Command,
  args: readonly string[],
): Result<{ readonly options: Options; readonly words: readonly string[] }, CommandFault> {
  const config: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean' } };
  for (const option of command.options)
    config[option.name] = {
      type: option.value === undefined ? 'boolean' : 'string',
      ...(option.preset === undefined ? {} : { default: option.preset }),
    };
  try {
    const parsed = parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true });
    return ok({ options: parsed.values as Options, words: parsed.positionals });
  } catch (error) {
    const [sentence = 'wrong option'] = (error as Error).message.split('. ');
    return fault('USAGE', `${sentence}. See: oftob ${command.name} --help`);
  }
}

/** The text of `--help`. */
export function explain(command: Command): string {
  const rows = command.options.map(
    (option) =>
      [`  --${option.name}${option.value === undefined ? '' : ` ${option.value}`}`, meaningOf(option)] as const,
  );
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + 2;
  return [
    `${command.summary}`,
    '',
    `Usage: oftob ${command.name} ${command.usage}`.trimEnd(),
    ...(rows.length > 0 ? ['', 'Options:', ...rows.map(([left, right]) => left.padEnd(width) + right)] : []),
    '',
    `Example: ${command.example}`,
    '',
  ].join('\n');
}

function meaningOf(option: CommandOption): string {
  return option.preset === undefined ? option.meaning : `${option.meaning} (default ${option.preset})`;
}

/** A text option. */
export function textOf(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A whole number within bounds; a fault that names the option otherwise. */
export function integerOf(
  options: Options,
  name: string,
  min: number,
  max: number,
): Result<number | undefined, CommandFault> {
  const text = textOf(options, name);
  if (text === undefined) return ok(undefined);
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return ok(value);
  return fault('USAGE', `--${name} must be a whole number from ${min} to ${max}, not "${text}"`);
}
