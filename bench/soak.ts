// Long runs with a seed: what must hold for any bytes, any counter, any alarm and any bad day of a post.
// `--count N` runs of each kind (a million), `--share S` of everything (tests run a small one), `--seed N`.
import { parseArgs } from 'node:util';
import { followModel } from '#tests/support/store-model.js';
import { DRILLS, drillSeed } from './soak/drills.js';
import { generator } from './soak/generator.js';
import { KILLED, KILLS } from './soak/kills.js';
import { DAYS, liveOneDay } from './soak/posts.js';
import { PROPERTIES } from './soak/properties.js';
import { printTable } from './table.js';

/** More than chance may take is a fault: so many in a short run, and so many times the expected in a long one. */
const CHANCE_FLOOR = 5;
const CHANCE_FACTOR = 2;
/** Lives of an embedded store in a whole soak. */
const LIVES = 20_000;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const share = Number(values.share);
const count = Math.ceil(Number(values.count) * share);
if (![seed, share, count].every((number) => Number.isFinite(number)) || count < 1 || share <= 0)
  throw new Error('soak takes numbers: --count N --share S --seed N');

const secondsSince = (startedAt: number): string => ((performance.now() - startedAt) / 1000).toFixed(1);
const rows: (string | number)[][] = [];
for (const [place, { name, weight, run, chance }] of PROPERTIES.entries()) {
  const random = generator(seed * 1000 + place);
  const runs = Math.ceil(count * weight);
  const begunAt = performance.now();
  let taken = 0;
  for (let number = 0; number < runs; number += 1)
    try {
      if (run(random)) taken += 1;
    } catch (error) {
      throw new Error(`seed ${seed}, run ${number} of "${name}"`, { cause: error });
    }
  if (chance !== undefined && taken > CHANCE_FLOOR + (CHANCE_FACTOR * runs) / chance)
    throw new Error(`seed ${seed}: ${taken} of ${runs} are taken for good in "${name}"`);
  rows.push([name, runs, taken, secondsSince(begunAt)]);
}
const lives = Math.ceil(LIVES * share);
let startedAt = performance.now();
await followModel(lives, seed);
rows.push(['lives of an embedded store, against a model', lives, '', secondsSince(startedAt)]);
const days = Math.ceil(DAYS * share);
const chances = generator(seed);
startedAt = performance.now();
for (let number = 0; number < days; number += 1) liveOneDay(chances);
rows.push(['bad days of a simulated post, its books balanced', days, '', secondsSince(startedAt)]);
const drills = Math.ceil(DRILLS * share);
startedAt = performance.now();
let samples = 0;
for (let number = 0; number < drills; number += 1) samples += await drillSeed(seed * 1000 + number);
rows.push(['drills of six hours, readings stored', drills, samples, secondsSince(startedAt)]);
for (const { name, run } of KILLED) {
  startedAt = performance.now();
  const { confirmed, inSealing, kills } = await run(Math.ceil(KILLS * share), generator(seed).next);
  const middle = inSealing > 0 ? ` (${inSealing} in the middle)` : '';
  rows.push([`${name}${middle}; points confirmed`, kills, confirmed, secondsSince(startedAt)]);
}
printTable(`Seed ${seed}: everything held`, ['what', 'runs', 'taken for good', 'seconds'], rows);
