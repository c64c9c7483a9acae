import type { Random } from '#domain/clock.js';

const FIRST_MS = 3_000;
const LAST_MS = 60_000;
const LEAST_MS = 500;

/** Delay before the next try to connect, after so many in vain: doubled each time, and random, since many posts lose one broker at once. */
export function reconnectDelayMs(attempts: number, random: Random): number {
  const ceilingMs = Math.min(LAST_MS, FIRST_MS * 2 ** Math.max(0, attempts - 1));
  return LEAST_MS + random() * (ceilingMs - LEAST_MS);
}
