// Time as an argument. `domain` holds only the shapes; composition roots bring the real ones, tests bring virtual ones.

/** Reads the time. Both are milliseconds. */
export interface Clock {
  /** Wall clock, Unix epoch. May step, also backwards. */
  now(): number;
  /** Never steps back; zero is arbitrary. For intervals and time-outs. */
  monotonic(): number;
}

/** Runs a task later. The returned function cancels; cancelling twice is harmless. */
export interface Scheduler {
  after(delayMs: number, task: () => void): () => void;
}

/** How far a wall clock may be trusted: set from a time source, only carried on by the machine, or never set. */
export type ClockQuality = 'synchronised' | 'unsynchronised' | 'unknown';

/** Uniform random numbers in [0, 1). */
export type Random = () => number;
