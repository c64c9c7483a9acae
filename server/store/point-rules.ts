// What both stores take: the type that a metric holds, and the years.
import { isNumeric, metricOf } from '#domain/metric.js';
import type { Value } from '#domain/reading.js';
import type { Point, RefusedPoint, StoreFault } from '../ports.js';

/** 2000-01-01 and 2200-01-01: every store keeps such times exactly, and no clock that means it is outside. */
export const TIME_MIN = 946_684_800_000;
export const TIME_MAX = 7_258_118_400_000;

export type ValueType = 'number' | 'text';

/** The type that the vocabulary gives a metric; `undefined` for a metric that it does not know. */
export function declaredType(metric: string): ValueType | undefined {
  const known = metricOf(metric);
  if (known === undefined) return undefined;
  return isNumeric(known.kind) ? 'number' : 'text';
}

export function typeOfValue(value: Exclude<Value, null>): ValueType {
  return typeof value === 'string' ? 'text' : 'number';
}

/** Longest text that both stores keep. */
const TEXT_BYTES_MAX = 32_000;

/**
 * Why a point can never be stored; `undefined` when it can. `typeOf` tells what a metric outside the vocabulary has held
 * until now.
 */
export function refusalOf(
  point: Point,
  typeOf: (metric: string) => ValueType | undefined,
): RefusedPoint['code'] | undefined {
  if (!Number.isInteger(point.at) || point.at < TIME_MIN || point.at >= TIME_MAX) return 'STORE_TIME';
  const { value } = point;
  if (value === null) return undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) return 'STORE_TYPE';
  if (typeof value === 'string' && Buffer.byteLength(value) > TEXT_BYTES_MAX) return 'STORE_TYPE';
  const type = declaredType(point.metric) ?? typeOf(point.metric);
  return type === undefined || type === typeOfValue(value) ? undefined : 'STORE_TYPE';
}

export function unavailable(message: string): { readonly ok: false; readonly fault: StoreFault } {
  return { ok: false, fault: { code: 'STORE_UNAVAILABLE', message } };
}
