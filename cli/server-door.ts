// How commands reach a server: its address as an option, and what it answers, or why not, as a fault.
import { doorOf, parseJson } from '#contract/door.js';
import { API_ROOT, ErrorSchema } from '#contract/http.js';
import { ok, type Result } from '#domain/result.js';
import { type CommandFault, type CommandOption, fault, type Options, textOf } from './command.js';

const SERVER = 'http://127.0.0.1:8080';
const REFUSAL_BYTES_MAX = 64 * 1024;
const errorDoor = doorOf(ErrorSchema);

export const SERVER_OPTION: CommandOption = { name: 'server', value: 'URL', meaning: 'the server', preset: SERVER };

/** @param path below {@link API_ROOT}, with its slash */
export function serverUrl(options: Options, path: string): Result<URL, CommandFault> {
  const server = textOf(options, 'server') ?? SERVER;
  if (/^https?:\/\//.test(server) && URL.canParse(server)) return ok(new URL(`${API_ROOT}${path}`, server));
  return fault('USAGE', `--server must be a URL such as ${SERVER}, not "${server}"`);
}

/** What a command says where nobody answers, and where somebody else does. */
export interface DoorCodes {
  readonly unreachable: string;
  readonly foreign: string;
  /** What more there is to say where nobody answers. */
  readonly advice?: string;
}

/** Any answer that is a success. */
export async function askServer(
  url: URL,
  request: RequestInit,
  codes: DoorCodes,
): Promise<Result<Response, CommandFault>> {
  let answer: Response;
  try {
    answer = await fetch(url, request);
  } catch (error) {
    const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    return fault(
      codes.unreachable,
      `no server answers at ${url.origin} (${reason}); start it, or name it with --server${codes.advice ?? ''}`,
    );
  }
  if (answer.ok) return ok(answer);
  return refusalOf(url, answer.status, Buffer.from(await answer.arrayBuffer()), codes.foreign);
}

/** What an answer that is no success says. */
export function refusalOf(url: URL, status: number, bytes: Buffer, foreign: string): Result<never, CommandFault> {
  const said = parseJson(errorDoor, bytes, REFUSAL_BYTES_MAX);
  if (!said.ok) return foreignAnswer(url, status, foreign);
  const { code, faults, message } = said.value;
  const details = faults?.map((one) => `${one.path}: ${one.message}`);
  return fault(code, message, details);
}

export function foreignAnswer(url: URL, status: number, code: string): Result<never, CommandFault> {
  return fault(code, `${url.origin} answered ${status} and nothing that an Oftob server says; look at --server`);
}
