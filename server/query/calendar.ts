// Local days, months and years, each found once: the rules of a zone cost more than all else that a long chart asks for.
import { dayWindow, monthWindow, type Window, yearWindow } from '#domain/window.js';

const AROUND = { day: dayWindow, month: monthWindow, year: yearWindow };
export type LocalSpan = keyof typeof AROUND;

/** Two centuries of days. More zones than that share the room. */
const WINDOWS_MAX = 80_000;

export interface Calendar {
  /** The local day, month or year around `at`. */
  around(span: LocalSpan, at: number, zone: string): Window;
  /** All of them that hold a part of [from, to). */
  over(span: LocalSpan, range: Window, zone: string): Window[];
}

/** It keeps nothing that a caller could tell from its absence. */
export function createCalendar(windowsMax = WINDOWS_MAX): Calendar {
  const known = new Map<string, Map<number, Window>>();
  let size = 0;

  function around(span: LocalSpan, at: number, zone: string): Window {
    const key = `${span}/${zone}`;
    const found = known.get(key)?.get(at);
    if (found !== undefined) return found;
    const window = AROUND[span](at, zone);
    if (size >= windowsMax) {
      known.clear();
      size = 0;
    }
    const kept = known.get(key) ?? new Map<number, Window>();
    known.set(key, kept);
    // By its start, by which the one before it leads to it.
    kept.set(window.from, window);
    size += 1;
    return window;
  }

  return {
    around,
    over(span, { from, to }, zone) {
      const windows: Window[] = [];
      for (let at = from; at < to; ) {
        const window = around(span, at, zone);
        windows.push(window);
        at = window.to;
      }
      return windows;
    },
  };
}
