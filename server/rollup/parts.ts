// How windows are cut into parts that can be kept, and how parts, counters and posts add up. Pure.
// A part of which nothing is known adds nothing and leaves its share uncovered; a sum of nothing but such parts is null.
import type { Total, Totals } from '#contract/view.js';
import { TOTAL_NAMES } from '#domain/flow.js';
import { dayWindow, type Window } from '#domain/window.js';

const HOUR_MS = 3_600_000;

export interface Part {
  readonly window: Window;
  /** How much of it has passed. */
  readonly lengthMs: number;
  readonly increase: number | null;
  readonly coverage: number;
}

export interface SeriesTotal {
  readonly value: number | null;
  readonly coverage: number;
}

/** The month up to now: whole days before today, and the hours of today, counted from its midnight. */
export function partsOf(month: Window, day: Window, now: number, zone: string): Window[] {
  const parts: Window[] = [];
  for (let at = month.from; at < day.from; ) {
    const window = dayWindow(at, zone);
    const to = Math.min(window.to, day.from);
    parts.push({ from: at, to });
    at = to;
  }
  for (let at = day.from; at < now; at += HOUR_MS) parts.push({ from: at, to: Math.min(at + HOUR_MS, day.to) });
  return parts;
}

/** Parts of one counter, side by side. */
export function addParts(parts: readonly Part[]): SeriesTotal {
  let lengthMs = 0;
  let coveredMs = 0;
  for (const part of parts) {
    lengthMs += part.lengthMs;
    coveredMs += part.coverage * part.lengthMs;
  }
  return { value: sumOf(parts.map(({ increase }) => increase)), coverage: lengthMs > 0 ? coveredMs / lengthMs : 0 };
}

/** Several counters of one quantity, or several posts. Each counts as much for the coverage. */
export function sumTotals(totals: readonly SeriesTotal[]): SeriesTotal {
  const covered = totals.reduce((sum, { coverage }) => sum + coverage, 0);
  return {
    value: sumOf(totals.map(({ value }) => value)),
    coverage: totals.length > 0 ? floorShare(covered / totals.length) : 0,
  };
}

/** Four digits are enough for a person, and do not change with every sample. Down: nearly complete is not complete. */
function floorShare(share: number): number {
  return Math.floor(share * 10_000 + 1e-6) / 10_000;
}

function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** All posts together. The zone is theirs where they share one; the window then reaches from the first midnight to now. */
export function fleetTotals(posts: readonly Totals[], now: number): Totals {
  const zones = new Set(posts.map(({ zone }) => zone));
  const [zone = 'UTC'] = zones.size === 1 ? zones : [];
  const totals: Totals['totals'] = {};
  for (const name of TOTAL_NAMES) {
    const parts = posts.map((post) => post.totals[name]).filter((total): total is Total => total !== undefined);
    const [first] = parts;
    if (first !== undefined) totals[name] = { ...sumTotals(parts), unit: first.unit, method: first.method };
  }
  return { from: Math.min(now, ...posts.map(({ from }) => from)), to: now, zone, totals };
}
