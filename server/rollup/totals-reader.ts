// Totals as the rest of the server sees them.
import type { Totals } from '#contract/view.js';
import type { Window } from '#domain/window.js';

export interface TotalsPair {
  readonly today: Totals;
  readonly month: Totals;
}

/** Last known totals, from memory. They are refreshed behind it. */
export interface TotalsReader {
  /** Without any total until the store has been read for this post. */
  ofPost(post: string): TotalsPair;
  ofFleet(): TotalsPair;
  /** Calls the listener with a post whose totals changed. */
  subscribe(listener: (post: string) => void): () => void;
}

/** A window of which nothing is known yet. */
export function emptyTotals(window: Window, zone: string): Totals {
  return { from: window.from, to: window.to, zone, totals: {} };
}
