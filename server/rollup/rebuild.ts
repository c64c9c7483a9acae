// Works out quarters again where the points are, and the days, months and years that hold them, and saves all together.

import { failed, ok, type Result } from '#domain/result.js';
import { GAP_FACTOR } from '#domain/rollup.js';
import { combineEach } from '#domain/rollup-combine.js';
import {
  QUARTER_MS,
  type RollupJob,
  type RollupSpan,
  type SeriesRollup,
  type WindowRollup,
} from '#domain/series-rollup.js';
import { alignDown, dayWindow, monthWindow, type Window, yearWindow } from '#domain/window.js';
import type { SeriesName, StoreFault } from '../ports.js';
import type { SeriesSpec } from './series-spec.js';

/** Whole quarters of one series, epoch ms. */
export interface Piece<Series = SeriesName> {
  readonly series: Series;
  readonly spec: SeriesSpec;
  readonly zone: string;
  readonly from: number;
  readonly to: number;
}

/** A series' windows of one span: all that there are from now on within from ≤ start < to. */
export interface RollupPatch<Series = SeriesName> {
  readonly series: Series;
  readonly span: RollupSpan;
  readonly from: number;
  readonly to: number;
  readonly windows: readonly WindowRollup[];
}

/** What rebuilding asks of a store, whichever way series are named there. */
export interface RebuildDeps<Series = SeriesName> {
  rollUp(
    questions: readonly (RollupJob & { readonly series: Series })[],
  ): Promise<Result<readonly Pick<SeriesRollup, 'windows'>[], StoreFault>>;
  readRollups(
    series: Series,
    span: RollupSpan,
    from: number,
    to: number,
  ): Promise<Result<readonly WindowRollup[], StoreFault>>;
  saveRollups(patches: readonly RollupPatch<Series>[]): Promise<Result<void, StoreFault>>;
}

const CONTAINERS = [
  { span: 'day', windowAround: dayWindow },
  { span: 'month', windowAround: monthWindow },
  { span: 'year', windowAround: yearWindow },
] as const;

/** A value holds no longer than this without the next one: a point says nothing of windows that are further away. */
export function reachOf({ expectedEveryMs }: Pick<SeriesSpec, 'expectedEveryMs'>): number {
  return GAP_FACTOR * expectedEveryMs;
}

/** Points of a stretch say something about the windows around it: a value holds on, and the one before no longer does. */
export function widen(from: number, to: number, { expectedEveryMs }: SeriesSpec): Window {
  const reachMs = reachOf({ expectedEveryMs });
  return { from: alignDown(from - reachMs, QUARTER_MS), to: alignDown(to + reachMs - 1, QUARTER_MS) + QUARTER_MS };
}

/**
 * @param pieces no series twice: the days of one are made of quarters as they are saved
 * @param rawSince points before this may be gone, epoch ms
 * @returns how many quarters were worked out
 */
export async function rebuild<Series>(
  deps: RebuildDeps<Series>,
  pieces: readonly Piece<Series>[],
  rawSince: number,
): Promise<Result<number, StoreFault>> {
  if (pieces.length === 0) return ok(0);
  const answers = await deps.rollUp(
    // Until when the last value holds is told by the next one, or by the silence behind it.
    pieces.map(({ series, spec, from, to }) => ({
      series,
      ...spec,
      from,
      to: alignDown(to + reachOf(spec) - 1, QUARTER_MS) + QUARTER_MS,
      bucketMs: QUARTER_MS,
    })),
  );
  if (!answers.ok) return failed(answers.fault);
  const windowsAround = createContainers();
  const found = await Promise.all(
    pieces.map((piece, index) => {
      const windows = answers.value[index]?.windows ?? [];
      const inside = windows.filter(({ from }) => from < piece.to);
      return patchesOf(deps, piece, inside, piece.from < rawSince, windowsAround);
    }),
  );
  const patches: RollupPatch<Series>[] = [];
  for (const one of found) {
    if (!one.ok) return failed(one.fault);
    patches.push(...one.value);
  }
  const saved = await deps.saveRollups(patches);
  if (!saved.ok) return failed(saved.fault);
  return ok(pieces.reduce((sum, { from, to }) => sum + (to - from) / QUARTER_MS, 0));
}

async function patchesOf<Series>(
  deps: RebuildDeps<Series>,
  piece: Piece<Series>,
  found: readonly WindowRollup[],
  mayLack: boolean,
  windowsAround: ReturnType<typeof createContainers>,
): Promise<Result<RollupPatch<Series>[], StoreFault>> {
  const { from, series, spec, to, zone } = piece;
  const quarters = mayLack ? await keepRicher(deps, piece, found) : ok(found);
  if (!quarters.ok) return failed(quarters.fault);
  let fresh: RollupPatch<Series> = { series, span: 'quarter', windows: quarters.value, from, to };
  const patches = [fresh];
  for (const container of CONTAINERS) {
    const windows = windowsAround(fresh, zone, container);
    const [start, end] = [windows[0]?.from ?? fresh.from, windows.at(-1)?.to ?? fresh.to];
    const parts = await partsOf(deps, fresh, { from: start, to: end });
    if (!parts.ok) return parts;
    const combined = combineEach(parts.value, windows, spec.kind).filter((window) => window !== undefined);
    fresh = { series, span: container.span, windows: combined, from: start, to: end };
    patches.push(fresh);
  }
  return ok(patches);
}

/** Where points may be gone, what was saved while there were more of them stands. */
async function keepRicher<Series>(
  deps: RebuildDeps<Series>,
  { from, series, to }: Piece<Series>,
  found: readonly WindowRollup[],
): Promise<Result<readonly WindowRollup[], StoreFault>> {
  const saved = await deps.readRollups(series, 'quarter', from, to);
  if (!saved.ok) return failed(saved.fault);
  return ok(richestOf(saved.value, found));
}

/** Of two rollups of a window the one that knows more points; by start. */
export function richestOf(saved: readonly WindowRollup[], found: readonly WindowRollup[]): WindowRollup[] {
  const richest = new Map(saved.map((window) => [window.from, window]));
  for (const window of found)
    if (window.count > (richest.get(window.from)?.count ?? -1)) richest.set(window.from, window);
  return [...richest.values()].sort((a, b) => a.from - b.from);
}

/** {@link windowsOver}, asked for once of each range: zone rules are slow, and pieces are often of the same days. */
function createContainers(): (range: Window, zone: string, container: (typeof CONTAINERS)[number]) => Window[] {
  const known = new Map<string, Window[]>();
  return ({ from, to }, zone, { span, windowAround }) => {
    const key = `${span}/${zone}/${from}/${to}`;
    const windows = known.get(key) ?? windowsOver({ from, to }, zone, windowAround);
    known.set(key, windows);
    return windows;
  };
}

/** The windows that hold these, side by side. */
export function windowsOver({ from, to }: Window, zone: string, around: typeof dayWindow): Window[] {
  const windows: Window[] = [];
  for (let at = from; at < to; ) {
    const window = around(at, zone);
    windows.push(window);
    at = window.to;
  }
  return windows;
}

/** The shorter windows within the longer ones: the new ones, and around them those that are saved. */
async function partsOf<Series>(
  deps: RebuildDeps<Series>,
  fresh: RollupPatch<Series>,
  all: Window,
): Promise<Result<WindowRollup[], StoreFault>> {
  const parts: WindowRollup[] = [...fresh.windows];
  if (all.from < fresh.from) {
    const before = await deps.readRollups(fresh.series, fresh.span, all.from, fresh.from);
    if (!before.ok) return failed(before.fault);
    parts.unshift(...before.value);
  }
  if (fresh.to < all.to) {
    const after = await deps.readRollups(fresh.series, fresh.span, fresh.to, all.to);
    if (!after.ok) return failed(after.fault);
    parts.push(...after.value);
  }
  return ok(parts);
}
