import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { ErrorSchema } from '#contract/http.js';
import type { AppDeps } from './deps.js';
import { Problem } from './problem.js';

/** No dot and no slash: a name cannot leave the folder. */
const name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' });
const TextsParamsSchema = Type.Object({ maker: name, model: name });

/** `GET /texts/:maker/:model`: the words of a device's fault and state codes, as its profile brings them. */
export async function textsRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get<{ Params: Static<typeof TextsParamsSchema> }>(
    '/texts/:maker/:model',
    {
      schema: {
        summary: 'Words of a device’s fault and state codes',
        params: TextsParamsSchema,
        response: { '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { maker, model } = request.params;
      const text = await readText(join(deps.textsFolder, maker, 'texts', `${model}.json`));
      if (text === undefined)
        throw new Problem(
          404,
          'API_TEXTS_UNKNOWN',
          `there are no texts for "${maker}/${model}"; show the codes as they are`,
        );
      reply.type('application/json; charset=utf-8').header('cache-control', 'max-age=3600');
      return text;
    },
  );
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
