// A small seeded generator whose whole state is one number, so that it can live inside a post's state.

/** Draws numbers and remembers where it is. Two streams resumed from one state draw the same numbers. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  next(): number;
  /** Standard normal (Box and Muller). */
  normal(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** State to resume from: an unsigned 32-bit integer. */
  state(): number;
}

/** The generator mulberry32 (Tommy Ettinger, public domain). */
export class SeededStream implements RandomStream {
  private at: number;

  /** Goes on from a state, or starts from a seed. */
  constructor(from: number) {
    this.at = from >>> 0;
  }

  next(): number {
    this.at = (this.at + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.at ^ (this.at >>> 15), this.at | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  state(): number {
    return this.at;
  }
}

/** A stream whose functions can be handed on one by one. */
export function resumeRandom(from: number): RandomStream {
  const stream = new SeededStream(from);
  return {
    next: () => stream.next(),
    normal: () => stream.normal(),
    between: (low, high) => stream.between(low, high),
    state: () => stream.state(),
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

/** Number of events where `expected` come in the mean (Knuth). */
export function poisson(expected: number, random: RandomStream): number {
  const limit = Math.exp(-expected);
  let product = random.next();
  let count = 0;
  while (product > limit) {
    product *= random.next();
    count += 1;
  }
  return count;
}

/** Goes from a value towards another as warmth does: the gap falls to a 2.7th in the time constant. */
export function approach(value: number, target: number, dtS: number, timeConstantS: number): number {
  return value + (target - value) * (1 - Math.exp(-dtS / timeConstantS));
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
