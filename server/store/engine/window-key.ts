// How blocks and rollups are numbered, so that those of one series stand side by side.

/** 2000-01-01: no store takes earlier times. */
const FIRST_MS = 946_684_800_000;
export const WINDOW_MS = 7_200_000;
/** More than the windows until 2200. */
export const WINDOWS_OF_SERIES = 2 ** 20;
export const WINDOWS_OF_DAY = 12;

export function windowOf(at: number): number {
  return Math.floor((at - FIRST_MS) / WINDOW_MS);
}

export function startOf(window: number): number {
  return FIRST_MS + window * WINDOW_MS;
}

export function blockKey(series: number, window: number): number {
  return series * WINDOWS_OF_SERIES + window;
}

export function seriesOfKey(key: number): number {
  return Math.floor(key / WINDOWS_OF_SERIES);
}

export function windowOfKey(key: number): number {
  return key % WINDOWS_OF_SERIES;
}
