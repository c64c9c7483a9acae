// A condition with its deadband and its delays: what stands between a noisy value and an alarm. Timers count only time
// in which the input was known; an unknown input freezes them and changes nothing.

export type Condition = 'true' | 'false' | 'unknown';

/** A condition after its on-delay and off-delay. */
export interface DelayedCondition {
  /** The last confirmed word. Kept while the input is unknown; `unknown` only before the first known input. */
  readonly condition: Condition;
  /** What the input said last. */
  readonly input: Condition;
  /** When the input first contradicted `condition`; null while nothing is pending. */
  readonly pendingSince: number | null;
  /** How much of the delay has run, without the time in which the input was unknown. */
  readonly elapsedMs: number;
  /** Time of the last step; null before the first. */
  readonly at: number | null;
}

export interface Delays {
  readonly onDelayMs: number;
  readonly offDelayMs: number;
}

export function initialCondition(): DelayedCondition {
  return { condition: 'unknown', input: 'unknown', pendingSince: null, elapsedMs: 0, at: null };
}

/**
 * Compares a value with its limit. On the limit is not beyond it. Once true, it stays true until the value has come back
 * over the limit by the deadband.
 */
export function compareLimit(
  value: number,
  limit: number,
  direction: 'below' | 'above',
  deadband: number,
  wasTrue: boolean,
): 'true' | 'false' {
  const margin = wasTrue ? deadband : 0;
  const beyond = direction === 'below' ? value < limit + margin : value > limit - margin;
  return beyond ? 'true' : 'false';
}

function delayOf(condition: Condition, delays: Delays): number {
  return condition === 'true' ? delays.offDelayMs : delays.onDelayMs;
}

/** When time alone will turn the condition, if the input stays as it is; null when it will not. */
export function conditionDueAt(delayed: DelayedCondition, delays: Delays): number | null {
  if (delayed.pendingSince === null || delayed.input === 'unknown' || delayed.at === null) return null;
  return delayed.at + Math.max(0, delayOf(delayed.condition, delays) - delayed.elapsedMs);
}

/** Takes over the pending word when its delay has run out, to the millisecond: fractions of it are rounding. */
function settle(delayed: DelayedCondition, delays: Delays): DelayedCondition {
  const remainingMs = delayOf(delayed.condition, delays) - delayed.elapsedMs;
  if (delayed.pendingSince === null || remainingMs >= 0.5) return delayed;
  const condition = delayed.condition === 'true' ? 'false' : 'true';
  return { ...delayed, condition, pendingSince: null, elapsedMs: 0 };
}

/** Lets time pass with the last input, which holds until another comes. Unknown inputs hold nothing. */
function advance(previous: DelayedCondition, at: number, delays: Delays): DelayedCondition {
  const passedMs = previous.at === null ? 0 : Math.max(0, at - previous.at);
  const time = Math.max(at, previous.at ?? at);
  if (previous.input === 'unknown') return { ...previous, at: time };
  const elapsedMs = previous.pendingSince === null ? 0 : previous.elapsedMs + passedMs;
  return settle({ ...previous, elapsedMs, at: time }, delays);
}

/**
 * The condition after an input at `at`. A known input holds until the next one, so the time between two inputs counts for
 * the first; before an unknown one it does not, since nobody can say how long the first still held. A contradiction that
 * ends before its delay leaves no trace. Calls must come in the order of time; an earlier `at` counts as no time.
 */
export function stepCondition(
  previous: DelayedCondition,
  input: Condition,
  at: number,
  delays: Delays,
): DelayedCondition {
  if (input === 'unknown') return { ...previous, input, at: Math.max(at, previous.at ?? at) };
  const now = advance(previous, at, delays);
  if (now.condition === 'unknown') {
    const first: DelayedCondition = { ...now, condition: 'false', input };
    return input === 'true' ? settle({ ...first, pendingSince: at, elapsedMs: 0 }, delays) : first;
  }
  if (input === now.condition) return { ...now, input, pendingSince: null, elapsedMs: 0 };
  return settle({ ...now, input, pendingSince: now.pendingSince ?? at }, delays);
}
