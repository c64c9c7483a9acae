// Every answer that is not a success: a code for programs, and what is wrong and what to do for people.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '#contract/http.js';
import type { Result } from '#domain/result.js';
import type { StoreFault } from '../ports.js';
import type { AppDeps } from './deps.js';

/** A refusal that a route throws; the error handler turns it into the answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly faults?: NonNullable<ApiError['faults']>,
  ) {
    super(message);
  }
}

export function postUnknown(post: string): Problem {
  return new Problem(404, 'API_POST_UNKNOWN', `there is no post "${post}"; GET /fleet lists them`);
}

/** The value of a store's answer. Throws a Problem where it gave none. */
export function orUnavailable<T>(result: Result<T, StoreFault>): T {
  if (result.ok) return result.value;
  throw new Problem(503, 'API_STORE', `the store does not answer: ${result.fault.message}; try again later`);
}

/** Answers every error in one shape. What nobody expected is logged, and told without its inside. */
export function handleProblems(app: FastifyInstance, deps: Pick<AppDeps, 'log' | 'count'>): void {
  app.setErrorHandler((error: FastifyError | Problem, request: FastifyRequest, reply: FastifyReply) => {
    const { status, body } = answerOf(error);
    if (status >= 500 && !(error instanceof Problem))
      deps.log.error({ err: error, method: request.method, url: request.url }, 'a request failed');
    if (body.code === 'API_BODY_TOO_LARGE') deps.count('apiBodiesTooLarge');
    if (status === 400) deps.count('apiRequestsInvalid');
    reply.code(status).type('application/json; charset=utf-8').send(body);
  });
}

function answerOf(error: FastifyError | Problem): { status: number; body: ApiError } {
  if (error instanceof Problem)
    return {
      status: error.status,
      body: { code: error.code, message: error.message, ...(error.faults !== undefined && { faults: error.faults }) },
    };
  if (error.validation !== undefined)
    return {
      status: 400,
      body: { code: 'API_INVALID', message: `wrong request: ${error.message}`, faults: faultsOf(error) },
    };
  const status = error.statusCode ?? 500;
  if (status === 413) return refusal(413, 'API_BODY_TOO_LARGE', 'the body is larger than this server takes');
  if (status === 415) return refusal(415, 'API_MEDIA_TYPE', 'send JSON, with content-type application/json');
  if (status === 429) return refusal(429, 'API_RATE', 'too many requests; wait a minute');
  if (status >= 400 && status < 500) return refusal(status, 'API_INVALID', error.message);
  return refusal(500, 'API_INTERNAL', 'the server failed; its log says why');
}

function refusal(status: number, code: string, message: string): { status: number; body: ApiError } {
  return { status, body: { code, message } };
}

function faultsOf(error: FastifyError): NonNullable<ApiError['faults']> {
  return (error.validation ?? []).slice(0, 20).map((fault) => ({
    path: `${error.validationContext ?? ''}${fault.instancePath}` || '/',
    message: fault.message ?? 'is wrong',
  }));
}
