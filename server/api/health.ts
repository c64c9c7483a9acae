import type { FastifyInstance } from 'fastify';
import { ErrorSchema, type HealthResponse, HealthResponseSchema } from '#contract/http.js';
import type { AppDeps } from './deps.js';

/** `GET /health` */
export async function healthRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get(
    '/health',
    {
      schema: {
        summary: 'Whether the server can do its work, and how often each of its limits was reached',
        response: { 200: HealthResponseSchema, '4xx': ErrorSchema },
      },
    },
    async (): Promise<HealthResponse> => ({
      version: deps.version,
      startedAt: deps.startedAt,
      now: deps.clock.now(),
      broker: deps.ingest.brokerConnected() ? 'connected' : 'disconnected',
      store: deps.ingest.storeOk() ? 'ok' : 'failing',
      counters: { ...deps.counters() },
    }),
  );
}
