import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  DeadLettersQuerySchema,
  type DeadLettersResponse,
  DeadLettersResponseSchema,
  ErrorSchema,
} from '#contract/http.js';
import type { AppDeps } from './deps.js';

const LETTERS = 100;

/** `GET /dead-letters` */
export async function deadLetterRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get<{ Querystring: Static<typeof DeadLettersQuerySchema> }>(
    '/dead-letters',
    {
      schema: {
        summary:
          'What could not be used, newest first: messages that do not parse, and records that can never be stored',
        description:
          'The posts keep what was refused. Once its cause is mended, `POST /posts/{post}/replay` with `deadLetters` sends it again.',
        querystring: DeadLettersQuerySchema,
        response: { 200: DeadLettersResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request): Promise<DeadLettersResponse> => ({
      letters: [...(await deps.ingest.deadLetters(request.query.limit ?? LETTERS))],
    }),
  );
}
