import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import type { PlaygroundFleet } from '#server/api/playground.js';
import { loadScenario } from '#simulators/scenarios/scenario.js';
import { createSimulation } from '#simulators/simulation.js';
import { createPlayground } from './playground.js';

const LIVE = Date.UTC(2026, 5, 21, 7);
const fleet: PlaygroundFleet = { alarmsOf: () => [], isOffline: () => false };

function playground() {
  const loaded = loadScenario('demo');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
  const { posts: worlds } = createSimulation(loaded.value, { startAt: LIVE, catalog: loadCatalog().profiles });
  const { answer } = createPlayground({ worlds, clock: { now: () => LIVE, monotonic: () => 0 } });
  return {
    get: (page: string, fields: Record<string, string> = {}) => answer({ method: 'get', page, fields }, fleet),
    post: (page: string, fields: Record<string, string> = {}) => answer({ method: 'post', page, fields }, fleet),
  };
}

function htmlOf(answer: object): string {
  return 'html' in answer ? String(answer.html) : JSON.stringify(answer);
}

describe('the panel', () => {
  test('shows the first post, or the one that is asked for, in the language that is asked for', () => {
    const { get } = playground();
    expect(htmlOf(get(''))).toContain('lang="en"');
    expect(htmlOf(get('', { post: 'murghab', lang: 'ru' }))).toContain('Что ломается');
    expect(htmlOf(get('', { post: 'murghab', lang: 'xx' }))).toContain('What goes wrong');
  });

  test('breaks, tells it with its number, mends, and goes back to the page each time', () => {
    const { get, post } = playground();
    const form = { post: 'murghab', lang: 'tg', kind: 'silence', device: 'pump', severity: 'severe' };
    expect(post('break', form)).toEqual({ goTo: '/demo?post=murghab&lang=tg' });
    expect(htmlOf(get('state', { post: 'murghab' }))).toMatch(/No answer.*Borehole pump.*name="number" value="1"/);
    expect(post('mend', { post: 'murghab', number: '1' })).toEqual({ goTo: '/demo?post=murghab&lang=en' });
    expect(htmlOf(get('state', { post: 'murghab' }))).not.toContain('No answer');
  });

  test('keeps the truth of what was broken by hand', () => {
    const { get, post } = playground();
    post('break', { post: 'murghab', kind: 'silence', device: 'pump' });
    post('mend', { post: 'murghab', number: '1' });
    const { text = '' } = get('truth.jsonl') as { text?: string };
    const last = text.trim().split('\n').at(-1) ?? '';
    const at = new Date(LIVE).toISOString();
    expect(JSON.parse(last)).toEqual({
      post: 'murghab',
      what: 'silence',
      where: 'pump',
      from: at,
      to: at,
      measures: {},
    });
  });

  test('tells what it cannot break', () => {
    const { get, post } = playground();
    const { goTo = '' } = post('break', { post: 'murghab', kind: 'stuck' }) as { goTo?: string };
    expect(goTo).toContain('problem=needsDevice');
    expect(htmlOf(get('', { post: 'murghab', problem: 'needsDevice' }))).toContain('choose one');
    expect(htmlOf(get('', { post: 'murghab', problem: '<script>' }))).not.toContain('role="alert"');
  });

  test.each([
    ['get', 'elsewhere'],
    ['post', 'elsewhere'],
    ['post', ''],
  ] as const)('has nothing for %s %s', (method, page) => {
    expect(playground()[method](page, { post: 'murghab' })).toEqual({ nothingThere: true });
  });

  test('sends who asks for an unknown post to the dashboards', () => {
    expect(playground().get('', { post: 'moon' })).toEqual({ goTo: '/' });
  });
});
