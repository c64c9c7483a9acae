import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { bookFaults } from '#tests/support/post-books.js';
import { socOf } from './battery.js';
import type { Disturbance } from './disturbance.js';
import { createPost, longestStepMs, type PostState, stepPost } from './post.js';
import { type PostSpec, PostSpecSchema } from './post-spec.js';
import { fillOf } from './tank.js';

const specOf = (special: object = {}): PostSpec =>
  Value.Parse(PostSpecSchema, Value.Default(PostSpecSchema, structuredClone(special))) as PostSpec;
const NOON = Date.UTC(2025, 5, 21, 7, 6);
const HOUR_MS = 3_600_000;

function run(spec: PostSpec, from: PostState, forMs: number, disturbance: Disturbance = {}): PostState {
  let state = from;
  const end = from.at + forMs;
  while (state.at < end)
    state = stepPost(spec, state, Math.min(end - state.at, longestStepMs(state, disturbance)), disturbance);
  return state;
}

const sometimes = <T>(...values: T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, undefined, ...values);

/** Each key of a disturbance, so that none is forgotten here. */
const TROUBLES: { [K in keyof Required<Disturbance>]: fc.Arbitrary<Disturbance[K]> } = {
  batterySoc: sometimes(0, 12, 100),
  coldChargeAllowed: sometimes(true),
  roomHeaterOff: sometimes(true),
  roomHotK: sometimes(70),
  cellSpreadSoc: sometimes(5, 50),
  shuntOffsetA: sometimes(-5, 5),
  capacityLostShare: sometimes(0.1, 0.9),
  batteryResistanceFactor: sometimes(20),
  bmsTripped: sometimes(true),
  cellSensorOpen: sometimes(true),
  sunFactor: sometimes(0.05, 0),
  snowfallCmH: sometimes(3),
  dustPerDay: sometimes(0.2),
  stringFactors: sometimes([0, 1], [1, 0.5]),
  arrayOff: sometimes(true),
  irradianceFactor: sometimes(0, 1.5),
  inverterTrip: sometimes<'hardware' | 'insulation'>('hardware', 'insulation'),
  fanBlocked: sometimes(true),
  voltageFactor: sometimes(0.8),
  frequencyOffsetHz: sometimes(3),
  surgeProtectorGone: sometimes(true),
  gensetFailsToStart: sometimes(true),
  gensetStops: sometimes(true),
  oilLost: sometimes(true),
  radiatorBlocked: sometimes(true),
  starterChargerOff: sometimes(true),
  blockHeaterOff: sometimes(true),
  fuelGelsC: sometimes(30),
  fuelLossLH: sometimes(50),
  passClosed: sometimes(true),
  fuelFactor: sometimes(1.5),
  gensetChargeW: sometimes(0, 300),
  dryWell: sometimes(true),
  wellFactor: sometimes(0.004),
  noFlow: sometimes(true),
  brokenShaft: sometimes(true),
  pumpByHand: sometimes(true),
  pumpOff: sometimes(true),
  pumpUnpowered: sometimes(true),
  headFactor: sometimes(0.7),
  pumpPowerFactor: sometimes(1.5),
  gasInWater: sometimes(true),
  closedValve: sometimes(true),
  frictionFactor: sometimes(2, 4),
  lineLeakShare: sometimes(0.1, 1),
  lineHole: sometimes({ flowM3h: 5, exponent: 0.5 }, { flowM3h: 0.2, exponent: 1.5 }),
  traceHeatingOff: sometimes(true),
  backflowM3h: sometimes(0.5, 50),
  tankLeakM3h: sometimes(0.04, 3),
  floatStuck: sometimes<'full' | 'notFull'>('full', 'notFull'),
  meterStopped: fc.constant(undefined),
  meterEmpty: fc.constant(undefined),
  meterPoorSignal: sometimes(true),
  gridLost: sometimes(true),
  extraLoadW: sometimes(500, 20_000),
  peopleFactor: sometimes(0, 5),
};
const disturbances: fc.Arbitrary<Disturbance> = fc
  .record(TROUBLES)
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));

const specs: fc.Arbitrary<PostSpec> = fc
  .record({
    battery: fc.record({
      startSoc: fc.integer({ min: 0, max: 100 }),
      capacityWh: fc.constantFrom(500, 20_000),
      chemistry: fc.constantFrom('lfp', 'lead'),
      roomMinC: fc.constantFrom(-30, 12),
    }),
    site: fc.record({ meanTemperatureC: fc.constantFrom(-40, -1, 15), cloudShare: fc.constantFrom(0, 0.3, 0.9) }),
    line: fc.record({ exposedM: fc.constantFrom(0, 20), traceHeatingW: fc.constantFrom(0, 300), splits: fc.boolean() }),
    pv: fc.record({ capacityW: fc.constantFrom(0, 3000, 30_000) }),
    genset: fc.record({ ratedW: fc.constantFrom(0, 8000) }),
    grid: fc.record({ maxW: fc.constantFrom(0, 5000) }),
    load: fc.record({ meanW: fc.constantFrom(0, 650, 9000) }),
    pump: fc.record({ supply: fc.constantFrom('ac', 'solar', 'none') }),
    tank: fc.record({ startFill: fc.constantFrom(0, 84, 96) }),
  })
  .map(specOf);

describe('in every step, whatever is wrong', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), disturbances), { minLength: 1, maxLength: 12 });

  test('energy and water are neither made nor lost', () => {
    fc.assert(
      fc.property(specs, fc.integer(), fc.integer({ min: 0, max: 23 }), steps, (spec, seed, hour, moves) => {
        let state = createPost(spec, NOON + hour * HOUR_MS, seed);
        for (const [dtMs, disturbance] of moves) {
          const before = state;
          state = stepPost(spec, state, dtMs, disturbance);
          expect(bookFaults(spec, before, state)).toEqual([]);
        }
      }),
      { numRuns: 600 },
    );
  });

  test('the meter counts what passes, both ways', () => {
    fc.assert(
      fc.property(specs, fc.integer(), steps, (spec, seed, moves) => {
        let state = createPost(spec, NOON, seed);
        for (const [dtMs, disturbance] of moves) {
          const before = state;
          state = stepPost(spec, state, dtMs, disturbance);
          const metered = state.waterMeter.forwardM3 - before.waterMeter.forwardM3;
          const back = state.waterMeter.reverseM3 - before.waterMeter.reverseM3;
          const passed = state.water.pumpedM3 - state.water.returnedM3;
          expect(Math.abs(metered - back - passed)).toBeLessThan(1e-9 * before.waterMeter.forwardM3);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('the same seed and the same steps give the same world, and a copy goes on as the original does', () => {
    fc.assert(
      fc.property(specs, fc.integer(), steps, (spec, seed, moves) => {
        let one = createPost(spec, NOON, seed);
        let two = createPost(spec, NOON, seed);
        for (const [dtMs, disturbance] of moves) {
          one = stepPost(spec, one, dtMs, disturbance);
          two = stepPost(spec, JSON.parse(JSON.stringify(two)) as PostState, dtMs, disturbance);
        }
        expect(two).toEqual(one);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a day at a post', () => {
  const spec = specOf({ genset: { ratedW: 8000 } });
  const day = (seed: number): PostState[] => {
    let state = createPost(spec, NOON - 12 * HOUR_MS, seed);
    const states = [state];
    for (let minute = 0; minute < 1440; minute += 1) {
      state = run(spec, state, 60_000);
      states.push(state);
    }
    return states;
  };

  test('has sun by day and none by night, and the pump fills what people draw', () => {
    const states = day(7);
    const [first, last] = [states[0]!, states.at(-1)!];
    expect(states[30]!.inverter.dispatch.pvW).toBe(0);
    expect(Math.max(...states.map((state) => state.inverter.dispatch.pvW))).toBeGreaterThan(1500);
    const pv = last.counters.total.pv - first.counters.total.pv;
    expect(pv).toBeGreaterThan(8000);
    const metered = last.waterMeter.forwardM3 - first.waterMeter.forwardM3;
    expect(metered).toBeGreaterThan(1);
    expect(metered).toBeLessThan(5);
    const fills = states.map((state) => fillOf(spec.tank, state.tank));
    expect(Math.min(...fills)).toBeGreaterThan(80);
    expect(Math.max(...fills)).toBeLessThan(97);
    expect(Math.min(...states.map((state) => socOf(state.battery)))).toBeGreaterThan(30);
  });

  test('another seed is another day', () => {
    expect(run(spec, createPost(spec, NOON, 1), HOUR_MS).counters).not.toEqual(
      run(spec, createPost(spec, NOON, 2), HOUR_MS).counters,
    );
  });
});

describe('what goes wrong shows where it should', () => {
  const spec = specOf({ genset: { ratedW: 8000 } });
  const running = run(spec, createPost(spec, NOON, 5), 600_000, { pumpByHand: true });

  test('a dry well takes flow, head and most of the power', () => {
    const dry = run(spec, running, 120_000, { pumpByHand: true, dryWell: true });
    expect(dry.pump.point).toMatchObject({ flowM3h: 0, headM: 0 });
    expect(dry.pump.powerW).toBeLessThan(0.75 * 873);
    expect(dry.waterMeter.flowM3h).toBe(0);
  });

  test('a shut valve takes the flow, not the head', () => {
    const shut = run(spec, running, 120_000, { pumpByHand: true, closedValve: true });
    expect(shut.pump.point).toMatchObject({ flowM3h: 0, headM: 80 });
    expect(shut.pump.powerW).toBeGreaterThan(0.9 * 873);
  });

  test('a pump in hand mode goes on over a full tank, by night too', () => {
    const night = run(spec, createPost(spec, NOON + 12 * HOUR_MS, 5), 2 * HOUR_MS, { pumpByHand: true });
    expect(night.pump.phase).toBe('running');
    expect(fillOf(spec.tank, night.tank)).toBeCloseTo(98, 6);
    expect(night.water.overflowM3).toBeGreaterThan(0);
  });

  test('a battery that is pulled down gets there within seconds and back', () => {
    const low = run(spec, running, 15_000, { batterySoc: 12 });
    expect(socOf(low.battery)).toBeCloseTo(12, 3);
    expect(socOf(run(spec, low, 15_000, { batterySoc: 64 }).battery)).toBeCloseTo(64, 3);
  });

  test('a genset starts by itself on a low battery, or fails three times and gives up', () => {
    const low = specOf({ genset: { ratedW: 8000 }, battery: { startSoc: 20 }, pv: { capacityW: 0 } });
    const started = run(low, createPost(low, NOON, 1), 120_000);
    expect(started.genset.phase).toBe('running');
    expect(started.inverter.dispatch.gensetW).toBeGreaterThan(1000);
    const failed = run(low, createPost(low, NOON, 1), 120_000, { gensetFailsToStart: true });
    expect(failed.genset.phase).toBe('failed');
    expect(run(low, failed, 120_000).genset.phase).toBe('running');
  });

  test('an empty battery without sun ends in a dark post, and light returns with the sun', () => {
    const weak = specOf({ battery: { startSoc: 6, capacityWh: 2000 } });
    const dark = run(weak, createPost(weak, NOON + 12 * HOUR_MS, 1), HOUR_MS);
    expect(dark.inverter.on).toBe(false);
    expect(dark.inverter.dispatch.loadW).toBe(0);
    expect(run(weak, dark, 11 * HOUR_MS).inverter.on).toBe(true);
  });

  test('a solar pump follows the sun and rests by night', () => {
    const solar = specOf({
      pump: { supply: 'solar' },
      tank: { startFill: 20 },
      people: { persons: 200 },
      site: { cloudShare: 0 },
    });
    const noon = run(solar, createPost(solar, NOON, 1), HOUR_MS);
    expect(noon.pump.phase).toBe('running');
    expect(noon.pump.speed).toBeGreaterThan(0.8);
    const night = run(solar, noon, 10 * HOUR_MS);
    expect(night.pump).toMatchObject({ phase: 'waitingForSun', powerW: 0 });
  });
});
