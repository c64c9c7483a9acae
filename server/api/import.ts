import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { CARRY_MEDIA_TYPE } from '#contract/carry.js';
import { ErrorSchema, IMPORT_BYTES_MAX, type ImportResponse, ImportResponseSchema } from '#contract/http.js';
import type { AppDeps } from './deps.js';
import { type ImportFault, importCarried } from './import-file.js';
import { Problem } from './problem.js';

const STATUS: Partial<Record<ImportFault['code'], number>> = {
  IMPORT_TOO_LARGE: 413,
  IMPORT_FLEET_FOREIGN: 409,
  IMPORT_KEY_FOREIGN: 409,
  INGEST_POSTS_LIMIT: 409,
  STORE_UNAVAILABLE: 503,
  STORE_FULL: 503,
};

/** `POST /import`: a file of data that was carried by hand. */
export async function importRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  let isBusy = false;
  app.removeAllContentTypeParsers();
  // The body stays a stream: a file of a gigabyte does not fit into a request.
  for (const type of [CARRY_MEDIA_TYPE, 'application/octet-stream'])
    app.addContentTypeParser(type, { bodyLimit: IMPORT_BYTES_MAX }, (_request, payload, done) => done(null, payload));
  app.post<{ Body: IncomingMessage }>(
    '/import',
    {
      bodyLimit: IMPORT_BYTES_MAX,
      schema: {
        summary: 'Takes a file that `oftob outbox export` wrote on a post',
        description:
          `The body is the file (\`${CARRY_MEDIA_TYPE}\`). Nothing of it is stored before its signature was checked: whole, of this ` +
          'fleet, and by a key that may speak for its post. Answers after the store has confirmed everything. What came by radio ' +
          'already is there once. One file at a time.',
        consumes: [CARRY_MEDIA_TYPE],
        response: { 200: ImportResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request): Promise<ImportResponse> => {
      if (isBusy) {
        deps.count('apiImportsBusy');
        throw new Problem(429, 'IMPORT_BUSY', 'another file is being imported; try again when it is done');
      }
      isBusy = true;
      try {
        const taken = await importCarried(request.body, deps);
        deps.count(taken.ok ? 'apiImportsTaken' : 'apiImportsRefused');
        if (taken.ok) return taken.value;
        throw new Problem(STATUS[taken.fault.code] ?? 400, taken.fault.code, taken.fault.message);
      } finally {
        isBusy = false;
      }
    },
  );
}
