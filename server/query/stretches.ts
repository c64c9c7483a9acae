// Stretches of time side by side: joining them, and what lies between them. Pure.
import type { Window } from '#domain/window.js';

/** The same time as stretches that neither touch nor overlap, by start, cut to the window. */
export function joinStretches(stretches: readonly Window[], window: Window): Window[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const cut = { from: Math.max(from, window.from), to: Math.min(to, window.to) };
    if (cut.to <= cut.from) continue;
    const last = joined.at(-1);
    if (last !== undefined && cut.from <= last.to) last.to = Math.max(last.to, cut.to);
    else joined.push(cut);
  }
  return joined;
}

export function overlaps(stretches: readonly Window[], { from, to }: Window): boolean {
  return stretches.some((stretch) => stretch.from < to && stretch.to > from);
}

/** True where one of the stretches holds the whole window. */
export function holds(stretches: readonly Window[], { from, to }: Window): boolean {
  return stretches.some((stretch) => stretch.from <= from && stretch.to >= to);
}

/** In pieces of at most so long. */
export function* piecesOf({ from, to }: Window, lengthMs: number): Iterable<Window> {
  for (let at = from; at < to; at += lengthMs) yield { from: at, to: Math.min(at + lengthMs, to) };
}
