import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { AppDeps } from './deps.js';
import { fleetResponse } from './fleet.js';

const ImpactQuerySchema = Type.Object({ lang: Type.Optional(Type.String({ pattern: '^[a-z]{2}$' })) });

/** `GET /impact?lang=en`: the page for donors, whole without JavaScript. */
export async function impactRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get<{ Querystring: Static<typeof ImpactQuerySchema> }>(
    '/impact',
    { schema: { hide: true, querystring: ImpactQuerySchema } },
    async (request, reply) => {
      reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache');
      return deps.impactPage(fleetResponse(deps), request.query.lang ?? 'en');
    },
  );
}
