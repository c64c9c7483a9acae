// One decoded value, and the recorded sample that it may become.
import type { Reason } from './quality.js';
import { hasValue } from './quality.js';

/** Numbers for gauges and counters, words for states and texts, null where there is no value. */
export type Value = number | string | null;

/** A value of one metric of one device, in the metric's unit and sign, at its source's time. */
export interface Reading {
  readonly metric: string;
  /** null exactly when the reason's quality is invalid. */
  readonly value: Value;
  readonly reason: Reason;
  /** Source time, Unix epoch milliseconds. */
  readonly at: number;
}

/** A recorded reading, with its device. */
export interface Sample extends Reading {
  readonly device: string;
}

export function goodReading(metric: string, value: number | string, at: number): Reading {
  return { metric, value, reason: 'good', at };
}

export function invalidReading(metric: string, reason: Reason, at: number): Reading {
  if (hasValue(reason)) throw new Error(`a reading without value cannot be "${reason}"`);
  return { metric, value: null, reason, at };
}
