// The exception rule: which readings are recorded. It stands before the outbox, so that a sample, once made, is never
// dropped. What it leaves out is known all the same: a gauge without a sample did not leave its deadband.
import type { MetricKind } from './metric.js';
import type { Reading, Value } from './reading.js';

export interface RecordingRule {
  readonly kind: MetricKind;
  /** How far a gauge may move from its last sample unrecorded, in the metric's unit. Without it every change counts. */
  readonly deadband?: number;
  /** The longest time without a sample, so that "unchanged" and "not measured" can be told apart. */
  readonly heartbeatMs: number;
  /** A gauge that goes below `low` or above `high`, or comes back, is told at once. */
  readonly watch?: { readonly low?: number; readonly high?: number };
}

/** -1 below the watch limits, 1 above, 0 between them. */
function watchSide(rule: RecordingRule, value: number): -1 | 0 | 1 {
  if (rule.watch?.low !== undefined && value < rule.watch.low) return -1;
  if (rule.watch?.high !== undefined && value > rule.watch.high) return 1;
  return 0;
}

function leftDeadband(rule: RecordingRule, last: number, value: number): boolean {
  if (rule.deadband === undefined) return value !== last;
  // 20.3 − 20.2 is a hair more than 0.1 in binary; the last bits of a difference are no movement of the plant.
  const roundingMax = 4 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(last));
  return Math.abs(value - last) > rule.deadband + roundingMax;
}

function gaugeMoved(rule: RecordingRule, last: Value, value: Value): boolean {
  if (typeof last !== 'number' || typeof value !== 'number') return last !== value;
  if (leftDeadband(rule, last, value)) return true;
  // Out over a watch limit always counts. The way back must also leave the deadband, so that a value that
  // dances on its limit does not send at every poll.
  const side = watchSide(rule, value);
  return side !== 0 && side !== watchSide(rule, last);
}

function changed(rule: RecordingRule, last: Reading, reading: Reading): boolean {
  if (reading.reason !== last.reason) return true;
  if (rule.kind === 'counter') return false;
  if (rule.kind === 'gauge') return gaugeMoved(rule, last.value, reading.value);
  return reading.value !== last.value;
}

/**
 * True when this reading is recorded.
 * @param last the metric's last *sample*, not its last reading: many small steps must not slip through one by one
 * @param context `full`: somebody attends, or the post records everything; `counterDue`: first poll of this batch
 */
export function isSample(
  rule: RecordingRule,
  last: Reading | undefined,
  reading: Reading,
  context: { readonly full: boolean; readonly counterDue: boolean },
): boolean {
  if (context.full || last === undefined) return true;
  if (rule.kind === 'counter' && context.counterDue) return true;
  if (changed(rule, last, reading)) return true;
  const elapsedMs = reading.at - last.at;
  // Below zero the clock was set back; waiting for the heartbeat could then take for ever.
  return elapsedMs >= rule.heartbeatMs || elapsedMs < 0;
}

/**
 * True when this reading cannot wait for the batch: a state changed, the quality changed, a watch limit was crossed.
 * What is urgent is always a sample too. The first reading of all is urgent only outside its watch limits: the snapshot
 * after the birth carries the others.
 */
export function isUrgent(rule: RecordingRule, last: Reading | undefined, reading: Reading): boolean {
  const gaugeSide = rule.kind === 'gauge' && typeof reading.value === 'number' ? watchSide(rule, reading.value) : 0;
  if (last === undefined) return gaugeSide !== 0;
  if (reading.reason !== last.reason) return true;
  if (rule.kind === 'state') return reading.value !== last.value;
  if (rule.kind !== 'gauge' || typeof last.value !== 'number') return false;
  return gaugeSide !== watchSide(rule, last.value) && gaugeMoved(rule, last.value, reading.value);
}
