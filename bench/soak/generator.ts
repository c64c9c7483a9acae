import { resumeRandom } from '#simulators/world/random.js';

/** A seeded source of numbers, with the few shapes of them that hostile input has. */
export interface Generator {
  /** [0, 1) */
  next(): number;
  /** Integer in [0, limit). */
  below(limit: number): number;
  bytes(length: number): Uint8Array;
  pick<T>(choices: readonly T[]): T;
}

export function generator(seed: number): Generator {
  const { next } = resumeRandom(Math.imul(seed, 2_654_435_761));
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let place = 0; place < length; place += 1) bytes[place] = below(256);
      return bytes;
    },
    pick<T>(choices: readonly T[]): T {
      return choices[below(choices.length)] as T;
    },
  };
}
