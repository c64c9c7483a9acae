// The HTTP face of the server: API, live channel, dashboards. Builds and does not listen.

import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { API_ROOT } from '#contract/http.js';
import { alarmRoutes } from './api/alarms.js';
import { backupRoutes } from './api/backups.js';
import { balanceRoutes } from './api/balances.js';
import { counterEventRoutes } from './api/counter-events.js';
import { deadLetterRoutes } from './api/dead-letters.js';
import type { AppDeps } from './api/deps.js';
import { keepDoor } from './api/door-keeper.js';
import { exportRoutes } from './api/export.js';
import { fleetRoutes } from './api/fleet.js';
import { healthRoutes } from './api/health.js';
import { identityRoutes } from './api/identity.js';
import { impactRoutes } from './api/impact.js';
import { importRoutes } from './api/import.js';
import { liveRoutes } from './api/live.js';
import { playgroundRoutes } from './api/playground.js';
import { pointRoutes } from './api/points.js';
import { postRoutes } from './api/posts.js';
import { handleProblems, Problem } from './api/problem.js';
import { queryRoutes } from './api/query.js';
import { replayRoutes } from './api/replay.js';
import { seriesRoutes } from './api/series.js';
import { textsRoutes } from './api/texts.js';
import { createTurns } from './api/turns.js';
import { webRoutes } from './api/web.js';
import { createReaders } from './query/readers.js';

export type { AppDeps } from './api/deps.js';

const BODY_BYTES_MAX = 16 * 1024;
const LIVE_MESSAGE_BYTES_MAX = 64 * 1024;
/** All screens of a post share the address of its router. */
const REQUESTS_PER_MINUTE_MAX = 3000;
const READ_TIMEOUT_MS = 30_000;
/** A carried file is large and comes over slow disks. */
const BODY_TIMEOUT_MS = 900_000;

/** Small windows and little memory per browser; context is kept, which is where the saving is. */
const LIVE_COMPRESSION = {
  threshold: 64,
  serverMaxWindowBits: 12,
  zlibDeflateOptions: { memLevel: 5, level: 6 },
  concurrencyLimit: 4,
} as const;

/** Own scripts only; styles may stand in the page, which keeps the first paint within its budget. */
const CONTENT_SECURITY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    // Old Safari does not count websockets of the same place as 'self'.
    connectSrc: ["'self'", 'ws://localhost:*', 'ws://127.0.0.1:*'],
    manifestSrc: ["'self'"],
    workerSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** Builds the application around its parts. Closing it closes the live channel; the parts belong to the caller. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: BODY_TIMEOUT_MS,
    http: { headersTimeout: READ_TIMEOUT_MS },
    forceCloseConnections: true,
    ajv: {
      customOptions: {
        strict: true,
        allErrors: true,
        coerceTypes: true,
        removeAdditional: false,
        useDefaults: false,
        strictTuples: false,
      },
    },
  });
  app.removeContentTypeParser('text/plain');
  handleProblems(app, deps);
  await app.register(helmet, {
    contentSecurityPolicy: CONTENT_SECURITY,
    // Loopback speaks plain HTTP.
    hsts: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  keepDoor(app, deps);
  await app.register(rateLimit, {
    max: deps.requestsPerMinuteMax ?? REQUESTS_PER_MINUTE_MAX,
    timeWindow: 60_000,
    // A socket that is closing has no address any more.
    keyGenerator: (request) => request.ip ?? 'unknown',
    onExceeded: () => deps.count('apiRateLimited'),
    errorResponseBuilder: () => new Problem(429, 'API_RATE', 'too many requests; wait a minute'),
  });
  await app.register(websocket, {
    options: { maxPayload: LIVE_MESSAGE_BYTES_MAX, perMessageDeflate: LIVE_COMPRESSION },
    preClose: async () => deps.hub.close(),
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Oftob', description: 'Power and water at remote posts. Read-only.', version: deps.version },
    },
  });
  await app.register(async (api) => registerApi(api, deps), { prefix: API_ROOT });
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.register(async (page) => impactRoutes(page, deps));
  const { playground } = deps;
  if (playground !== undefined) await app.register(async (page) => playgroundRoutes(page, playground, deps));
  await webRoutes(app, deps);
  await app.ready();
  return app;
}

async function registerApi(api: FastifyInstance, app: AppDeps): Promise<void> {
  const deps = { ...app, ...createReaders(app), turns: createTurns() };
  for (const routes of [
    fleetRoutes,
    postRoutes,
    seriesRoutes,
    queryRoutes,
    exportRoutes,
    alarmRoutes,
    backupRoutes,
    balanceRoutes,
    counterEventRoutes,
    pointRoutes,
    replayRoutes,
    identityRoutes,
    deadLetterRoutes,
    healthRoutes,
    textsRoutes,
    liveRoutes,
  ])
    await routes(api, deps);
  // In a room of its own: only here may a body be a file.
  await api.register(async (door) => importRoutes(door, deps));
}
