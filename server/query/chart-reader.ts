// What is asked of a series for a screen or a person: its windows, the whole, and the gaps.
import type { Clock } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import { combineEach, combineWindows } from '#domain/rollup-combine.js';
import type { WindowRollup } from '#domain/series-rollup.js';
import type { Window } from '#domain/window.js';
import type { SeriesName, Store, StoreFault } from '../ports.js';
import { reachOf } from '../rollup/rebuild.js';
import type { SavedRollups } from '../rollup/rollup-service.js';
import type { SeriesSpec } from '../rollup/series-spec.js';
import { type Calendar, createCalendar } from './calendar.js';
import { cut, type Gap, readGaps } from './gap-reader.js';
import { DAY_MS, framesOf, type Layout } from './layout.js';
import type { WindowsReader } from './windows-reader.js';

export interface ChartReaderDeps {
  readonly windows: WindowsReader;
  readonly store: Pick<Store, 'rollUp'>;
  readonly saved: Pick<SavedRollups, 'rawSince'> | undefined;
  readonly clock: Clock;
  readonly calendar?: Calendar;
}

export interface ChartSeries {
  /** Side by side; those that have not begun are left out. */
  readonly frames: readonly Window[];
  /** One for each frame; `undefined` where nothing is known. */
  readonly windows: readonly (WindowRollup | undefined)[];
  /** All together, until now. */
  readonly whole: WindowRollup | undefined;
  readonly gaps: readonly Gap[];
}

export interface ChartReader {
  /** The windows of the layout that hold the range. `undefined` for a series that nobody knows. */
  read(series: SeriesName, layout: Layout, range: Window): Promise<Result<ChartSeries | undefined, StoreFault>>;
  /** The whole of a range that is not cut into windows. */
  readWhole(
    series: SeriesName,
    range: Window,
  ): Promise<Result<Pick<ChartSeries, 'whole' | 'gaps'> | undefined, StoreFault>>;
}

/** Gaps within windows are looked for in ranges up to this: behind it the coverage of each window tells of them. */
const EXACT_MS_MAX = 35 * DAY_MS;

interface Question {
  readonly series: SeriesName;
  readonly spec: SeriesSpec;
  readonly frames: readonly Window[];
  readonly range: Window;
  readonly now: number;
}

export function createChartReader(deps: ChartReaderDeps): ChartReader {
  const { calendar = createCalendar(), clock, saved, store, windows } = deps;

  /** Shorter than what is rolled up, so from the points. */
  async function fromPoints(
    { frames, now, range, series, spec }: Question,
    bucketMs: number,
  ): Promise<Result<ChartSeries, StoreFault>> {
    const known = { from: range.from, to: Math.min(range.to, now) };
    // The next point behind tells until when the last value holds.
    const buckets = Math.ceil((known.to + reachOf(spec) - known.from) / bucketMs);
    const to = Math.max(known.to, Math.min(now, known.from + buckets * bucketMs));
    const answers = await store.rollUp([{ series, ...spec, from: known.from, to, bucketMs, withGaps: true }]);
    if (!answers.ok) return failed(answers.fault);
    const { gaps = [], windows: read = [] } = answers.value[0] ?? {};
    const found = read.filter(({ from }) => from < known.to);
    return ok({
      frames,
      windows: combineEach(found, untilNow(frames, now), spec.kind),
      whole: combineWindows(found, known, spec.kind),
      gaps: gaps.flatMap((gap) => cut(gap, known)),
    });
  }

  async function fromRollups(question: Question, layout: Layout): Promise<Result<ChartSeries, StoreFault>> {
    const { frames, now, range, series, spec } = question;
    if (layout.span === 'points') return fromPoints(question, layout.aboutMs);
    const read = await windows.read(series, layout.span, range.from, range.to);
    if (!read.ok) return failed(read.fault);
    const isExact = range.to - range.from <= EXACT_MS_MAX;
    // Of a day that lacks something, its quarters tell where the points are to be asked.
    const isClose = layout.span === 'quarter' || !isExact || read.value.every(({ coverage }) => coverage === 1);
    const close = isClose ? read : await windows.read(series, 'quarter', range.from, range.to);
    if (!close.ok) return failed(close.fault);
    const rawSince = saved?.rawSince() ?? 0;
    const gaps = await readGaps(store, { series, spec, range, now, windows: close.value, rawSince, isExact });
    if (!gaps.ok) return failed(gaps.fault);
    return ok({
      frames,
      windows: combineEach(read.value, untilNow(frames, now), spec.kind),
      whole: combineWindows(read.value, { from: range.from, to: Math.min(range.to, now) }, spec.kind),
      gaps: gaps.value,
    });
  }

  return {
    async read(series, layout, range) {
      const about = windows.about(series);
      if (about === undefined) return ok(undefined);
      const now = clock.now();
      const all = framesOf(layout, range, about.zone, calendar);
      const frames = all.filter(({ from }) => from < now);
      const [first, last] = [frames[0], frames.at(-1)];
      if (first === undefined || last === undefined) return ok({ frames: [], windows: [], whole: undefined, gaps: [] });
      const { spec } = about;
      return fromRollups({ series, spec, frames, range: { from: first.from, to: last.to }, now }, layout);
    },
    async readWhole(series, range) {
      const about = windows.about(series);
      if (about === undefined) return ok(undefined);
      const now = clock.now();
      if (range.from >= Math.min(range.to, now)) return ok({ whole: undefined, gaps: [] });
      return fromPoints({ series, spec: about.spec, frames: [], range, now }, Math.min(range.to, now) - range.from);
    },
  };
}

function untilNow(frames: readonly Window[], now: number): Window[] {
  return frames.map(({ from, to }) => ({ from, to: Math.min(to, now) }));
}
