import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { ErrorSchema, PostParamsSchema } from '#contract/http.js';
import {
  type ImportNote,
  ImportNoteSchema,
  POINTS_BYTES_MAX,
  type PointsRequest,
  PointsRequestSchema,
  type PointsResponse,
  PointsResponseSchema,
} from '#contract/points.js';
import { metricOf } from '#domain/metric.js';
import { hasValue, reasonOf } from '#domain/quality.js';
import type { Point } from '../ports.js';
import { bodyOf } from './body.js';
import type { AppDeps } from './deps.js';
import { Problem, postUnknown } from './problem.js';

const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };
const FAULTS_MAX = 20;

type OfPost = { Params: Static<typeof PostParamsSchema> };

/** `POST /posts/:post/points`: late data of older loggers; `POST /posts/:post/imports`: a line in the journal about a file of it. */
export async function pointRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  app.post<OfPost & { Body: PointsRequest }>(
    '/posts/:post/points',
    {
      bodyLimit: POINTS_BYTES_MAX,
      schema: {
        summary: 'Takes points of an older logger, as `oftob import --mapping` sends them',
        description:
          'Answers after the store has confirmed them. They are late data: they move no live value and notify nobody, and rollups ' +
          'follow within a minute. Sending them again changes nothing.',
        params: PostParamsSchema,
        body: PointsRequestSchema,
        response: { 200: PointsResponseSchema, ...errors },
      },
      validatorCompiler: bodyOf(PointsRequestSchema),
    },
    async ({ body, params: { post } }): Promise<PointsResponse> => {
      if (!deps.board.knows(post)) throw postUnknown(post);
      const points = pointsOf(post, body);
      const taken = await deps.ingest.importPoints(post, points);
      if (!taken.ok)
        throw new Problem(taken.fault.code.startsWith('STORE_') ? 503 : 409, taken.fault.code, taken.fault.message);
      return { stored: points.length - taken.value.length, refused: [...taken.value] };
    },
  );

  app.post<OfPost & { Body: ImportNote }>(
    '/posts/:post/imports',
    {
      schema: {
        summary: 'Writes into the journal which file was imported, and by whom',
        params: PostParamsSchema,
        body: ImportNoteSchema,
        response: { 204: Type.Null(), ...errors },
      },
      validatorCompiler: bodyOf(ImportNoteSchema),
    },
    async ({ body, params: { post } }, reply) => {
      if (!deps.board.knows(post)) throw postUnknown(post);
      note(deps, post, body);
      return reply.code(204).send();
    },
  );
}

/** Throws a {@link Problem} that tells the first faults. */
function pointsOf(post: string, { points, series }: PointsRequest): Point[] {
  const faults: { path: string; message: string }[] = [];
  series.forEach(({ metric }, place) => {
    if (metricOf(metric) === undefined)
      faults.push({ path: `series[${place}].metric`, message: `"${metric}" is no metric of Oftob` });
  });
  const made = points.map(([place, at, value, code], index): Point => {
    const named = series[place];
    const reason = reasonOf(code);
    if (named === undefined) faults.push({ path: `points[${index}][0]`, message: `there is no series ${place}` });
    if (reason === undefined) faults.push({ path: `points[${index}][3]`, message: `${code} is no reason code` });
    else if (hasValue(reason) !== (value !== null))
      faults.push({ path: `points[${index}][2]`, message: `a value, or none, does not go with the reason ${reason}` });
    return { post, device: named?.device ?? '', metric: named?.metric ?? '', at, value, code };
  });
  if (faults.length > 0)
    throw new Problem(400, 'API_INVALID', 'wrong request: see faults', faults.slice(0, FAULTS_MAX));
  return made;
}

function note({ clock, registry }: AppDeps, post: string, words: ImportNote): void {
  const { by, file, from, rejected, sha256, stored, to } = words;
  const time = (at: number | null): string => (at === null ? '–' : new Date(at).toISOString());
  try {
    registry.saveAlarms(
      [],
      [
        {
          at: clock.now(),
          alarm: `${post}/import/`,
          post,
          rule: 'import',
          from: 'normal',
          to: 'normal',
          event: 'imported',
          by,
          comment: `${file}: ${stored} points from ${time(from)} to ${time(to)}, ${rejected} rejected, SHA-256 ${sha256}`,
          historical: false,
        },
      ],
    );
  } catch (error) {
    throw new Problem(503, 'REGISTRY_FAULT', error instanceof Error ? error.message : String(error));
  }
}
