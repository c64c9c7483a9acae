import { basename } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AppDeps } from './deps.js';
import { Problem } from './problem.js';

/** Built files carry a hash of their content in their name, so they may be kept for ever. */
const HASHED = /-[\w-]{8,}\.(js|css|svg|woff2|json)$/;
const YEAR_S = 31_536_000;

/** Serves the built dashboards; every page of theirs begins with `index.html`. Anything else unknown is a 404 in JSON. */
export async function webRoutes(app: FastifyInstance, deps: Pick<AppDeps, 'webFolder'>): Promise<void> {
  const { webFolder } = deps;
  if (webFolder !== undefined)
    await app.register(fastifyStatic, {
      root: webFolder,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        reply.header('cache-control', cacheFor(path));
      },
    });
  app.setNotFoundHandler((request, reply): FastifyReply => {
    const isPage =
      request.method === 'GET' &&
      !request.url.startsWith('/api/') &&
      (request.headers.accept ?? '').includes('text/html') &&
      !basename(new URL(request.url, 'http://localhost').pathname).includes('.');
    if (webFolder !== undefined && isPage) return reply.sendFile('index.html');
    throw new Problem(404, 'API_NOT_FOUND', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`);
  });
}

function cacheFor(path: string): string {
  return HASHED.test(path.replace(/\.(br|gz)$/, '')) ? `public, max-age=${YEAR_S}, immutable` : 'no-cache';
}
