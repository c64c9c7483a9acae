// Into which windows a range is cut: as fine as a screen can show, and never finer. Pure.
import { QUARTER_MS, type RollupSpan } from '#domain/series-rollup.js';
import { alignDown, type Window, zoneOffsetMs } from '#domain/window.js';
import type { Calendar } from './calendar.js';

export const DAY_MS = 86_400_000;
const MONTH_MS = 30.436875 * DAY_MS;

/** Windows of `times` spans side by side, or of points. */
export interface Layout {
  /** `points`: the windows are shorter than what is rolled up. */
  readonly span: RollupSpan | 'points';
  readonly times: number;
  /** Length of a window; about, where days and longer ones differ. */
  readonly aboutMs: number;
}

const POINTS_S = [1, 5, 10, 30, 60, 120, 300, 600];
const QUARTERS = [1, 2, 4, 8, 12, 24, 48];

/** All layouts, the finest first. */
const LAYOUTS: readonly Layout[] = [
  ...POINTS_S.map((seconds): Layout => ({ span: 'points', times: 1, aboutMs: seconds * 1000 })),
  ...QUARTERS.map((times): Layout => ({ span: 'quarter', times, aboutMs: times * QUARTER_MS })),
  ...[1, 2, 7].map((times): Layout => ({ span: 'day', times, aboutMs: times * DAY_MS })),
  ...[1, 3].map((times): Layout => ({ span: 'month', times, aboutMs: times * MONTH_MS })),
  { span: 'year', times: 1, aboutMs: 12 * MONTH_MS },
];
const COARSEST: Layout = { span: 'year', times: 1, aboutMs: 12 * MONTH_MS };

/** The finest layout with at most so many windows: with their extremes that is about two points for each. */
export function chooseLayout({ from, to }: Window, windowsMax: number): Layout {
  return LAYOUTS.find(({ aboutMs }) => (to - from) / aboutMs <= windowsMax) ?? COARSEST;
}

/** Windows of one span as they are rolled up. */
export function layoutOf(span: RollupSpan): Layout {
  return LAYOUTS.find((layout) => layout.span === span && layout.times === 1) ?? COARSEST;
}

/**
 * The windows that hold the range. They stand where those of any other range do, so that two requests for one day are answered
 * with the same windows: quarters from UTC's midnight, weeks from Monday, three months from January.
 */
export function framesOf({ aboutMs, span, times }: Layout, range: Window, zone: string, calendar: Calendar): Window[] {
  if (span === 'points' || span === 'quarter') {
    const frames: Window[] = [];
    for (let from = alignDown(range.from, aboutMs); from < range.to; from += aboutMs)
      frames.push({ from, to: from + aboutMs });
    return frames;
  }
  const first = calendar.around(span, range.from, zone);
  const behind = placeOf(span, first, zone) % times;
  const start = stepBack(calendar, span, first, zone, behind);
  // The last one is whole too.
  const parts = calendar.over(span, { from: start.from, to: range.to }, zone);
  while (parts.length % times !== 0) parts.push(calendar.around(span, parts.at(-1)?.to ?? range.to, zone));
  const frames: Window[] = [];
  for (let i = 0; i < parts.length; i += times) {
    const [one, last] = [parts[i], parts[i + times - 1]];
    if (one !== undefined && last !== undefined) frames.push({ from: one.from, to: last.to });
  }
  return frames;
}

/** Which day since a Monday, or which month since a January, this one is. */
function placeOf(span: 'day' | 'month' | 'year', { from }: Window, zone: string): number {
  const local = from + zoneOffsetMs(from, zone);
  if (span === 'day') return Math.floor(local / DAY_MS) + 3;
  const date = new Date(local);
  return span === 'month' ? date.getUTCMonth() : date.getUTCFullYear();
}

function stepBack(
  calendar: Calendar,
  span: 'day' | 'month' | 'year',
  window: Window,
  zone: string,
  times: number,
): Window {
  let at = window;
  for (let i = 0; i < times; i += 1) at = calendar.around(span, at.from - 1, zone);
  return at;
}
