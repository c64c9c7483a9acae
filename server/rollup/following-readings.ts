// Where a counter's next readings are: a late one before them changes their steps, however far away they lie.

import { failed, ok, type Result } from '#domain/result.js';
import { QUARTER_MS, type WindowRollup } from '#domain/series-rollup.js';
import type { Window } from '#domain/window.js';
import type { RollupStore, StoreFault } from '../ports.js';
import type { Piece } from './rebuild.js';

const DAY_MS = 86_400_000;
/** A doubt needs three that agree, and the one behind them is measured from the last. */
const READINGS = 4;

/** @param until quarters from here on are rolled up when they are over */
export async function followingReadings(
  rollups: Pick<RollupStore, 'readRollups'>,
  pieces: readonly Piece[],
  until: number,
): Promise<Result<Piece[], StoreFault>> {
  const counters = pieces.filter(({ spec }) => spec.kind === 'counter');
  const found = await Promise.all(counters.map((piece) => followOne(rollups, piece, until * QUARTER_MS)));
  const following: Piece[] = [];
  for (const one of found) {
    if (!one.ok) return failed(one.fault);
    if (one.value !== undefined) following.push(one.value);
  }
  return ok(following);
}

async function followOne(
  rollups: Pick<RollupStore, 'readRollups'>,
  piece: Piece,
  until: number,
): Promise<Result<Piece | undefined, StoreFault>> {
  if (piece.to >= until) return ok(undefined);
  // Nearly always the next day has some. Behind an outage days tell where to look.
  const nextDay = { from: piece.to, to: Math.min(until, piece.to + DAY_MS) };
  const found = await readingsIn(rollups, piece, [nextDay]);
  if (!found.ok || countOf(found.value) >= READINGS || nextDay.to === until) return spanOf(piece, found);
  const days = await rollups.readRollups(piece.series, 'day', nextDay.from, until);
  if (!days.ok) return failed(days.fault);
  const places = days.value.filter(({ count, to }) => count > 0 && to > nextDay.to).slice(0, READINGS + 1);
  const later = places.map(({ from, to }) => ({ from: Math.max(from, nextDay.to), to: Math.min(to, until) }));
  return spanOf(piece, await readingsIn(rollups, piece, [nextDay, ...later]));
}

/** Quarters with readings, until there are enough. */
async function readingsIn(
  rollups: Pick<RollupStore, 'readRollups'>,
  { series }: Piece,
  places: readonly Window[],
): Promise<Result<WindowRollup[], StoreFault>> {
  const found: WindowRollup[] = [];
  for (const { from, to } of places) {
    const read = await rollups.readRollups(series, 'quarter', from, to);
    if (!read.ok) return failed(read.fault);
    for (const window of read.value) {
      if (window.count > 0) found.push(window);
      if (countOf(found) >= READINGS) return ok(found);
    }
  }
  return ok(found);
}

function countOf(windows: readonly WindowRollup[]): number {
  return windows.reduce((sum, { count }) => sum + count, 0);
}

function spanOf(piece: Piece, found: Result<WindowRollup[], StoreFault>): Result<Piece | undefined, StoreFault> {
  if (!found.ok) return found;
  const [first, last] = [found.value[0], found.value.at(-1)];
  return ok(first === undefined || last === undefined ? undefined : { ...piece, from: first.from, to: last.to });
}
