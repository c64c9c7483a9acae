import type { FastifyInstance } from 'fastify';
import { ErrorSchema, type FleetResponse, FleetResponseSchema } from '#contract/http.js';
import type { AppDeps } from './deps.js';

/** All posts with what each line of the fleet page shows, and the fleet's totals. */
export function fleetResponse(deps: Pick<AppDeps, 'fleet' | 'clock' | 'board' | 'totals'>): FleetResponse {
  return { fleet: deps.fleet, now: deps.clock.now(), posts: deps.board.summaries(), ...deps.totals.ofFleet() };
}

/** `GET /fleet` */
export async function fleetRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get(
    '/fleet',
    {
      schema: {
        summary: 'Every post, and what the fleet made today and this month',
        response: { 200: FleetResponseSchema, '4xx': ErrorSchema },
      },
    },
    async () => fleetResponse(deps),
  );
}
