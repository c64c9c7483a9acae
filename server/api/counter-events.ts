import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import {
  type CounterEventCommand,
  CounterEventCommandSchema,
  CounterEventParamsSchema,
  type CounterEventResponse,
  CounterEventResponseSchema,
  type CounterEventsResponse,
  CounterEventsResponseSchema,
  type CounterEventView,
  ErrorSchema,
  PostParamsSchema,
} from '#contract/http.js';
import { metricOf } from '#domain/metric.js';
import type { Result } from '#domain/result.js';
import type { StoredCounterEvent } from '../ports.js';
import type { CounterEventFault, CounterEventWords } from '../rollup/counter-events.js';
import { bodyOf } from './body.js';
import type { AppDeps } from './deps.js';
import { Problem, postUnknown } from './problem.js';

const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };
const STATUS = {
  API_COUNTER_EVENT_UNKNOWN: 404,
  API_COUNTER_EVENT_TWICE: 409,
  API_COUNTER_EVENTS_LIMIT: 409,
  REGISTRY_FAULT: 503,
} as const;

type OfPost = { Params: Static<typeof PostParamsSchema> };
type OfEvent = { Params: Static<typeof CounterEventParamsSchema> };
type WithBody = { Body: CounterEventCommand };

/** `GET /posts/:post/counter-events`, `POST` to add one, `PUT /posts/:post/counter-events/:id` to correct or withdraw one. */
export async function counterEventRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get<OfPost>(
    '/posts/:post/counter-events',
    {
      schema: {
        summary: 'What people said of the counters of a post, by time',
        params: PostParamsSchema,
        response: { 200: CounterEventsResponseSchema, ...errors },
      },
    },
    async (request): Promise<CounterEventsResponse> => {
      const { post } = request.params;
      if (!deps.board.knows(post)) throw postUnknown(post);
      return { events: deps.counterEvents.ofPost(post).map(viewOf) };
    },
  );

  app.post<OfPost & WithBody>(
    '/posts/:post/counter-events',
    {
      schema: {
        summary: 'A person says that a meter was swapped, or its register set',
        description:
          'The totals around it are worked out again within a minute. It stands in the journal under the name of the person.',
        params: PostParamsSchema,
        body: CounterEventCommandSchema,
        response: { 201: CounterEventResponseSchema, ...errors },
      },
      validatorCompiler: bodyOf(CounterEventCommandSchema),
    },
    async (request, reply): Promise<CounterEventResponse> => {
      const { post } = request.params;
      const added = deps.counterEvents.add(post, wordsOf(deps, post, request.body));
      reply.code(201);
      return answer(deps, added);
    },
  );

  app.put<OfEvent & WithBody>(
    '/posts/:post/counter-events/:id',
    {
      schema: {
        summary: 'A person corrects or withdraws what was said of a counter',
        params: CounterEventParamsSchema,
        body: CounterEventCommandSchema,
        response: { 200: CounterEventResponseSchema, ...errors },
      },
      validatorCompiler: (part) =>
        part.httpPart === 'body' ? bodyOf(CounterEventCommandSchema)(part) : (value) => ({ value: idOf(value) }),
    },
    async (request): Promise<CounterEventResponse> => {
      const { id, post } = request.params;
      return answer(deps, deps.counterEvents.correct(post, id, wordsOf(deps, post, request.body)));
    },
  );
}

/** The body's validator takes no number for text; an address has only text. */
function idOf(params: unknown): Static<typeof CounterEventParamsSchema> {
  const { id, post } = params as Readonly<Record<'id' | 'post', string>>;
  if (!/^[1-9]\d{0,14}$/.test(id))
    throw new Problem(404, 'API_COUNTER_EVENT_UNKNOWN', `"${id.slice(0, 40)}" is no id of a counter event`);
  return { id: Number(id), post };
}

function wordsOf(deps: AppDeps, post: string, body: CounterEventCommand): CounterEventWords {
  if (!deps.board.knows(post)) throw postUnknown(post);
  const name = `${body.device}/${body.metric}`;
  const told = deps.ingest.directory
    .post(post)
    ?.birth?.metrics.find(({ device, metric }) => device === body.device && metric === body.metric);
  // A meter that is gone may have had events too.
  const kind = told?.kind ?? metricOf(body.metric)?.kind;
  if (kind === undefined)
    throw new Problem(404, 'API_METRIC_UNKNOWN', `there is no "${name}"; GET /posts/:post lists its metrics`);
  if (kind !== 'counter')
    throw new Problem(400, 'API_METRIC_KIND', `"${name}" is a ${kind}; only counters have such events`);
  if (body.at > deps.clock.now()) throw new Problem(400, 'API_INVALID', '"at" lies in the future');
  return { ...body, withdrawn: body.withdrawn === true, comment: body.comment ?? null };
}

function answer(deps: AppDeps, result: Result<StoredCounterEvent, CounterEventFault>): CounterEventResponse {
  if (result.ok) return { event: viewOf(result.value) };
  const { code, message } = result.fault;
  if (code === 'API_COUNTER_EVENTS_LIMIT') deps.count('apiCounterEventsRefused');
  throw new Problem(STATUS[code], code, message);
}

function viewOf({ post: _post, ...event }: StoredCounterEvent): CounterEventView {
  return event;
}
