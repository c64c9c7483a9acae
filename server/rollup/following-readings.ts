// Where a counter's next readings are: a late one before them changes their steps, however far away they lie.

import { failed, ok, type Result } from '#domain/result.js';
import { QUARTER_MS } from '#domain/series-rollup.js';
import type { RollupStore, StoreFault } from '../ports.js';
import type { Piece } from './rebuild.js';

const DAY_MS = 86_400_000;
/** A doubt needs three that agree, and the one behind them is measured from the last. */
const READINGS = 4;
/** Nearly always the next day has some; an outage of a season is looked through in few steps. */
const STEPS_MS = [DAY_MS, 31 * DAY_MS, 366 * DAY_MS];

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
  let readings = 0;
  let first: number | undefined;
  let from = piece.to;
  for (let step = 0; from < until; step += 1) {
    const to = Math.min(until, from + (STEPS_MS[Math.min(step, STEPS_MS.length - 1)] ?? DAY_MS));
    const read = await rollups.readRollups(piece.series, 'quarter', from, to);
    if (!read.ok) return failed(read.fault);
    for (const window of read.value) {
      if (window.count === 0) continue;
      first ??= window.from;
      readings += window.count;
      if (readings >= READINGS) return ok({ ...piece, from: first, to: window.to });
    }
    from = to;
  }
  return ok(first === undefined ? undefined : { ...piece, from: first, to: Math.max(first + QUARTER_MS, until) });
}
