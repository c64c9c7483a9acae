import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { createSimulation, type PostSimulation } from '../simulation.js';
import type { PostState } from '../world/post.js';
import { loadScenario } from './scenario.js';

const { profiles: catalog } = loadCatalog();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const JULY = Date.UTC(2026, 6, 1);

function postOf(name: string, faultsBefore = 0, from?: number): PostSimulation {
  const loaded = loadScenario(name);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
  const startAt = from ?? (loaded.value.from === undefined ? JULY : Date.parse(loaded.value.from));
  const simulation = createSimulation(loaded.value, { startAt, faultsFrom: startAt - faultsBefore, catalog });
  return simulation.posts.get(name)!;
}

/** What the post is like each `everyMs`. */
function course(post: PostSimulation, forMs: number, everyMs = HOUR_MS): PostState[] {
  const start = post.state().at;
  return Array.from({ length: forMs / everyMs }, (_, i) => {
    post.stepTo(start + (i + 1) * everyMs);
    return post.state();
  });
}

const pvWh = (states: readonly PostState[]): number => states.at(-1)!.counters.total.pv - states[0]!.counters.total.pv;

describe('scenarios show what they say', () => {
  test('cloudy days give hardly half of what the same sky gives without clouds', () => {
    const cloudy = postOf('cloudy-days');
    const clear = postOf('clear-day', 0, cloudy.state().at);
    const light = (post: PostSimulation): number =>
      course(post, 3 * DAY_MS, HOUR_MS / 4).reduce((sum, { sunlight }) => sum + sunlight.onArray, 0);
    expect(light(cloudy)).toBeLessThan(0.6 * light(clear));
  });

  test('the cold week is as cold as it says, and takes no charge into a frozen battery', () => {
    const states = course(postOf('cold-week'), 7 * DAY_MS, HOUR_MS / 4);
    expect(Math.min(...states.map(({ weather }) => weather.airC))).toBeLessThan(-37);
    const frozen = states.filter(({ battery }) => battery.temperatureC < 0);
    expect(frozen.length).toBeGreaterThan(100);
    expect(Math.min(...frozen.map(({ battery }) => battery.powerW))).toBeGreaterThanOrEqual(-1e-6);
  });

  test('snow takes nearly all light until it slides off', () => {
    const post = postOf('snow');
    const covered = pvWh(course(post, 3 * DAY_MS));
    expect(covered).toBeLessThan(0.3 * pvWh(course(post, 3 * DAY_MS)));
  });

  test('a genset that does not start leaves an empty battery and a dark post', () => {
    const states = course(postOf('genset-fails'), 2 * DAY_MS, HOUR_MS / 4);
    expect(states.some(({ genset }) => genset.phase === 'failed')).toBe(true);
    expect(states.every(({ genset }) => genset.phase !== 'running')).toBe(true);
    expect(states.some(({ inverter }) => !inverter.on)).toBe(true);
  });

  test.each([
    ['dry-well', 0],
    ['frozen-line', 80],
  ])('%s: the pump turns, no water comes, and the head tells why', (name, headM) => {
    const states = course(postOf(name), 2 * HOUR_MS, HOUR_MS / 4);
    const late = states.filter(({ pump }, i) => i > 2 && i < 7 && pump.phase === 'running');
    expect(late.length).toBeGreaterThan(0);
    for (const { pump } of late) expect(pump.point).toMatchObject({ flowM3h: 0, headM });
  });

  test('a slow leak takes its forty litres each hour', () => {
    const post = postOf('slow-leak');
    const states = course(post, DAY_MS);
    expect(states.slice(2).every(({ water }) => water.leakedM3 > 0)).toBe(true);
    expect(post.truth()).toEqual([
      {
        post: 'slow-leak',
        what: 'tankLeak',
        where: 'plant',
        from: '2026-07-01T01:00:00.000Z',
        to: null,
        measures: { flowM3h: 0.04 },
      },
    ]);
  });

  test('a pump that two years of sand have worn takes more energy for its water', () => {
    const perM3 = (years: number): number => {
      const states = course(postOf('worn-pump', years * 365 * DAY_MS), 3 * DAY_MS);
      const water = states.at(-1)!.waterMeter.forwardM3 - states[0]!.waterMeter.forwardM3;
      const energyWh = states.at(-1)!.pump.energyWh - states[0]!.pump.energyWh;
      return energyWh / water;
    };
    expect(perM3(2) / perM3(0)).toBeGreaterThan(1.08);
  });

  test('the bad bus has each of its faults alone', () => {
    const post = postOf('bad-bus');
    const seen = course(post, 1200_000, 30_000).map(() => post.activeFaults().length);
    expect(Math.max(...seen)).toBeLessThanOrEqual(1);
    expect(new Set(post.truth().map(({ what }) => what)).size).toBe(10);
    expect(new Set(post.truth().map(({ where }) => where))).toEqual(new Set(['bus']));
  });
});
