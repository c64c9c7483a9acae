// Simulated posts through days on which nearly everything goes wrong: the books must balance in every step.
import { Value } from 'typebox/value';
import { disturbanceOf, faultsAt, nextChangeAfter, timedFault } from '#simulators/fault/fault.js';
import { faultsByChance } from '#simulators/fault/usual-faults.js';
import { createPost, longestStepMs, stepPost } from '#simulators/world/post.js';
import { type PostSpec, PostSpecSchema } from '#simulators/world/post-spec.js';
import { bookFaults } from '#tests/support/post-books.js';
import type { Generator } from './generator.js';

/** Days in a whole soak. */
export const DAYS = 2000;
const DAY_MS = 86_400_000;
/** Accidents of a month in a day. */
const RATE = 30;

/** A post by chance, through one day of any season. Throws where its books do not balance. */
export function liveOneDay(random: Generator): void {
  const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random.next() * choices.length)] as T;
  const special = {
    site: { meanTemperatureC: pick(-20, -2, 12), cloudShare: pick(0, 0.3, 0.9) },
    pv: { capacityW: pick(0, 3000, 12_000) },
    battery: {
      chemistry: pick('lfp', 'lead'),
      startSoc: pick(8, 40, 99),
      roomMinC: pick(-30, 12),
      capacityWh: pick(2000, 20_000),
    },
    grid: { maxW: pick(0, 5000) },
    genset: { ratedW: pick(0, 8000) },
    pump: { supply: pick('ac', 'solar', 'none') },
    line: { exposedM: pick(0, 15), traceHeatingW: pick(0, 250), splits: pick(true, false) },
    tank: { startFill: pick(3, 60, 94) },
  };
  const spec = Value.Parse(PostSpecSchema, Value.Default(PostSpecSchema, special)) as PostSpec;
  const seed = Math.floor(random.next() * 2 ** 32);
  const startAt = Date.UTC(2026, 0, 1) + Math.floor(random.next() * 365) * DAY_MS;
  const faults = faultsByChance(seed, { days: 1, rate: RATE }, spec, []).map((fault) => timedFault(fault, startAt));
  let state = createPost(spec, startAt, seed);
  while (state.at < startAt + DAY_MS) {
    const disturbance = disturbanceOf(faultsAt(faults, state.at), state.at);
    const until = Math.min(state.at + longestStepMs(state, disturbance), nextChangeAfter(faults, state.at));
    const next = stepPost(spec, state, until - state.at, disturbance);
    const wrong = bookFaults(spec, state, next);
    if (wrong.length > 0) throw new Error(`${wrong.join('; ')} at ${JSON.stringify({ special, seed, at: state.at })}`);
    state = next;
  }
}
