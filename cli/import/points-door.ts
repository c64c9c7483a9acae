// The server's routes for points of older loggers.
import { doorOf, parseJson } from '#contract/door.js';
import { type ImportNote, type PointsRequest, type PointsResponse, PointsResponseSchema } from '#contract/points.js';
import { ok, type Result } from '#domain/result.js';
import type { CommandFault, Options } from '../command.js';
import { askServer, foreignAnswer, serverUrl } from '../server-door.js';

export interface PointsDoor {
  send(request: PointsRequest): Promise<Result<PointsResponse, CommandFault>>;
  note(note: ImportNote): Promise<Result<undefined, CommandFault>>;
}

const ANSWER_BYTES_MAX = 1024 * 1024;
/** The server itself waits a minute for its store. */
const TIMEOUT_MS = 120_000;
const CODES = {
  unreachable: 'IMPORT_SERVER_UNREACHABLE',
  foreign: 'IMPORT_SERVER_FOREIGN',
  advice: ', and import again: nothing is stored twice',
};

const answerDoor = doorOf(PointsResponseSchema);

/** Of the server that the options name. `USAGE` where they name none. */
export function createPointsDoor(options: Options, post: string): Result<PointsDoor, CommandFault> {
  const points = serverUrl(options, `/posts/${post}/points`);
  const imports = serverUrl(options, `/posts/${post}/imports`);
  if (!points.ok) return points;
  if (!imports.ok) return imports;
  const tell = (url: URL, body: object) =>
    askServer(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      CODES,
    );
  return ok({
    async send(request) {
      const answer = await tell(points.value, request);
      if (!answer.ok) return answer;
      const taken = parseJson(answerDoor, Buffer.from(await answer.value.arrayBuffer()), ANSWER_BYTES_MAX);
      return taken.ok ? taken : foreignAnswer(points.value, answer.value.status, CODES.foreign);
    },
    async note(words) {
      const answer = await tell(imports.value, words);
      return answer.ok ? ok(undefined) : answer;
    },
  });
}
