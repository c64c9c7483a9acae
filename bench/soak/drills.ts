// From register to store on virtual time, while everything between goes wrong by seed: nothing missing, altered, invented.
import { drillPost } from '#tests/chain/drill.js';

/** Drills in a whole soak, and the hours of each. */
export const DRILLS = 40;
const HOURS = 6;

/** Drills one seed in both modes and answers how many readings the store has. Throws with all that differs. */
export async function drillSeed(seed: number): Promise<number> {
  let stored = 0;
  for (const full of [true, false]) {
    const { tally, differences, history } = await drillPost({ seed, full, hours: HOURS });
    if (differences.length > 0)
      throw new Error([`drill of seed ${seed}, full: ${full}`, ...history, ...differences.slice(0, 10)].join('\n  '));
    stored += tally.stored;
  }
  return stored;
}
