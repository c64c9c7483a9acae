// Where nothing is known of a series, and why: found among its windows, and explained by the points around.
import { failed, ok, type Result } from '#domain/result.js';
import type { GapPart } from '#domain/rollup.js';
import type { WindowRollup } from '#domain/series-rollup.js';
import type { Window } from '#domain/window.js';
import type { SeriesName, Store, StoreFault } from '../ports.js';
import { reachOf } from '../rollup/rebuild.js';
import type { SeriesSpec } from '../rollup/series-spec.js';
import { joinStretches } from './stretches.js';

/** A gap of which the points were not asked has no `code`. */
export type Gap = Omit<GapPart, 'code'> & Partial<Pick<GapPart, 'code'>>;

/** Coverages are sums of shares: a window that lacks less than this lacks nothing. */
const NOTHING = 1e-9;
/** So many stretches, the longest, are explained. */
const EXPLAINED_MAX = 200;

export interface GapQuestion {
  readonly series: SeriesName;
  readonly spec: SeriesSpec;
  /** What is known in the range, by start. */
  readonly windows: readonly WindowRollup[];
  readonly range: Window;
  readonly now: number;
  /** Points before this may be gone: nothing explains gaps there. */
  readonly rawSince: number;
  /** Also look into windows of which a part is known. Else only those of which nothing is are gaps. */
  readonly isExact: boolean;
}

/** Gaps by time. */
export async function readGaps(
  store: Pick<Store, 'rollUp'>,
  question: GapQuestion,
): Promise<Result<readonly Gap[], StoreFault>> {
  const { now, range, rawSince, series, spec } = question;
  const gaps = gapStretches(question);
  const asked = joinStretches(gaps, { from: Math.max(rawSince, range.from), to: range.to })
    .toSorted((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, EXPLAINED_MAX);
  const answers = await store.rollUp(
    asked.map(({ from, to }) => {
      // The next point behind tells until when the last value holds.
      const end = Math.min(Math.max(to, now), to + reachOf(spec));
      return { series, ...spec, from, to: end, bucketMs: end - from, withGaps: true };
    }),
  );
  if (!answers.ok) return failed(answers.fault);
  const explained = asked.flatMap((stretch, index) =>
    (answers.value[index]?.gaps ?? []).flatMap((gap) => cut(gap, stretch)),
  );
  const others = gaps.flatMap((gap) => outside(gap, asked));
  return ok([...explained, ...others].sort((a, b) => a.from - b.from));
}

/** The parts of the range, until now, of which windows know nothing, or not all. */
function gapStretches({ isExact, now, range, windows }: GapQuestion): Window[] {
  const stretches: Window[] = [];
  const end = Math.min(range.to, now);
  let at = range.from;
  for (const { coverage, from, to } of windows) {
    if (from > at) stretches.push({ from: at, to: from });
    if (isExact ? coverage < 1 - NOTHING : coverage === 0) stretches.push({ from, to });
    at = Math.max(at, to);
  }
  if (at < end) stretches.push({ from: at, to: end });
  return joinStretches(stretches, { from: range.from, to: end });
}

/** The gap within the stretch; none where they do not meet. */
export function cut<T extends Window>(gap: T, stretch: Window): T[] {
  const [from, to] = [Math.max(gap.from, stretch.from), Math.min(gap.to, stretch.to)];
  return from < to ? [{ ...gap, from, to }] : [];
}

/** What of a stretch is in none of the others. */
function outside({ from, to }: Window, others: readonly Window[]): Window[] {
  const left: Window[] = [];
  let at = from;
  for (const other of joinStretches(others, { from, to })) {
    if (other.from > at) left.push({ from: at, to: other.from });
    at = other.to;
  }
  if (at < to) left.push({ from: at, to });
  return left;
}
