// The demo's panel: pick a post, break something, watch the product tell what is wrong.
import type { Clock } from '#domain/clock.js';
import type { Playground, PlaygroundAnswer, PlaygroundFleet, PlaygroundRequest } from '#server/api/playground.js';
import { groupsAt, kindsAt } from '#simulators/fault/usual-faults.js';
import type { PostSimulation } from '#simulators/simulation.js';
import { isLanguage, type Language } from '#texts/language.js';
import { type Breakage, type BreakFault, createBreakage } from './broken.js';
import {
  PANEL_SCRIPT,
  type PanelPost,
  type PanelProblem,
  type PanelState,
  renderPanel,
  renderState,
} from './panel-page.js';

const PATH = '/demo';
const PROBLEMS: readonly PanelProblem[] = ['needsDevice', 'unknownKind', 'tooMany', 'noDevice'];

export interface PlaygroundDeps {
  /** Simulated posts by id; filled once they live. */
  readonly worlds: ReadonlyMap<string, PostSimulation>;
  readonly clock: Clock;
}

export function createPlayground(deps: PlaygroundDeps): Playground {
  const breakage = createBreakage(deps.worlds);
  return {
    path: PATH,
    answer: (request, fleet) =>
      request.method === 'get' ? show(deps, breakage, request, fleet) : obey(deps, breakage, request),
  };
}

function show(
  deps: PlaygroundDeps,
  breakage: Breakage,
  { fields, page }: PlaygroundRequest,
  fleet: PlaygroundFleet,
): PlaygroundAnswer {
  if (page === 'panel.js') return { script: PANEL_SCRIPT };
  if (page === 'truth.jsonl') return { text: truthOf(deps.worlds) };
  const posts = [...deps.worlds.values()].map(panelPost);
  const world = deps.worlds.get(fields.post ?? posts[0]?.id ?? '');
  if (!world) return { goTo: '/' };
  const language = languageOf(fields.lang);
  const state = stateOf(world, breakage, deps.clock.now(), fleet);
  if (page === 'state') return { html: renderState(state, language, PATH) };
  if (page !== '') return { nothingThere: true };
  const problem = PROBLEMS.find((one) => one === fields.problem);
  return { html: renderPanel({ ...state, posts, language, path: PATH, problem }) };
}

function obey(deps: PlaygroundDeps, breakage: Breakage, { fields, page }: PlaygroundRequest): PlaygroundAnswer {
  const { device = '', kind = '', number, post = '', severity } = fields;
  switch (page) {
    case 'break': {
      const order = { post, kind, device, severity: severity === 'mild' ? 0 : 1 };
      const broken = breakage.breakIt(order, deps.clock.now());
      return back(fields, broken.ok ? undefined : broken.fault);
    }
    case 'mend':
      breakage.mend(Number(number));
      return back(fields);
    case 'mend-all':
      breakage.mendAll(post);
      return back(fields);
    default:
      return { nothingThere: true };
  }
}

function stateOf(world: PostSimulation, breakage: Breakage, now: number, fleet: PlaygroundFleet): PanelState {
  const broken = breakage.standing(world.id);
  return {
    post: panelPost(world),
    broken,
    scripted: scriptedNow(world, now, broken.length),
    alarms: fleet.alarmsOf(world.id),
    isOffline: fleet.isOffline(world.id),
    zone: world.scenario.zone,
  };
}

/** What was really wrong, where, from when to when: a JSON line for each fault, those by hand too. */
function truthOf(worlds: ReadonlyMap<string, PostSimulation>): string {
  const truths = [...worlds.values()].flatMap((world) => world.truth());
  return truths.map((truth) => `${JSON.stringify(truth)}\n`).join('');
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

function languageOf(text: string | undefined): Language {
  return isLanguage(text) ? text : 'en';
}

function back({ lang, post = '' }: PlaygroundRequest['fields'], problem?: BreakFault): PlaygroundAnswer {
  const query = new URLSearchParams({ post, lang: languageOf(lang), ...(problem === undefined ? {} : { problem }) });
  return { goTo: `${PATH}?${query}` };
}
