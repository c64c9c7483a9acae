// Those who read much of the store do so in turn.
import type { ApiDeps } from './deps.js';
import { Problem } from './problem.js';

/** Requests that may read the store at the same time, and that may wait for it. */
export const READERS_MAX = 4;
export const WAITING_MAX = 40;

export interface Turns {
  /** Resolves when it is one's turn, with what ends it; `undefined` when too many wait already. */
  take(): Promise<(() => void) | undefined>;
}

/** Lets a few in at a time; a limited number waits, the rest is turned away. */
export function createTurns(runningMax = READERS_MAX, waitingMax = WAITING_MAX): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  const done = (): void => {
    running -= 1;
    waiting.shift()?.();
  };
  return {
    async take() {
      if (running >= runningMax) {
        if (waiting.length >= waitingMax) return undefined;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      running += 1;
      return done;
    },
  };
}

/** What ends the turn. Throws a Problem when too many wait. */
export async function takeTurn({ count, turns }: Pick<ApiDeps, 'count' | 'turns'>): Promise<() => void> {
  const done = await turns.take();
  if (done !== undefined) return done;
  count('apiSeriesBusy');
  throw new Problem(503, 'API_BUSY', 'too many charts are being read; try again in a moment');
}
