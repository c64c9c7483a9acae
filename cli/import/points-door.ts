// The server's routes for points of older loggers, with what it says made a fault of the command.
import { doorOf, parseJson } from '#contract/door.js';
import { API_ROOT, ErrorSchema } from '#contract/http.js';
import { type ImportNote, type PointsRequest, type PointsResponse, PointsResponseSchema } from '#contract/points.js';
import { ok, type Result } from '#domain/result.js';
import { type CommandFault, fault } from '../command.js';

export interface PointsDoor {
  send(post: string, request: PointsRequest): Promise<Result<PointsResponse, CommandFault>>;
  note(post: string, note: ImportNote): Promise<Result<undefined, CommandFault>>;
}

const ANSWER_BYTES_MAX = 1024 * 1024;
/** The server itself waits a minute for its store. */
const TIMEOUT_MS = 120_000;

const answerDoor = doorOf(PointsResponseSchema);
const errorDoor = doorOf(ErrorSchema);

/** @param server `http://127.0.0.1:8080` */
export function createPointsDoor(server: string): PointsDoor {
  async function post(
    path: string,
    body: object,
  ): Promise<Result<{ readonly status: number; readonly bytes: Buffer }, CommandFault>> {
    try {
      const answer = await fetch(new URL(path, server), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return ok({ status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) });
    } catch (error) {
      const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
      return fault(
        'IMPORT_SERVER_UNREACHABLE',
        `no server answers at ${server} (${reason}); start it, or name it with --server, and import again: nothing is stored twice`,
      );
    }
  }

  function refusal(status: number, bytes: Buffer): Result<never, CommandFault> {
    const said = parseJson(errorDoor, bytes, ANSWER_BYTES_MAX);
    if (!said.ok)
      return fault('IMPORT_SERVER_FOREIGN', `${server} answered ${status} and nothing that an Oftob server says`);
    const { code, faults = [], message } = said.value;
    return fault(
      code,
      message,
      faults.map(({ message, path }) => `${path}: ${message}`),
    );
  }

  return {
    async send(name, request) {
      const answer = await post(`${API_ROOT}/posts/${name}/points`, request);
      if (!answer.ok) return answer;
      const { bytes, status } = answer.value;
      const taken = status === 200 ? parseJson(answerDoor, bytes, ANSWER_BYTES_MAX) : undefined;
      return taken?.ok ? taken : refusal(status, bytes);
    },
    async note(name, words) {
      const answer = await post(`${API_ROOT}/posts/${name}/imports`, words);
      if (!answer.ok) return answer;
      return answer.value.status === 204 ? ok(undefined) : refusal(answer.value.status, answer.value.bytes);
    },
  };
}
