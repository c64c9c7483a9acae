// Rollups: what a window says about a series, and how much of the window that rests on. Every point holds from its time
// until the next one; where the next is late, the point holds only as long as it promised. Nothing is interpolated.
import { type CounterSpec, type CounterStep, EMPTY_CHAIN, followCounter } from './counter.js';
import { isMeasured, REASONS } from './quality.js';
import type { Window } from './window.js';

/** A stored point. `code` is the reason of `domain/quality.ts`; `value` is null where that says there is no value. */
export interface SeriesPoint {
  readonly at: number;
  readonly value: number | null;
  readonly code: number;
}

export interface CounterRollup {
  /** null where no step was seen in the window. */
  readonly increase: number | null;
  /** 0..1, time in the window between or behind measured points. */
  readonly coverage: number;
  /** The increase is a lower bound, or part of it may belong to the window before. */
  readonly estimated: boolean;
  readonly events: readonly { readonly at: number; readonly kind: CounterStep['kind'] }[];
}

export interface GaugeRollup {
  /** Measured points inside the window. Zero with a mean is usual: an unmoved gauge records little. */
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  /** Weighted by the time that each value held. */
  readonly mean: number | null;
  readonly first: number | null;
  readonly last: number | null;
  readonly coverage: number;
}

/**
 * One sample may be lost on the way and the next come late by half a period; two missing ones are a gap. Twice would
 * call every lost sample with a little jitter a gap, three times would hide the loss of two.
 */
export const GAP_FACTOR = 2.5;

/** A value and the time in which it is known to have held. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

function measuredValue(point: SeriesPoint): number | null {
  return point.value !== null && Number.isFinite(point.value) && isMeasured(point.code) ? point.value : null;
}

/** Until when the point at `index` holds, at most until `end`. */
function holdsUntil(points: readonly SeriesPoint[], index: number, end: number, expectedEveryMs: number): number {
  const at = points[index]?.at ?? end;
  const next = points[index + 1]?.at ?? Math.max(at, end);
  return next - at <= GAP_FACTOR * expectedEveryMs ? next : at + expectedEveryMs;
}

/** The spans of all measured points, cut to the window. */
function spansOf(points: readonly SeriesPoint[], window: Window, expectedEveryMs: number): Span[] {
  const spans: Span[] = [];
  for (const [index, point] of points.entries()) {
    const value = measuredValue(point);
    if (value === null || point.at >= window.to) continue;
    const from = Math.max(point.at, window.from);
    const to = Math.min(holdsUntil(points, index, window.to, expectedEveryMs), window.to);
    if (to > from) spans.push({ from, to, value });
  }
  return spans;
}

function coverageOf(spans: readonly Span[], window: Window): number {
  const lengthMs = window.to - window.from;
  if (lengthMs <= 0) return 0;
  let coveredMs = 0;
  for (const span of spans) coveredMs += span.to - span.from;
  return Math.min(1, coveredMs / lengthMs);
}

/**
 * The increase of a counter in a window. A step belongs to the window in which it ends, so that windows side by side add up
 * to the whole without knowing one another. Over a gap the increase is right (the register counted on); only where the
 * window begins inside the gap may a part of it belong before, and it is marked as estimated.
 * @param points sorted by time; those before the window serve as its base, and more than one lets doubts settle
 * @param expectedEveryMs the longest time between two points while all is well: the batch period of a counter
 */
export function rollCounter(
  points: readonly SeriesPoint[],
  window: Window,
  spec: CounterSpec,
  expectedEveryMs: number,
): CounterRollup {
  let chain = EMPTY_CHAIN;
  let increase: number | null = null;
  let estimated = false;
  const events: { at: number; kind: CounterStep['kind'] }[] = [];
  for (const point of points) {
    if (point.at >= window.to) break;
    const value = measuredValue(point);
    if (value === null) continue;
    const base = chain.base;
    const followed = followCounter(chain, { value, at: point.at }, spec);
    const doubtBegan = followed.chain.quarantined.length === 1 && followed.chain.doubt !== 'reset';
    chain = followed.chain;
    if (point.at < window.from) continue;
    if (doubtBegan && followed.chain.doubt !== null) events.push({ at: point.at, kind: followed.chain.doubt });
    if (followed.step === null || base === null) continue;
    const { step } = followed;
    increase = (increase ?? 0) + step.increase;
    if (step.kind === 'reset') events.push({ at: followed.doubtAt ?? point.at, kind: 'reset' });
    if (step.kind === 'rollover') events.push({ at: point.at, kind: 'rollover' });
    const overGap = point.at - base.at > GAP_FACTOR * expectedEveryMs;
    if (step.estimated || (overGap && base.at < window.from)) estimated = true;
  }
  if (chain.doubt !== null) estimated = true;
  return { increase, coverage: coverageOf(spansOf(points, window, expectedEveryMs), window), estimated, events };
}

function rollSpans(spans: readonly Span[], points: readonly SeriesPoint[], window: Window): GaugeRollup {
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let first: number | null = null;
  let last: number | null = null;
  let weighted = 0;
  let coveredMs = 0;
  for (const { from, to, value } of spans) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    first ??= value;
    last = value;
    weighted += value * (to - from);
    coveredMs += to - from;
  }
  for (const point of points) if (measuredValue(point) !== null) count += 1;
  const coverage = coverageOf(spans, window);
  if (coveredMs === 0) return { count, min: null, max: null, mean: null, first: null, last: null, coverage };
  // Rounding must not carry the mean of equal values past them.
  const mean = Math.min(max, Math.max(min, weighted / coveredMs));
  return { count, min, max, mean, first, last, coverage };
}

/**
 * What a gauge did in a window. A value recorded before the window counts in it as long as it holds.
 * @param points sorted by time; may begin with the last one before the window and go beyond it
 * @param expectedEveryMs the heartbeat of the recording rule: an unmoved gauge is silent for so long
 */
export function rollGauge(points: readonly SeriesPoint[], window: Window, expectedEveryMs: number): GaugeRollup {
  const inside = points.filter((point) => point.at >= window.from && point.at < window.to);
  return rollSpans(spansOf(points, window, expectedEveryMs), inside, window);
}

/** The same per bucket of `bucketMs`, counted from the start of the window; the last one may be shorter. */
export function bucketGauge(
  points: readonly SeriesPoint[],
  window: Window,
  bucketMs: number,
  expectedEveryMs: number,
): { readonly at: number; readonly rollup: GaugeRollup }[] {
  const buckets: { at: number; rollup: GaugeRollup }[] = [];
  const spans = spansOf(points, window, expectedEveryMs);
  let spanIndex = 0;
  let pointIndex = points.findIndex((point) => point.at >= window.from);
  if (pointIndex < 0) pointIndex = points.length;
  for (let at = window.from; at < window.to; at += bucketMs) {
    const bucket = { from: at, to: Math.min(at + bucketMs, window.to) };
    const cut: Span[] = [];
    while (spanIndex < spans.length) {
      const span = spans[spanIndex];
      if (span === undefined || span.from >= bucket.to) break;
      if (span.to > bucket.from) {
        cut.push({
          from: Math.max(span.from, bucket.from),
          to: Math.min(span.to, bucket.to),
          value: span.value,
        });
      }
      if (span.to > bucket.to) break;
      spanIndex += 1;
    }
    const start = pointIndex;
    while (pointIndex < points.length && (points[pointIndex]?.at ?? bucket.to) < bucket.to) pointIndex += 1;
    buckets.push({ at, rollup: rollSpans(cut, points.slice(start, pointIndex), bucket) });
  }
  return buckets;
}

/** The parts of the window in which nothing measured is known, in order, as [from, to). */
export function gapsOf(points: readonly SeriesPoint[], window: Window, expectedEveryMs: number): [number, number][] {
  const gaps: [number, number][] = [];
  let known = window.from;
  for (const span of spansOf(points, window, expectedEveryMs)) {
    if (span.from > known) gaps.push([known, span.from]);
    known = Math.max(known, span.to);
  }
  if (known < window.to) gaps.push([known, window.to]);
  return gaps;
}

/** A part of a gap with one cause. */
export interface GapPart {
  readonly from: number;
  readonly to: number;
  /** Reason code of the point that holds here; null where nothing is stored at all. */
  readonly code: number | null;
}

/**
 * The same gaps, cut where their cause changes. A point that is not measured tells the cause until the next point, or as long
 * as it promised; `expired` until the next point, for what left the outbox is exactly what no point stands for.
 */
export function gapPartsOf(points: readonly SeriesPoint[], window: Window, expectedEveryMs: number): GapPart[] {
  const parts: GapPart[] = [];
  let index = -1;
  for (const [from, to] of gapsOf(points, window, expectedEveryMs)) {
    let at = from;
    while (at < to) {
      while ((points[index + 1]?.at ?? to) <= at) index += 1;
      const next = Math.min(points[index + 1]?.at ?? to, to);
      const held = Math.min(Math.max(at, causeHoldsUntil(points, index, to, expectedEveryMs)), next);
      if (held > at) pushPart(parts, { from: at, to: held, code: points[index]?.code ?? null });
      if (next > held) pushPart(parts, { from: held, to: next, code: null });
      at = next;
    }
  }
  return parts;
}

function causeHoldsUntil(points: readonly SeriesPoint[], index: number, end: number, expectedEveryMs: number): number {
  const point = points[index];
  if (point === undefined || point.code === REASONS.good.code || measuredValue(point) !== null)
    return Number.NEGATIVE_INFINITY;
  return point.code === REASONS.expired.code ? end : holdsUntil(points, index, end, expectedEveryMs);
}

function pushPart(parts: GapPart[], part: GapPart): void {
  const last = parts.at(-1);
  if (last?.to === part.from && last.code === part.code) parts[parts.length - 1] = { ...last, to: part.to };
  else parts.push(part);
}
