// The last door before a reading may become a sample: what the wire could not carry is invalid, never sent half.
import { WORD_LENGTH_MAX } from '#contract/column.js';
import { hasValue, type Reason } from '#domain/quality.js';
import type { Reading, Value } from '#domain/reading.js';

/** The reading with a whole time, minus zero as zero, and null exactly where its reason says that there is no value. */
export function cleanReading(reading: Reading): Reading {
  const at = Number.isFinite(reading.at) ? Math.max(0, Math.round(reading.at)) : 0;
  if (reading.reason === 'good' && isCleanNumber(reading.value))
    return Object.is(at, reading.at) ? reading : { ...reading, at };
  const [value, reason] = cleanValue(reading.value, reading.reason);
  return { metric: reading.metric, value, reason, at };
}

/** What nearly every reading has. */
function isCleanNumber(value: Value): boolean {
  return typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0);
}

function cleanValue(value: Value, reason: Reason): [Value, Reason] {
  if (!hasValue(reason)) return [null, reason];
  if (value === null) return [null, 'impossible'];
  if (typeof value === 'string') return value.length <= WORD_LENGTH_MAX ? [value, reason] : [null, 'impossible'];
  if (!Number.isFinite(value)) return [null, 'impossible'];
  return [value === 0 ? 0 : value, reason];
}
