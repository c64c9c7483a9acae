import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  BALANCE_DAYS_MAX,
  BalancesQuerySchema,
  type BalancesResponse,
  BalancesResponseSchema,
} from '#contract/balances.js';
import { ErrorSchema, PostParamsSchema } from '#contract/http.js';
import type { Window } from '#domain/window.js';
import { readBalances } from '../query/balance-reader.js';
import type { ApiDeps } from './deps.js';
import { orUnavailable, Problem, postUnknown } from './problem.js';
import { parseTime } from './query-time.js';
import { takeTurn } from './turns.js';

type Balances = { Params: Static<typeof PostParamsSchema>; Querystring: Static<typeof BalancesQuerySchema> };

/** `GET /posts/:post/balances?from=&to=`: energy and water of each local day. */
export async function balanceRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  app.get<Balances>(
    '/posts/:post/balances',
    {
      schema: {
        summary: 'What adds up over each local day of a post: energy of the bus, water of the tanks',
        description:
          'pv + genset + grid + battery = load + residual, in Wh; pumped = consumed + gained + unaccounted, in m³. A part that is not ' +
          'known leaves the sum unknown (null), and `doubts` say why. The day that runs ends now.',
        params: PostParamsSchema,
        querystring: BalancesQuerySchema,
        response: { 200: BalancesResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async ({ params: { post }, query }): Promise<BalancesResponse> => {
      if (!deps.board.knows(post)) throw postUnknown(post);
      const facts = deps.posts.find(({ id }) => id === post);
      const birth = deps.ingest.directory.post(post)?.birth;
      const zone = facts?.zone ?? 'UTC';
      const days = daysOf(deps, query, zone);
      if (birth === undefined) return { post, zone, days: [] };
      const done = await takeTurn(deps);
      try {
        const read = await readBalances(post, days, { windows: deps.windows, birth, facts: facts ?? {} });
        return { post, zone, days: [...orUnavailable(read)] } as BalancesResponse;
      } finally {
        done();
      }
    },
  );
}

/** Throws a {@link Problem} with all that is wrong with the range. */
function daysOf({ calendar, clock }: ApiDeps, query: Balances['Querystring'], zone: string): Window[] {
  const now = clock.now();
  const [from, to] = [parseTime(query.from, now), parseTime(query.to, now)];
  const faults = [
    ...(typeof from === 'string' ? [{ path: 'from', message: `"${query.from}" ${from}` }] : []),
    ...(typeof to === 'string' ? [{ path: 'to', message: `"${query.to}" ${to}` }] : []),
  ];
  if (typeof from === 'string' || typeof to === 'string')
    throw new Problem(400, 'API_INVALID', 'wrong request: see faults', faults);
  if (to <= from) throw new Problem(400, 'API_RANGE', 'to must lie after from');
  if (to - from > BALANCE_DAYS_MAX * 86_400_000)
    throw new Problem(400, 'API_RANGE', `at most ${BALANCE_DAYS_MAX} days in one answer; ask for a part of the time`);
  return calendar
    .over('day', { from, to: Math.min(to, now) }, zone)
    .map((day) => ({ from: day.from, to: Math.min(day.to, now) }))
    .filter((day) => day.to > day.from);
}
