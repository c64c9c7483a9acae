// How far a value may be trusted, in the three classes of IEC 61850-7-3 (validity), each with its reason.

export type Quality = 'good' | 'questionable' | 'invalid';

interface QualityFact {
  readonly code: number;
  readonly quality: Quality;
}

/**
 * Every reason with its number on the wire and in the store. Numbers are never reused.
 * Below 32 there is a value; from 32 on there is none.
 */
export const REASONS = {
  good: { code: 0, quality: 'good' },
  /** The source has not renewed it, or repeats an old one. */
  stale: { code: 1, quality: 'questionable' },
  /** Device answers, but nothing in it moves although a clock or counter should. */
  frozen: { code: 2, quality: 'questionable' },
  /** Outside what the quantity or the profile says is possible to trust, yet a value. */
  outOfRange: { code: 3, quality: 'questionable' },
  /** Moved faster than the plant can. */
  impossibleRate: { code: 4, quality: 'questionable' },
  /** PV + genset + grid + battery and load do not match. */
  powerBalance: { code: 5, quality: 'questionable' },
  /** Mean of several samples, made when the outbox ran full. */
  aggregated: { code: 6, quality: 'questionable' },
  /** The device itself says that the value is doubtful (poor signal, uncalibrated). */
  deviceDoubts: { code: 7, quality: 'questionable' },
  /** The device's own word for "no value". */
  sentinel: { code: 32, quality: 'invalid' },
  /** No answer in time. */
  timeout: { code: 33, quality: 'invalid' },
  /** The device answered with a Modbus exception. */
  exception: { code: 34, quality: 'invalid' },
  /** An answer that is none: wrong checksum, unit, function or length. */
  garbled: { code: 35, quality: 'invalid' },
  /** No connection to the bus. */
  disconnected: { code: 36, quality: 'invalid' },
  /** The device sleeps, as it does each night. */
  asleep: { code: 37, quality: 'invalid' },
  /** Words of one value that do not belong together. */
  torn: { code: 38, quality: 'invalid' },
  /** A number that the quantity cannot have: NaN, infinity, a state code that the profile does not know. */
  impossible: { code: 39, quality: 'invalid' },
  /** A part that it is made of is missing. */
  incomplete: { code: 40, quality: 'invalid' },
  /** Was measured, and left the post's full outbox before it could be sent. Marks where such a gap begins. */
  expired: { code: 41, quality: 'invalid' },
} as const satisfies Record<string, QualityFact>;

export type Reason = keyof typeof REASONS;
export const REASON_NAMES = Object.keys(REASONS) as readonly Reason[];

const byCode = new Map<number, Reason>(Object.entries(REASONS).map(([reason, fact]) => [fact.code, reason as Reason]));

export function qualityOf(reason: Reason): Quality {
  return REASONS[reason].quality;
}

export function codeOf(reason: Reason): number {
  return REASONS[reason].code;
}

/** The reason behind a stored number; `undefined` for one that this version does not know. */
export function reasonOf(code: number): Reason | undefined {
  return byCode.get(code);
}

/** True where a sample of this reason carries a value. */
export function hasValue(reason: Reason): boolean {
  return qualityOf(reason) !== 'invalid';
}

// Asked of every point of a chart: looked up once.
const GOOD = REASONS.good.code;
const AGGREGATED = REASONS.aggregated.code;

/**
 * True where a stored number counts as measured in totals and means: good, or the mean of good samples. A value that was
 * doubted when it was taken is shown with its doubt, but never credited; a reason of a later version is doubted too.
 */
export function isMeasured(code: number): boolean {
  return code === GOOD || code === AGGREGATED;
}
