import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { FAULT_GROUPS } from '../fault/fault.js';
import { createSimulation, type PostSimulation } from '../simulation.js';
import { healthOf } from '../world/battery.js';
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

  test('a night of snow takes nearly all light, until it slides off some days later', () => {
    const states = course(postOf('snow'), 6 * DAY_MS);
    const sum = (day: number, of: 'onArray' | 'onPlane'): number =>
      states.slice(day * 24, day * 24 + 24).reduce((total, { sunlight }) => total + sunlight[of], 0);
    const through = [0, 1, 2, 3, 4, 5].map((day) => sum(day, 'onArray') / sum(day, 'onPlane'));
    expect(states[6]!.cover.snowShare).toBe(1);
    expect(through[0]).toBeLessThan(0.3);
    expect(through[5]).toBeGreaterThan(0.95);
  });

  test('a genset that does not start leaves an empty battery and a dark post', () => {
    const states = course(postOf('genset-fails'), 2 * DAY_MS, HOUR_MS / 4);
    expect(states.some(({ genset }) => genset.phase === 'failed')).toBe(true);
    expect(states.every(({ genset }) => genset.phase !== 'running')).toBe(true);
    expect(states.some(({ inverter }) => !inverter.on)).toBe(true);
  });

  test('a dry well: the pump turns, no water comes, and there is no head', () => {
    const states = course(postOf('dry-well'), 2 * HOUR_MS, HOUR_MS / 4);
    const late = states.filter(({ pump }, i) => i > 2 && i < 7 && pump.phase === 'running');
    expect(late.length).toBeGreaterThan(0);
    for (const { pump } of late) expect(pump.point).toMatchObject({ flowM3h: 0, headM: 0 });
  });

  test('a frozen line: ice grows in the night, and by morning the pump works against a shut line', () => {
    const states = course(postOf('frozen-line'), DAY_MS, HOUR_MS / 12);
    const shut = states.filter(({ line, pump }) => line.iceShare > 0.95 && pump.speed === 1);
    expect(shut.length).toBeGreaterThan(0);
    for (const { pump } of shut) expect(pump.point).toMatchObject({ flowM3h: 0, headM: 80 });
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

  test('a battery loses a third in five hot years', () => {
    const health = (years: number): number => {
      const post = postOf('battery-ageing', years * 365 * DAY_MS);
      return healthOf(post.spec.battery, course(post, HOUR_MS)[0]!.battery);
    };
    expect(health(0)).toBeGreaterThan(99);
    expect(health(5)).toBeLessThan(81);
  });

  test('a link that is down leaves the post as it is: only its truth tells', () => {
    const post = postOf('link-down');
    expect(course(post, 2 * HOUR_MS)).toHaveLength(2);
    expect(post.truth()).toMatchObject([{ what: 'linkDown', where: 'post', to: '2026-07-04T01:00:00.000Z' }]);
  });

  test('a clock without a battery: silence, then an inverter that believes it is the year 2000', () => {
    const post = postOf('clock-without-battery');
    course(post, HOUR_MS / 2 + 60_000, HOUR_MS / 2 + 60_000);
    expect(post.talkTo('inverter')).toEqual({ silent: true });
    course(post, HOUR_MS, HOUR_MS);
    expect(post.talkTo('inverter')).toEqual({});
    // Year since 2000 in the high byte.
    expect(post.devices[0]!.device.image().holding.get(62)! >> 8).toBe(0);
  });

  test('a random year has its faults by the seed', () => {
    const truths = [1, 1, 2].map((seed) => {
      const loaded = loadScenario('random-year');
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
      return createSimulation(loaded.value, { startAt: JULY, catalog, seed }).posts.get('random-year')!.truth();
    });
    expect(truths[0]!.length).toBeGreaterThan(20);
    expect(truths[1]).toEqual(truths[0]);
    expect(truths[2]).not.toEqual(truths[0]);
  });

  test('the bad bus has each of its faults alone', () => {
    const post = postOf('bad-bus');
    const seen = course(post, 1200_000, 30_000).map(() => post.activeFaults().length);
    expect(Math.max(...seen)).toBeLessThanOrEqual(1);
    expect(new Set(post.truth().map(({ what }) => what)).size).toBe(FAULT_GROUPS.bus.length);
    expect(new Set(post.truth().map(({ where }) => where))).toEqual(new Set(['bus']));
  });
});
