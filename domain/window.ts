// Windows of time: local days, months and years of a post, and fixed periods. Where the clocks change, a day has 23 or
// 25 hours; every window is found from the zone's own rules (IANA, through Intl) and never by adding 24 hours.

/** [from, to) in epoch milliseconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

interface LocalDate {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly day: number;
}

const HOUR_MS = 3_600_000;

// Building a formatter costs a hundred times its use. The memo holds nothing that a caller could tell from its absence.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, formatter);
  return formatter;
}

/** What a wall clock in the zone shows at this moment, as if it were UTC, in whole seconds. */
function wallClock(at: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const part of formatterOf(zone).formatToParts(at)) parts[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Milliseconds that the zone's wall clock is ahead of UTC at this moment. */
export function zoneOffsetMs(at: number, zone: string): number {
  return wallClock(at, zone) - Math.floor(at / 1000) * 1000;
}

/** True for a name that the zone rules of this machine know. For configuration, at the door. */
export function isZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

function localDate(at: number, zone: string): LocalDate {
  const local = new Date(wallClock(at, zone));
  return { year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate() };
}

/** The first moment whose local date is this date or later. Day and month may overflow, as in Date.UTC. */
function startOf(date: LocalDate, zone: string): number {
  const midnight = Date.UTC(date.year, date.month - 1, date.day);
  // 15 hours before UTC's midnight it is before midnight everywhere. That offset still holds at midnight unless the clocks
  // change in between; where they show midnight twice, it finds the first.
  const guess = midnight - zoneOffsetMs(midnight - 15 * HOUR_MS, zone);
  if (wallClock(guess, zone) === midnight) return guess;
  // No zone is further than 15 hours from UTC. Search also finds days that begin at 01:00, or not at all.
  let before = Math.floor(midnight / 1000) - (26 * HOUR_MS) / 1000;
  let after = before + (52 * HOUR_MS) / 1000;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (wallClock(middle * 1000, zone) >= midnight) after = middle;
    else before = middle;
  }
  return after * 1000;
}

function windowAround(at: number, zone: string, nth: (date: LocalDate, shift: number) => LocalDate): Window {
  const date = localDate(at, zone);
  let shift = 0;
  let from = startOf(nth(date, 0), zone);
  let to = startOf(nth(date, 1), zone);
  // Where a zone turned its clocks back over midnight, or left a day out, the date alone does not find the window.
  while (at >= to) {
    shift += 1;
    from = to;
    to = startOf(nth(date, shift + 1), zone);
  }
  while (at < from) {
    shift -= 1;
    to = from;
    from = startOf(nth(date, shift), zone);
  }
  return { from, to };
}

/** The local day around `at` in the IANA zone. Throws a RangeError for a zone that does not exist (see `isZone`). */
export function dayWindow(at: number, zone: string): Window {
  return windowAround(at, zone, (date, shift) => ({ ...date, day: date.day + shift }));
}

/** The local calendar month around `at`. */
export function monthWindow(at: number, zone: string): Window {
  return windowAround(at, zone, (date, shift) => ({ ...date, month: date.month + shift, day: 1 }));
}

/** The local calendar year around `at`. */
export function yearWindow(at: number, zone: string): Window {
  return windowAround(at, zone, (date, shift) => ({ year: date.year + shift, month: 1, day: 1 }));
}

/** The last multiple of the period that is not after `at`. Counts from the epoch, so it knows no zone. */
export function alignDown(at: number, periodMs: number): number {
  return Math.floor(at / periodMs) * periodMs;
}
