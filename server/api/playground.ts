// Pages of whoever started the server, where people may break its simulated posts. They come as text and go as text, so that
// nobody outside needs to know what serves them.
import type { FastifyInstance } from 'fastify';
import type { AlarmView } from '#contract/view.js';
import type { AppDeps } from './deps.js';

export interface Playground {
  /** Path of its first page; all others lie below it. */
  readonly path: string;
  answer(request: PlaygroundRequest, fleet: PlaygroundFleet): PlaygroundAnswer;
}

export interface PlaygroundRequest {
  /** `post`: a form was sent. */
  readonly method: 'get' | 'post';
  /** Below the first page: empty for the page itself, or `break`. */
  readonly page: string;
  /** Of the address, and over it those of the form. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What the product knows of a post. */
export interface PlaygroundFleet {
  /** Alarms that are not normal. */
  alarmsOf(post: string): readonly AlarmView[];
  isOffline(post: string): boolean;
}

export type PlaygroundAnswer =
  | { readonly html: string }
  | { readonly script: string }
  | { readonly text: string }
  | { readonly goTo: string }
  | { readonly nothingThere: true };

/** Hundreds of bytes are enough for any of its forms. */
const FORM_BYTES_MAX = 2048;

export async function playgroundRoutes(app: FastifyInstance, playground: Playground, deps: AppDeps): Promise<void> {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  const fleet: PlaygroundFleet = {
    alarmsOf: (post) => deps.alarms.views(post).filter(({ state }) => state !== 'normal'),
    isOffline: (post) => deps.board.summaries().some(({ id, link }) => id === post && link === 'offline'),
  };
  for (const url of [playground.path, `${playground.path}/:page`])
    app.route<{ Params: { page?: string } }>({
      method: ['GET', 'POST'],
      url,
      schema: { hide: true },
      handler: async ({ body, method, params, query }, reply) => {
        const fields = { ...texts(query), ...texts(body) };
        const asked = { method: method === 'POST' ? 'post' : 'get', page: params.page ?? '', fields } as const;
        const answer = playground.answer(asked, fleet);
        reply.header('cache-control', 'no-store');
        // Without a referrer a form's origin is `null`, which the server's door refuses.
        reply.header('referrer-policy', 'same-origin');
        // To a page again, so that reloading it sends no form twice.
        if ('goTo' in answer) return reply.redirect(answer.goTo, 303);
        if ('script' in answer) return reply.type('text/javascript; charset=utf-8').send(answer.script);
        if ('text' in answer) return reply.type('text/plain; charset=utf-8').send(answer.text);
        if ('html' in answer) return reply.type('text/html; charset=utf-8').send(answer.html);
        return reply.callNotFound();
      },
    });
}

function texts(fields: unknown): Record<string, string> {
  if (typeof fields !== 'object' || fields === null) return {};
  return Object.fromEntries(
    Object.entries(fields).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
