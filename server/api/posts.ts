import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { ErrorSchema, PostParamsSchema, type PostResponse, PostResponseSchema } from '#contract/http.js';
import type { AppDeps } from './deps.js';
import { postUnknown } from './problem.js';

/** `GET /posts/:post` */
export async function postRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get<{ Params: Static<typeof PostParamsSchema> }>(
    '/posts/:post',
    {
      schema: {
        summary: 'One post: summary, facts, devices, metrics, totals',
        params: PostParamsSchema,
        response: { 200: PostResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request): Promise<PostResponse> => {
      const { post } = request.params;
      const summary = deps.board.summary(post);
      if (summary === undefined) throw postUnknown(post);
      return { now: deps.clock.now(), summary, ...deps.board.frame(post), ...deps.totals.ofPost(post) };
    },
  );
}
