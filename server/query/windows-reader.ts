// What windows say about a series, true to every point that is stored now: saved rollups where they know every point, and the
// points themselves where they do not yet. The one place where the two come together.
import type { Birth } from '#contract/session.js';
import type { Clock } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import { combineEach } from '#domain/rollup-combine.js';
import { QUARTER_MS, type RollupSpan, type WindowRollup } from '#domain/series-rollup.js';
import { alignDown, type Window } from '#domain/window.js';
import type { PostConfig } from '../config.js';
import type { SeriesName, Store, StoreFault } from '../ports.js';
import type { CounterEvents } from '../rollup/counter-events.js';
import { followingReadings } from '../rollup/following-readings.js';
import { reachOf, richestOf, widen } from '../rollup/rebuild.js';
import type { SavedRollups } from '../rollup/rollup-service.js';
import { type SeriesSpec, specOf } from '../rollup/series-spec.js';
import { type Calendar, createCalendar, type LocalSpan } from './calendar.js';
import { holds, joinStretches, overlaps, piecesOf } from './stretches.js';

export interface WindowsReaderDeps {
  readonly posts: readonly Pick<PostConfig, 'id' | 'zone'>[];
  readonly birthOf: (post: string) => Birth | undefined;
  readonly counterEvents: Pick<CounterEvents, 'ofSeries'>;
  readonly store: Pick<Store, 'rollUp'>;
  /** `undefined` where the store keeps no rollups: all is worked out from points. */
  readonly saved: SavedRollups | undefined;
  readonly clock: Clock;
  readonly calendar?: Calendar;
}

export interface WindowsReader {
  /**
   * Windows with `from` ≤ start < `to`, by start; none where nothing is known, and none for a series that nobody knows. A quarter
   * is aligned to UTC, the longer ones to the post's zone. A window that is not over ends now, and its coverage is that of the
   * part that has passed. A point that is stored while this reads may be in the answer or not.
   */
  read(
    series: SeriesName,
    span: RollupSpan,
    from: number,
    to: number,
  ): Promise<Result<readonly WindowRollup[], StoreFault>>;
  /** How a series is rolled up, and in which zone; `undefined` for one that neither its post nor the vocabulary knows. */
  about(series: SeriesName): { readonly spec: SeriesSpec; readonly zone: string } | undefined;
  /** True when these windows are over, and only late data can change what they say. */
  isClosed(series: SeriesName, to: number): boolean;
}

/** What a longer window is made of. */
const PARTS = { day: 'quarter', month: 'day', year: 'month' } as const satisfies Record<LocalSpan, RollupSpan>;

/** A question about points is no longer than this: the store answers others between questions. */
const PIECE_MS = 31 * 96 * QUARTER_MS;
/** Data that comes while a series is read makes it be read again, so often. */
const TRIES = 3;

type Windows = Result<readonly WindowRollup[], StoreFault>;

/** One series as it is to be read. */
interface Task {
  readonly series: SeriesName;
  readonly spec: SeriesSpec;
  readonly zone: string;
  readonly now: number;
  /** Where only the points know all. */
  readonly untrue: readonly Window[];
}

export function createWindowsReader(deps: WindowsReaderDeps): WindowsReader {
  const zones = new Map(deps.posts.map(({ id, zone }) => [id, zone]));
  const { calendar = createCalendar(), clock, saved } = deps;

  function about(series: SeriesName): { spec: SeriesSpec; zone: string } | undefined {
    const spec = specOf(deps.birthOf(series.post), series, deps.counterEvents.ofSeries(series));
    return spec && { spec, zone: zones.get(series.post) ?? 'UTC' };
  }

  async function readOnce(task: Task, span: RollupSpan, from: number, to: number): Promise<Windows> {
    if (span === 'quarter') return readQuarters(deps, task, from, to);
    const windows = calendar.over(span, { from, to }, task.zone).filter((window) => window.from >= from);
    const found: WindowRollup[] = [];
    for (const run of runsOf(windows, ({ from, to }) => to > task.now || overlaps(task.untrue, { from, to }))) {
      const [start, end] = [run.windows[0]?.from ?? from, run.windows.at(-1)?.to ?? from];
      const read = await (run.isApart || saved === undefined
        ? readOnce(task, PARTS[span], start, end)
        : saved.read(task.series, span, start, end));
      if (!read.ok) return read;
      if (!run.isApart && saved !== undefined) found.push(...read.value);
      else {
        const passed = run.windows.map(({ from, to }) => ({ from, to: Math.min(to, task.now) }));
        found.push(...combineEach(read.value, passed, task.spec.kind).filter((window) => window !== undefined));
      }
    }
    return ok(found);
  }

  return {
    about,
    async read(series, span, from, to) {
      const known = about(series);
      if (known === undefined || to <= from) return ok([]);
      const { spec, zone } = known;
      // Longer windows begin before `to` and end behind it.
      const whole = span === 'quarter' ? { from, to } : { from, to: calendar.around(span, to - 1, zone).to };
      for (let tries = 1; ; tries += 1) {
        const untrue = await untrueOf(deps, { series, spec, zone }, whole);
        if (!untrue.ok) return failed(untrue.fault);
        const found = await readOnce({ series, spec, zone, now: clock.now(), untrue: untrue.value }, span, from, to);
        if (!found.ok || tries === TRIES) return found;
        const isStill = waitingOf({ clock, saved }, series, spec, whole).every((window) => holds(untrue.value, window));
        if (isStill) return found;
      }
    },
    isClosed(series, to) {
      const spec = about(series)?.spec;
      if (spec === undefined) return to <= clock.now();
      if (saved === undefined) return to <= clock.now() - reachOf(spec);
      // What waits before changes the steps of a counter behind it too.
      const waiting = saved.waiting(series).map(({ from, to }) => widen(from, to, spec));
      return to <= openFrom(clock, saved, spec) && waiting.every(({ from }) => from >= to);
    },
  };
}

/** Whether the newest value still holds shows itself only now. */
function openFrom(clock: Clock, saved: SavedRollups, spec: SeriesSpec): number {
  return Math.min(saved.overUntil(), alignDown(clock.now() - reachOf(spec), QUARTER_MS));
}

/** Where what is saved may lack points, by what waits for the refresher. */
function waitingOf(
  { clock, saved }: Pick<WindowsReaderDeps, 'clock' | 'saved'>,
  series: SeriesName,
  spec: SeriesSpec,
  whole: Window,
): readonly Window[] {
  if (saved === undefined) return [];
  const waiting = saved.waiting(series).map(({ from, to }) => widen(from, to, spec));
  return joinStretches([...waiting, { from: openFrom(clock, saved, spec), to: Number.POSITIVE_INFINITY }], whole);
}

/** The same, with the readings of a counter whose steps are measured from what waits. */
async function untrueOf(
  { clock, saved }: Pick<WindowsReaderDeps, 'clock' | 'saved'>,
  { series, spec, zone }: Pick<Task, 'series' | 'spec' | 'zone'>,
  whole: Window,
): Promise<Result<readonly Window[], StoreFault>> {
  if (saved === undefined) return ok([whole]);
  const everywhere = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const waiting = waitingOf(
    { clock, saved },
    series,
    spec,
    spec.kind === 'counter' ? { ...everywhere, to: whole.to } : whole,
  );
  const pieces = waiting.map((window) => ({ ...window, series, spec, zone }));
  const until = Math.ceil(Math.min(clock.now(), whole.to) / QUARTER_MS);
  const following = await followingReadings({ readRollups: saved.read }, pieces, until);
  if (!following.ok) return following;
  return ok(joinStretches([...waiting, ...following.value], whole));
}

async function readQuarters(
  { saved, store }: Pick<WindowsReaderDeps, 'saved' | 'store'>,
  { now, series, spec, untrue }: Task,
  from: number,
  to: number,
): Promise<Windows> {
  const whole = { from: ceilQuarter(from), to: ceilQuarter(to) };
  const apart = joinStretches(untrue, whole);
  const isAllApart = holds(apart, whole);
  const rawSince = saved?.rawSince() ?? 0;
  const needsSaved = saved !== undefined && (!isAllApart || whole.from < rawSince);
  const kept = needsSaved ? await saved.read(series, 'quarter', whole.from, whole.to) : ok([]);
  if (!kept.ok) return kept;
  const fresh: WindowRollup[] = [];
  for (const stretch of apart)
    for (const piece of piecesOf({ from: stretch.from, to: Math.min(stretch.to, now) }, PIECE_MS)) {
      // The next point behind tells until when the last value holds.
      const to = Math.min(now, ceilQuarter(piece.to + reachOf(spec)));
      const answers = await store.rollUp([{ series, ...spec, from: piece.from, to, bucketMs: QUARTER_MS }]);
      if (!answers.ok) return failed(answers.fault);
      fresh.push(...(answers.value[0]?.windows ?? []).filter((window) => window.from < piece.to));
    }
  // Where points may be gone, what was saved while there were more of them stands.
  const stands = kept.value.filter((window) => window.from < rawSince || !overlaps(apart, window));
  return ok(richestOf(stands, fresh));
}

function ceilQuarter(at: number): number {
  return alignDown(at + QUARTER_MS - 1, QUARTER_MS);
}

interface Run {
  readonly isApart: boolean;
  readonly windows: Window[];
}

/** Windows side by side that are read the same way. */
function runsOf(windows: readonly Window[], isApart: (window: Window) => boolean): Run[] {
  const runs: Run[] = [];
  for (const window of windows) {
    const apart = isApart(window);
    const last = runs.at(-1);
    if (last?.isApart === apart) last.windows.push(window);
    else runs.push({ isApart: apart, windows: [window] });
  }
  return runs;
}
