import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Scheduler } from '#domain/clock.js';
import { loadCatalog } from '#profiles/catalog.js';
import { metricsOf, tableOf } from '#profiles/extent.js';
import { quantitiesOf } from './device/quantities.js';
import type { Fault } from './fault/fault.js';
import { loadScenario, type Scenario, scenarioNames } from './scenarios/scenario.js';
import { createSimulation, type PostSimulation, type Simulation } from './simulation.js';
import { socOf } from './world/battery.js';

const { profiles: catalog } = loadCatalog();
const scenarioOf = (name: string): Scenario => {
  const loaded = loadScenario(name);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
  return loaded.value;
};
const demo = scenarioOf('demo');
const LIVE = Date.UTC(2026, 2, 3, 19, 0);
const DAY_MS = 86_400_000;
const scheduler: Scheduler = { after: () => () => undefined };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function wordsOf(post: PostSimulation): string {
  return JSON.stringify(
    post.devices.map(({ device }) => Object.entries(device.image()).map(([table, words]) => [table, ...words])),
  );
}

function demoAt(seconds: number, post: string, name = 'demo'): PostSimulation {
  const simulation = createSimulation(scenarioOf(name), { startAt: LIVE - 600_000, faultsFrom: LIVE, catalog });
  simulation.stepTo(LIVE + seconds * 1000);
  return simulation.posts.get(post)!;
}

function inRegisters(post: PostSimulation, device: string, at: number, words = 1): number[] {
  const { device: served } = post.devices.find(({ id }) => id === device)!;
  const answer = served.read(served.profile.protocol.table, at, words);
  if (!('words' in answer)) throw new Error(JSON.stringify(answer));
  return [...answer.words];
}

describe.each(scenarioNames())('scenario %s', (name) => {
  const simulation = createSimulation(scenarioOf(name), { startAt: LIVE, catalog });

  test('has a world behind every metric of every device', () => {
    const unknown = [...simulation.posts.values()].flatMap((post) =>
      post.devices.flatMap(({ id, role, device: { profile } }) => {
        const place = { kind: profile.kind, ...(role === undefined ? {} : { role }) };
        const quantities = quantitiesOf(post.spec, post.state(), place);
        return metricsOf(profile)
          .filter((metric) => quantities[metric] === undefined)
          .map((metric) => `${post.id} ${id} ${metric}`);
      }),
    );
    expect(unknown).toEqual([]);
  });

  test('answers every request that its profiles allow', () => {
    for (const post of simulation.posts.values())
      for (const { device } of post.devices)
        for (const register of device.profile.registers) {
          if (device.profile.protocol.sleepsAtNight === true) continue;
          const start = register.at - (register.at % (device.profile.protocol.alignment ?? 1));
          const width = device.profile.protocol.alignment ?? 1;
          expect(device.read(tableOf(device.profile, register), start, width)).toHaveProperty('words');
        }
  });
});

describe('the demo', () => {
  test('hands over from a replay that was read to a twin that was not, bit for bit', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 120_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), steps, fc.boolean(), (seed, moves, backwards) => {
        const options = { startAt: LIVE - 600_000, faultsFrom: LIVE, seed, catalog };
        const read = createSimulation(demo, options);
        const scenario = backwards ? { ...demo, posts: [...demo.posts].reverse() } : demo;
        const quiet = createSimulation(scenario, options);
        let at = LIVE - 600_000;
        for (const move of moves) {
          at += move;
          read.stepTo(at);
          for (const post of read.posts.values()) wordsOf(post);
        }
        at = LIVE - 600_000;
        for (const move of moves) {
          at += move;
          quiet.stepTo(at);
        }
        for (const [id, post] of read.posts) expect(wordsOf(quiet.posts.get(id)!)).toBe(wordsOf(post));
      }),
      { numRuns: 15 },
    );
  });

  test.each([
    ['noon', Date.UTC(2026, 5, 21, 7)],
    ['midnight', Date.UTC(2026, 11, 21, 19)],
  ])('shows at %s one battery that runs low and comes back', (_, live) => {
    const simulation = createSimulation(demo, { startAt: live - DAY_MS, faultsFrom: live, catalog });
    for (let at = live - DAY_MS; at <= live; at += 60_000) simulation.stepTo(at);
    const post = simulation.posts.get('karakul')!;
    const soc = () => socOf(post.state().battery);
    expect(soc()).toBeGreaterThan(35);
    simulation.stepTo(live + 30_000);
    expect(soc()).toBeLessThan(13);
    expect(inRegisters(post, 'gx', 843)[0]).toBe(12);
    simulation.stepTo(live + 149_000);
    expect(soc()).toBeLessThan(13);
    simulation.stepTo(live + 170_000);
    expect(soc()).toBeGreaterThan(50);
    for (const well of ['kyzyl-art', 'murghab']) {
      const other = simulation.posts.get(well)!;
      expect(socOf(other.state().battery)).toBeGreaterThan(33);
    }
  });

  test.each([
    ['noon', Date.UTC(2026, 5, 21, 7)],
    ['midnight', Date.UTC(2026, 11, 21, 19)],
  ])('shows at %s one pump that turns, runs dry and has water again', (_, live) => {
    const simulation = createSimulation(demo, { startAt: live - 600_000, faultsFrom: live, catalog });
    const post = simulation.posts.get('murghab')!;
    simulation.stepTo(live + 15_000);
    expect(post.state().pump.deliveredM3h).toBeGreaterThan(2);
    simulation.stepTo(live + 60_000);
    expect(inRegisters(post, 'pump', 304)).toEqual([500]);
    expect(inRegisters(post, 'pump', 300)).toEqual([0]);
    expect(inRegisters(post, 'pump', 311, 2)[1]).toBeLessThan(0.75 * 873);
    expect(inRegisters(post, 'water-meter', 0, 2)).toEqual([0, 0]);
    simulation.stepTo(live + 200_000);
    expect(post.state().waterMeter.flowM3h).toBeGreaterThan(2);
    expect(simulation.posts.get('kyzyl-art')!.activeFaults()).toEqual([]);
  });
});

describe('a served post', () => {
  test('shows over a socket what its world is', async () => {
    const post = demoAt(0, 'kyzyl-art');
    const bus = await post.serve({ wire: { kind: 'tcp', host: '127.0.0.1', port: 0 }, scheduler });
    closers.push(() => bus.close());
    const socket = connect(bus.port, '127.0.0.1');
    closers.push(() => socket.destroy());
    socket.write(Buffer.from([0, 1, 0, 0, 0, 6, 2, 4, 0, 52, 0, 2]));
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(answer.readFloatBE(9)).toBe(Math.fround(post.state().inverter.dispatch.loadW));
  });

  test('balances in the inverter’s own registers to the watt', () => {
    const post = demoAt(0, 'murghab');
    const signed = (word: number): number => (word << 16) >> 16;
    const one = (at: number): number => signed(inRegisters(post, 'inverter', at)[0]!);
    const pv = [672, 673, 674, 675].reduce((sum, at) => sum + one(at), 0);
    expect(Math.abs(pv + one(590) + one(625) + one(667) - one(653))).toBeLessThanOrEqual(3);
  });
});

describe('faults of a device', () => {
  const scenarioWith = (fault: Fault): Simulation => {
    const [post] = demo.posts;
    const simulation = createSimulation(
      { ...demo, posts: [{ ...post!, faults: [fault] }] },
      { startAt: LIVE, catalog },
    );
    return simulation;
  };
  const postWith = (fault: Fault, seconds: number): PostSimulation => {
    const simulation = scenarioWith(fault);
    simulation.stepTo(LIVE + seconds * 1000);
    return simulation.posts.get('kyzyl-art')!;
  };

  test('stuck: the same words while the world goes on, whoever looks and when', () => {
    const fault: Fault = { kind: 'stuck', device: 'load-meter', fromS: 10, toS: 60 };
    const simulation = scenarioWith(fault);
    const post = simulation.posts.get('kyzyl-art')!;
    simulation.stepTo(LIVE + 10_000);
    const before = inRegisters(post, 'load-meter', 52, 2);
    simulation.stepTo(LIVE + 59_000);
    expect(inRegisters(post, 'load-meter', 52, 2)).toEqual(before);
    expect(inRegisters(postWith(fault, 59), 'load-meter', 52, 2)).toEqual(before);
    simulation.stepTo(LIVE + 61_000);
    expect(inRegisters(post, 'load-meter', 52, 2)).not.toEqual(before);
  });

  test('no value: the device’s own word for it', () => {
    const post = postWith({ kind: 'noValue', device: 'pump', metrics: ['pump.power'], fromS: 0 }, 5);
    expect(inRegisters(post, 'pump', 311, 2)).toEqual([0, 0xffff]);
    expect(inRegisters(post, 'pump', 304)).toEqual([0]);
  });

  test('counter reset: totals start again and stay so', () => {
    const post = postWith({ kind: 'counterReset', device: 'load-meter', fromS: 10, toS: 20 }, 600);
    const [high = 0, low = 0] = inRegisters(post, 'load-meter', 72, 2);
    const view = new DataView(new ArrayBuffer(4));
    view.setUint16(0, high);
    view.setUint16(2, low);
    expect(view.getFloat32(0)).toBeGreaterThan(0);
    expect(view.getFloat32(0)).toBeLessThan(1);
  });

  test('swapped words: the other way round', () => {
    const right = postWith({ kind: 'silence', device: 'pump', fromS: 0 }, 5);
    const swapped = postWith({ kind: 'swappedWords', device: 'load-meter', fromS: 0 }, 5);
    expect(inRegisters(swapped, 'load-meter', 52, 2)).toEqual(inRegisters(right, 'load-meter', 52, 2).reverse());
  });

  test('one that is started by hand ends by hand', () => {
    const post = demoAt(0, 'kyzyl-art');
    const end = post.inject({ kind: 'silence', device: 'pump', fromS: 0 });
    expect(post.activeFaults()).toHaveLength(1);
    end();
    post.stepTo(post.state().at + 1000);
    expect(post.activeFaults()).toHaveLength(0);
  });
});

test('a drive that lives on its array sleeps at night', () => {
  const post = createSimulation(scenarioOf('clear-day'), { startAt: LIVE, catalog }).posts.get('clear-day')!;
  post.stepTo(LIVE + 10_000);
  expect(post.deviceOf(3)!.read('holding', 12_288, 1)).toEqual({ silent: true });
  post.stepTo(LIVE + DAY_MS / 2);
  expect(post.deviceOf(3)!.read('holding', 12_288, 1)).toHaveProperty('words');
});
