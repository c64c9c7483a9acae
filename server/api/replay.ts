import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  ErrorSchema,
  PostParamsSchema,
  type ReplayCommand,
  ReplayCommandSchema,
  type ReplayResponse,
  ReplayResponseSchema,
} from '#contract/http.js';
import { bodyOf } from './body.js';
import type { AppDeps } from './deps.js';
import { Problem, postUnknown } from './problem.js';

/** `POST /posts/:post/replay` */
export async function replayRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.post<{ Params: Static<typeof PostParamsSchema>; Body: ReplayCommand }>(
    '/posts/:post/replay',
    {
      schema: {
        summary: 'Asks a post to send again',
        description:
          'After a server was restored from a backup: what the post keeps since `since`. After the cause of refusals was mended: ' +
          '`deadLetters`. Sending again never stores anything twice. A post that is not there is told when it comes, for a week; ' +
          'it does each request once.',
        params: PostParamsSchema,
        body: ReplayCommandSchema,
        response: { 200: ReplayResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
      validatorCompiler: bodyOf(ReplayCommandSchema),
    },
    async (request): Promise<ReplayResponse> => {
      const { body } = request;
      if (body.since === undefined && body.deadLetters !== true)
        throw new Problem(400, 'API_INVALID', 'say what to send again: since, deadLetters, or both');
      const asked = deps.ingest.replay(request.params.post, body);
      if (asked.ok) return asked.value;
      if (asked.fault.code === 'INGEST_POST_UNKNOWN') throw postUnknown(request.params.post);
      throw new Problem(503, asked.fault.code, asked.fault.message);
    },
  );
}
