import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { doorOf } from '#contract/door.js';
import {
  type AlarmCommand,
  AlarmCommandResponseSchema,
  AlarmCommandSchema,
  AlarmsQuerySchema,
  type AlarmsResponse,
  AlarmsResponseSchema,
  ErrorSchema,
  JournalQuerySchema,
  type JournalResponse,
  JournalResponseSchema,
} from '#contract/http.js';
import type { AlarmView } from '#contract/view.js';
import type { Result } from '#domain/result.js';
import type { AlarmFault } from '../alarms/alarms.js';
import type { AppDeps } from './deps.js';
import { Problem, postUnknown } from './problem.js';

const JOURNAL_LIMIT = 100;
const commandDoor = doorOf(AlarmCommandSchema);
const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };

/** `GET /alarms`, `GET /journal`, `POST /alarms/acknowledge`, `POST /alarms/reset` */
export async function alarmRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.get<{ Querystring: Static<typeof AlarmsQuerySchema> }>(
    '/alarms',
    {
      schema: {
        summary: 'Alarms that are not normal, or all of them',
        querystring: AlarmsQuerySchema,
        response: { 200: AlarmsResponseSchema, ...errors },
      },
    },
    async (request): Promise<AlarmsResponse> => {
      const { post, state } = request.query;
      if (post !== undefined && !deps.board.knows(post)) throw postUnknown(post);
      const alarms = deps.alarms.views(post).filter((alarm) => state === 'all' || alarm.state !== 'normal');
      return { now: deps.clock.now(), alarms };
    },
  );

  app.get<{ Querystring: Static<typeof JournalQuerySchema> }>(
    '/journal',
    {
      schema: {
        summary: 'What happened to alarms, newest first; `before` is the seq of the last entry of the page before',
        querystring: JournalQuerySchema,
        response: { 200: JournalResponseSchema, ...errors },
      },
    },
    async (request): Promise<JournalResponse> => {
      const { limit, ...query } = request.query;
      return { entries: [...deps.registry.journal({ ...query, limit: limit ?? JOURNAL_LIMIT })] };
    },
  );

  for (const command of ['acknowledge', 'reset'] as const)
    app.post<{ Body: AlarmCommand }>(
      `/alarms/${command}`,
      {
        schema: {
          summary: command === 'acknowledge' ? 'A person has seen this alarm' : 'A person lets go of a latched alarm',
          body: AlarmCommandSchema,
          response: { 200: AlarmCommandResponseSchema, ...errors },
        },
        // The default compiler turns 5 into "5", as query strings need; a body says what it means.
        validatorCompiler: () => readCommand,
      },
      async (request) => ({ alarm: orProblem(deps.alarms[command](request.body)) }),
    );
}

function readCommand(body: unknown): { value: AlarmCommand } | { error: Problem } {
  const command = commandDoor(body);
  if (command.ok) return { value: command.value };
  return { error: new Problem(400, 'API_INVALID', 'wrong request: see faults', [...command.fault]) };
}

function orProblem(result: Result<AlarmView, AlarmFault>): AlarmView {
  if (result.ok) return result.value;
  throw new Problem(result.fault.code === 'ALARM_UNKNOWN' ? 404 : 409, result.fault.code, result.fault.message);
}
