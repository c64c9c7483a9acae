// The demo's panel on the server: pick a post, break something, watch the product tell what is wrong.
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { type AlarmsResponse, API_ROOT, type FleetResponse } from '#contract/http.js';
import type { Clock } from '#domain/clock.js';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import type { Playground } from '#server/server.js';
import { groupsAt, kindsAt } from '#simulators/fault/usual-faults.js';
import type { PostSimulation } from '#simulators/simulation.js';
import { isLanguage, type Language } from '#texts/language.js';
import { createBreakage } from './broken.js';
import {
  PANEL_SCRIPT,
  type PanelPost,
  type PanelProblem,
  type PanelState,
  renderPanel,
  renderState,
} from './panel-page.js';

const PATH = '/demo';

const post = Type.String({ pattern: IDENTIFIER_PATTERN });
const lang = Type.Optional(Type.String({ maxLength: 5 }));
const PageQuery = Type.Object({
  post: Type.Optional(post),
  lang,
  problem: Type.Optional(Type.String({ maxLength: 20 })),
});
const BreakForm = Type.Object({
  post,
  lang,
  kind: Type.String({ maxLength: 40 }),
  device: Type.Optional(Type.String({ maxLength: 40 })),
  severity: Type.Union([Type.Literal('mild'), Type.Literal('severe')]),
});
const MendForm = Type.Object({ post, lang, number: Type.Integer({ minimum: 1 }) });
const PostForm = Type.Object({ post, lang });

const PROBLEMS: readonly PanelProblem[] = ['needsDevice', 'unknownKind', 'tooMany', 'noDevice'];

export interface PlaygroundDeps {
  /** Simulated posts by id; filled once they live. */
  readonly worlds: ReadonlyMap<string, PostSimulation>;
  readonly clock: Clock;
}

export function createPlayground({ worlds, clock }: PlaygroundDeps): Playground {
  const breakage = createBreakage(worlds);
  const posts = (): readonly PanelPost[] => [...worlds.values()].map(panelPost);

  const stateOf = async (app: FastifyInstance, id: string): Promise<PanelState | undefined> => {
    const world = worlds.get(id);
    if (!world) return undefined;
    const broken = breakage.standing(id);
    const fleet = await ask<FleetResponse>(app, '/fleet');
    const byHand = new Set(broken.map(({ fault }) => fault));
    return {
      post: panelPost(world),
      broken,
      scripted: scriptedNow(world, clock.now(), byHand.size),
      alarms: (await ask<AlarmsResponse>(app, `/alarms?post=${id}`))?.alarms ?? [],
      isOffline: fleet?.posts.some((one) => one.id === id && one.link === 'offline') === true,
      zone: world.scenario.zone,
    };
  };

  return {
    path: PATH,
    async routes(app) {
      takeForms(app);
      app.get<{ Querystring: Static<typeof PageQuery> }>(
        PATH,
        { schema: { hide: true, querystring: PageQuery } },
        async (request, reply) => {
          const id = request.query.post ?? posts()[0]?.id ?? '';
          const state = await stateOf(app, id);
          if (!state) return reply.redirect('/');
          const problem = PROBLEMS.find((one) => one === request.query.problem);
          const view = { ...state, posts: posts(), language: languageOf(request.query.lang), path: PATH, problem };
          return html(reply, renderPanel(view));
        },
      );
      app.get<{ Querystring: Static<typeof PageQuery> }>(
        `${PATH}/state`,
        { schema: { hide: true, querystring: PageQuery } },
        async (request, reply) => {
          const state = await stateOf(app, request.query.post ?? '');
          if (!state) return reply.redirect(PATH);
          return html(reply, renderState(state, languageOf(request.query.lang), PATH));
        },
      );
      app.get(`${PATH}/panel.js`, { schema: { hide: true } }, async (_request, reply) => {
        reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache');
        return PANEL_SCRIPT;
      });
      app.post<{ Body: Static<typeof BreakForm> }>(
        `${PATH}/break`,
        { schema: { hide: true, body: BreakForm } },
        async ({ body }, reply) => {
          const order = { ...body, device: body.device ?? '', severity: body.severity === 'severe' ? 1 : 0 };
          const broken = breakage.breakIt(order, clock.now());
          return back(reply, body, broken.ok ? undefined : broken.fault);
        },
      );
      app.post<{ Body: Static<typeof MendForm> }>(
        `${PATH}/mend`,
        { schema: { hide: true, body: MendForm } },
        async ({ body }, reply) => {
          breakage.mend(body.number);
          return back(reply, body);
        },
      );
      app.post<{ Body: Static<typeof PostForm> }>(
        `${PATH}/mend-all`,
        { schema: { hide: true, body: PostForm } },
        async ({ body }, reply) => {
          breakage.mendAll(body.post);
          return back(reply, body);
        },
      );
    },
  };
}

function panelPost(world: PostSimulation): PanelPost {
  return {
    id: world.id,
    name: world.scenario.name,
    devices: world.scenario.devices.map(({ id, name }) => ({ id, name: name ?? id })),
    groups: groupsAt(world.spec).map((group) => ({ group, kinds: kindsAt(world.spec, group) })),
  };
}

/** Faults of the scenario that stand now: those by hand come after them. */
function scriptedNow(world: PostSimulation, now: number, byHand: number): PanelState['scripted'] {
  const standing = world
    .truth()
    .filter(({ from, to }) => Date.parse(from) <= now && (to === null || now < Date.parse(to)));
  return standing.slice(0, standing.length - byHand);
}

/** Asked through the API's own door, as any reader would. */
async function ask<T>(app: FastifyInstance, path: string): Promise<T | undefined> {
  const answer = await app.inject({ url: `${API_ROOT}${path}`, headers: { host: 'localhost' } });
  return answer.statusCode === 200 ? answer.json<T>() : undefined;
}

/** What an HTML form sends. */
function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
}

function languageOf(text: string | undefined): Language {
  return isLanguage(text) ? text : 'en';
}

function html(reply: FastifyReply, page: string): string {
  reply.type('text/html; charset=utf-8').header('cache-control', 'no-store');
  // Without a referrer a form's origin is `null`, which the server's door refuses.
  reply.header('referrer-policy', 'same-origin');
  return page;
}

/** To the page again, so that reloading it breaks nothing twice. */
function back(
  reply: FastifyReply,
  form: { readonly post: string; readonly lang?: string },
  problem?: string,
): FastifyReply {
  const more = problem === undefined ? '' : `&problem=${problem}`;
  return reply.redirect(`${PATH}?post=${form.post}&lang=${languageOf(form.lang)}${more}`, 303);
}
