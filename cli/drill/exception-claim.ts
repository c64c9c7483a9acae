// The exception rule in the drill's own words: when a reading may be left out because the last sample says the same.
import type { RecordingRule } from '#domain/exception-rule.js';
import type { Produced } from './ledger.js';

export type RuleOf = (device: string, metric: string) => RecordingRule | undefined;

/** Times that a gateway learnt are exact to a second. */
const SLACK_MS = 1000;

/** @param reference the last reading before this one that became a sample */
export function mayBeLeftOut(
  rule: RecordingRule | undefined,
  reference: Produced,
  reading: Produced,
  batchPeriodMs: number,
): boolean {
  if (rule === undefined || reading.reason !== reference.reason) return false;
  const elapsedMs = timeOf(reading) - timeOf(reference);
  if (elapsedMs < -SLACK_MS || elapsedMs > rule.heartbeatMs + SLACK_MS) return false;
  if (rule.kind === 'counter') return elapsedMs < batchPeriodMs + SLACK_MS;
  const [before, now] = [reference.value, reading.value];
  if (rule.kind !== 'gauge' || typeof before !== 'number' || typeof now !== 'number') return before === now;
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = rule.watch ?? {};
  if ((now < low && before >= low) || (now > high && before <= high)) return false;
  // The last bits of a binary difference are no movement.
  const bits = 1e-12 * Math.max(1, Math.abs(before), Math.abs(now));
  return Math.abs(now - before) <= (rule.deadband ?? 0) + bits;
}

function timeOf({ clockAt, trueAt }: Produced): number {
  return clockAt ?? trueAt;
}
