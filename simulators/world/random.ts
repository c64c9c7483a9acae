// A small seeded generator whose whole state is one number, so that it can live inside a post's state.

/** Draws numbers and remembers where it is. Two streams resumed from one state draw the same numbers. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  next(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** State to resume from: an unsigned 32-bit integer. */
  state(): number;
}

/** Goes on from a state, or starts from a seed. The generator is mulberry32 (Tommy Ettinger, public domain). */
export function resumeRandom(from: number): RandomStream {
  let state = from >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    between: (low, high) => low + (high - low) * next(),
    state: () => state,
  };
}

/** A seed of its own for each named part, so that drawing more numbers for one never changes another (FNV-1a). */
export function seedFor(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ (seed >>> 0)) >>> 0;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  return (hash ^ (hash >>> 13)) >>> 0;
}

/**
 * One step of a mean-reverting random walk with unit variance (Ornstein-Uhlenbeck, exact for any step).
 * @param timeConstantS time after which the walk has forgotten where it was
 */
export function wander(value: number, dtS: number, timeConstantS: number, random: RandomStream): number {
  const kept = Math.exp(-dtS / timeConstantS);
  return value * kept + Math.sqrt(1 - kept * kept) * random.normal();
}
