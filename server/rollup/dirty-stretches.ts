// Which quarters of one series wait to be rolled up again: stretches, side by side ones joined. Pure.
import { QUARTER_MS } from '#domain/series-rollup.js';

/** Quarters since the epoch, `to` exclusive. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Monotonic times of the first and the last change. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** More are joined: between them lies what need not be worked out again. */
export const STRETCHES_MAX = 16;

export function quarterOf(at: number): number {
  return Math.floor(at / QUARTER_MS);
}

/** Takes a stretch into the list, which stays sorted. Gives how many were joined for want of room. */
export function addStretch(stretches: Stretch[], added: Stretch): number {
  const last = stretches.at(-1);
  // Nearly every point lies where the one before it did.
  if (last !== undefined && added.from >= last.from && added.to <= last.to) {
    stretches[stretches.length - 1] = spanOf(last, { ...added, from: last.from, to: last.to });
    return 0;
  }
  const start = stretches.findIndex(({ to }) => to >= added.from);
  if (start < 0) stretches.push(added);
  else {
    let end = start;
    let joined = added;
    for (let next = stretches[end]; next !== undefined && next.from <= added.to; next = stretches[end]) {
      joined = spanOf(joined, next);
      end += 1;
    }
    stretches.splice(start, end - start, joined);
  }
  return stretches.length > STRETCHES_MAX ? joinNearest(stretches) : 0;
}

function spanOf(a: Stretch, b: Stretch): Stretch {
  return {
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    firstAt: Math.min(a.firstAt, b.firstAt),
    lastAt: Math.max(a.lastAt, b.lastAt),
  };
}

function joinNearest(stretches: Stretch[]): number {
  let nearest = 1;
  const gapBefore = (index: number): number => (stretches[index]?.from ?? 0) - (stretches[index - 1]?.to ?? 0);
  for (let index = 2; index < stretches.length; index += 1) if (gapBefore(index) < gapBefore(nearest)) nearest = index;
  const [before, after] = [stretches[nearest - 1], stretches[nearest]];
  if (before === undefined || after === undefined) return 0;
  stretches.splice(nearest - 1, 2, spanOf(before, after));
  return 1;
}

export interface Due {
  /** Quarters from here on are not over, or their last points are still on their way. */
  readonly before: number;
  /** A change is waited for others that come with it until the list was quiet since here, or the first is older than this. */
  readonly quietSince: number;
  readonly oldest: number;
  /** At most so many quarters at a time. */
  readonly quartersMax: number;
}

/** Takes the first stretch that is due, or the part of it that is, out of the list. */
export function takeDue(stretches: Stretch[], due: Due): Stretch | undefined {
  const index = stretches.findIndex(
    ({ firstAt, from, lastAt }) => from < due.before && (lastAt <= due.quietSince || firstAt <= due.oldest),
  );
  const found = stretches[index];
  if (found === undefined) return undefined;
  const to = Math.min(found.to, due.before, found.from + due.quartersMax);
  stretches.splice(index, 1, ...(to < found.to ? [{ ...found, from: to }] : []));
  return { ...found, to };
}
