// Counters that only rise, and the four ways in which they do not: rollover, reset, a bad read, a jump. A step that cannot
// be explained adds nothing; it is never repaired by a guess, and never silent.

import type { CounterEvent } from './counter-event.js';
import { exactSum } from './exact-sum.js';

export interface CounterSpec {
  /** The counter starts again from zero here: 2^32, 10^8 … Only where the device is known to do so. */
  readonly modulus?: number;
  /** The fastest that the plant can count, in the metric's unit per second. 20 % is added for clocks and bursts. */
  readonly ratePerSMax?: number;
  /** The smallest step of the register, in the metric's unit. */
  readonly resolution?: number;
  /** Where nobody knows the plant's own rate: what no plant of this kind can exceed, however coarse its register. */
  readonly possible?: PossibleStep;
  /** What people said of the register, by time. */
  readonly events?: readonly CounterEvent[];
}

/** In the metric's unit: so much at once, and so much more for each second between. */
export interface PossibleStep {
  readonly step: number;
  readonly perS: number;
}

/** One step between two readings. */
export interface CounterStep {
  readonly kind: 'normal' | 'rollover' | 'reset' | 'tooFast' | 'backward';
  /** Never negative. After a reset a lower bound: what was counted since. */
  readonly increase: number;
  /** The true increase may be larger than told. */
  readonly estimated: boolean;
}

export interface CounterReading {
  readonly value: number;
  readonly at: number;
}

/** Room for uneven clocks and short bursts above the rated maximum. */
const RATE_MARGIN = 1.2;

// Without a known maximum rate only the shape can tell: a rollover ends near the top and begins near the bottom, a reset
// loses nearly everything. What lies between is no explanation.
const TOP_SHARE = 0.1;

/** The largest increase that the plant can make between the two. Grows with the time between, so an outage is no jump. */
function increaseMax(elapsedMs: number, spec: CounterSpec): number {
  const elapsedS = Math.max(0, elapsedMs) / 1000;
  if (spec.ratePerSMax !== undefined) return RATE_MARGIN * spec.ratePerSMax * elapsedS + 2 * (spec.resolution ?? 0);
  if (spec.possible === undefined) return Number.POSITIVE_INFINITY;
  return spec.possible.step + spec.possible.perS * elapsedS;
}

/** Where no rate is known: within an hour no post counts nine times what so many of the register's smallest steps are. */
const RESCALED_WITHIN_MS = 3_600_000;
const RESCALED_STEPS_MIN = 20_000;
const RESCALED_SHARE = 0.01;

/** Somebody has moved the point on the meter, or the unit: the new reading is the old one times a power of ten. */
function isRescaled(previous: CounterReading, current: CounterReading, spec: CounterSpec): boolean {
  const { ratePerSMax, resolution = 1 } = spec;
  if (ratePerSMax !== undefined || current.value < 9 * previous.value) return false;
  if (previous.value < RESCALED_STEPS_MIN * resolution || current.at - previous.at > RESCALED_WITHIN_MS) return false;
  const power = Math.log10(current.value / previous.value);
  return Math.abs(power - Math.round(power)) < Math.log10(1 + RESCALED_SHARE);
}

/**
 * Judges one step of a counter. Both values in the metric's unit, both of good quality.
 * A step back by no more than two of the register's smallest steps is the last digit dancing, not a reset.
 */
export function counterStep(previous: CounterReading, current: CounterReading, spec: CounterSpec): CounterStep {
  const difference = exactSum([current.value, -previous.value]);
  const plausibleMax = increaseMax(current.at - previous.at, spec);
  if (difference >= 0) {
    if (difference <= plausibleMax && !isRescaled(previous, current, spec))
      return { kind: 'normal', increase: difference, estimated: false };
    return { kind: 'tooFast', increase: 0, estimated: true };
  }
  if (-difference <= 2 * (spec.resolution ?? 0)) return { kind: 'backward', increase: 0, estimated: false };
  if (spec.modulus !== undefined) {
    const around = exactSum([current.value, -previous.value, spec.modulus]);
    const aroundMax = spec.ratePerSMax === undefined ? spec.modulus * TOP_SHARE : plausibleMax;
    if (around >= 0 && around <= aroundMax) return { kind: 'rollover', increase: around, estimated: false };
  }
  const resetMax = spec.ratePerSMax === undefined ? previous.value * TOP_SHARE : plausibleMax;
  if (current.value >= 0 && current.value <= resetMax) {
    return { kind: 'reset', increase: current.value, estimated: true };
  }
  return { kind: 'backward', increase: 0, estimated: true };
}

/** What a reading may be that others must bear out. */
type Doubt = 'rollover' | 'reset' | 'tooFast' | 'backward';

/** Where a series of counter readings stands. */
export interface CounterChain {
  /** The reading that the next one is measured from. */
  readonly base: CounterReading | null;
  /** Readings after `base` that it does not explain, but that follow one another; all of one kind of doubt. */
  readonly quarantined: readonly CounterReading[];
  readonly doubt: Doubt | null;
  /** The base before the last reset: a device that starts up may show zeros, and then its old total again. */
  readonly beforeReset: CounterReading | null;
}

/**
 * So many readings that follow one another are believed. A reset explains itself and needs one witness, because a single
 * zero is more often a bad read; a value out of nowhere (a swapped meter, a corrected display) needs two.
 */
const BELIEVED_READINGS = { rollover: 2, reset: 2, tooFast: 3, backward: 3 } as const;

export const EMPTY_CHAIN: CounterChain = { base: null, quarantined: [], doubt: null, beforeReset: null };

export interface FollowedCounter {
  readonly chain: CounterChain;
  /** null for the first reading of all, and while a doubt waits for more readings. */
  readonly step: CounterStep | null;
  /** When the doubt began, where this reading began or settled one. */
  readonly doubtAt: number | null;
}

const trusted = (base: CounterReading, beforeReset: CounterReading | null): CounterChain => ({
  base,
  quarantined: [],
  doubt: null,
  beforeReset,
});

/**
 * The old total is back after a reset that was none: only what passed since the old total counts. A known rate decides;
 * without one, a jump from near zero to beyond the old total is taken for this.
 */
function recovered(chain: CounterChain, reading: CounterReading, spec: CounterSpec): number | null {
  const { base, beforeReset } = chain;
  if (base === null || beforeReset === null) return null;
  if (spec.ratePerSMax !== undefined && counterStep(base, reading, spec).kind === 'normal') return null;
  const jumped = base.value < beforeReset.value * TOP_SHARE && reading.value >= beforeReset.value;
  return jumped && counterStep(beforeReset, reading, spec).kind === 'normal'
    ? exactSum([reading.value, -beforeReset.value])
    : null;
}

/** A doubtful reading joins the quarantine, or ends it because there are enough that agree. */
function quarantine(chain: CounterChain, reading: CounterReading, doubt: Doubt, spec: CounterSpec): FollowedCounter {
  const newest = chain.quarantined.at(-1);
  const follows = newest !== undefined && counterStep(newest, reading, spec).kind === 'normal';
  const readings = follows ? [...chain.quarantined, reading] : [reading];
  const kind = follows ? (chain.doubt ?? doubt) : doubt;
  const first = readings[0] ?? reading;
  if (readings.length < BELIEVED_READINGS[kind]) {
    return { chain: { ...chain, quarantined: readings, doubt: kind }, step: null, doubtAt: first.at };
  }
  if (kind === 'rollover' && chain.base !== null) {
    return { chain: trusted(reading, null), step: counterStep(chain.base, reading, spec), doubtAt: first.at };
  }
  // After a reset everything on the new count passed since; after a jump only what was seen behind it.
  const increase = kind === 'reset' ? reading.value : exactSum([reading.value, -first.value]);
  const beforeReset = kind === 'reset' ? chain.base : null;
  return { chain: trusted(reading, beforeReset), step: { kind, increase, estimated: true }, doubtAt: first.at };
}

/** So near to an event readings tell whether it was before or after them: a person's watch is not the meter's. */
const EVENT_NEAR_MS = 86_400_000;

/** Readings near an event lie on the side of it on which its time puts them; else the time is wrong, and shape must tell. */
function isBetween(event: CounterEvent, base: CounterReading, reading: CounterReading): boolean {
  const { at, closing, opening } = event;
  if (closing === null) return true;
  const isPast = (value: number): boolean => Math.abs(value - opening) < Math.abs(value - closing);
  if (at - base.at < EVENT_NEAR_MS && isPast(base.value)) return false;
  return reading.at - at >= EVENT_NEAR_MS || isPast(reading.value);
}

/** The step over events that people told of; null where there is none between the two that they bear out. */
function toldStep(base: CounterReading, reading: CounterReading, spec: CounterSpec): CounterStep | null {
  const between = (spec.events ?? []).filter((event) => event.at > base.at && event.at <= reading.at);
  const borneOut = between.filter((event) => isBetween(event, base, reading));
  if (borneOut.length === 0) return null;
  let estimated = borneOut.length < between.length;
  let increase = 0;
  let register = base;
  for (const { at, closing, opening } of borneOut) {
    if (closing === null || closing < register.value) estimated = true;
    else increase = exactSum([increase, closing, -register.value]);
    register = { value: opening, at };
  }
  const rest = counterStep(register, reading, spec);
  const isPlain = rest.kind === 'normal' || rest.kind === 'rollover';
  return {
    kind: 'normal',
    increase: exactSum([increase, isPlain ? rest.increase : 0]),
    estimated: estimated || !isPlain,
  };
}

/** Takes the next good reading into the chain. The increases of all steps add up to the truth, or to less where told. */
export function followCounter(chain: CounterChain, reading: CounterReading, spec: CounterSpec): FollowedCounter {
  if (chain.base === null) return { chain: trusted(reading, null), step: null, doubtAt: null };
  const told = toldStep(chain.base, reading, spec);
  if (told !== null) return { chain: trusted(reading, null), step: told, doubtAt: null };
  const back = recovered(chain, reading, spec);
  if (back !== null) {
    return { chain: trusted(reading, null), step: { kind: 'normal', increase: back, estimated: true }, doubtAt: null };
  }
  const step = counterStep(chain.base, reading, spec);
  // The last digit danced: the base stands, and whatever spoke against it was wrong.
  if (step.kind === 'backward' && !step.estimated) {
    return { chain: { ...chain, quarantined: [], doubt: null }, step, doubtAt: null };
  }
  // Without a known rate a single zero near the top of the register looks like a rollover.
  if (step.kind === 'normal' || (step.kind === 'rollover' && spec.ratePerSMax !== undefined)) {
    return { chain: trusted(reading, chain.beforeReset), step, doubtAt: null };
  }
  return quarantine(chain, reading, step.kind, spec);
}
