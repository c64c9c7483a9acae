import { expect, test } from 'vitest';
import { resumeRandom } from '#simulators/world/random.js';
import { type KillTally, killEmbedded, killInflux } from './kill-rounds.js';

/** `npm run soak` does twenty of each. */
const ROUNDS = 4;

test.each<[string, (rounds: number, random: () => number) => Promise<KillTally>]>([
  ['the embedded store, while it takes points in', (rounds, random) => killEmbedded(rounds, 0, random)],
  ['the embedded store, while it seals and compacts', (rounds, random) => killEmbedded(rounds, 2, random)],
  ['InfluxDB behind its store', killInflux],
])('%s, is killed at random moments and has every point that was confirmed, once, as it was', async (_name, kill) => {
  const seed = Math.floor(Date.now() / 86_400_000);
  const tally = await kill(ROUNDS, resumeRandom(seed).next);
  expect(tally).toMatchObject({ kills: ROUNDS });
  expect(tally.confirmed).toBeGreaterThan(1000);
});
