// Dates as the browser's own field gives them, in the zone of a post.
import { dayWindow, zoneOffsetMs } from '#domain/window.js';
import { zonedParts } from '#texts/format.js';

const pad = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-24` of an instant. */
export function dateOf(at: number, zone: string): string {
  const { year, month, day } = zonedParts(at, zone);
  return `${year}-${pad(month)}-${pad(day)}`;
}

/** The start of the day so many days before that of an instant. */
export function daysBack(at: number, days: number, zone: string): number {
  let { from } = dayWindow(at, zone);
  for (let day = 0; day < days; day += 1) ({ from } = dayWindow(from - 1, zone));
  return from;
}

/** Where a date begins in the zone; `undefined` for what is no date, not yet, or longer ago than `daysMax`. */
export function startOfDate(date: string, zone: string, now: number, daysMax: number): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  const noon = Date.parse(`${date}T12:00:00Z`);
  if (!Number.isFinite(noon)) return undefined;
  const { from } = dayWindow(noon - zoneOffsetMs(noon, zone), zone);
  return from > now || from < daysBack(now, daysMax, zone) ? undefined : from;
}
