// Numbers, units, ages and dates as people read them. The same on the server and in every browser: browsers have no Tajik in
// `Intl` and would fall back to English or to the phone's language, so nothing here depends on a locale.
import type { Unit } from '#domain/quantity.js';
import type { Texts } from './en.js';

const MINUS = '\u2212';
const NBSP = '\u00a0';
const NO_VALUE = '–';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A number and its unit, apart, because screens set them in different sizes. `unit` is empty for a pure number. */
export interface Quantity {
  readonly number: string;
  readonly unit: string;
}

/** `value` with a fixed count of decimals, groups of three set apart by NBSP from five digits on, and a true minus sign. */
export function formatNumber(value: number, decimals: number, texts: Texts): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const [whole = '0', fraction] = Math.abs(value).toFixed(decimals).split('.');
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, texts.numbers.group) : whole;
  const digits = fraction === undefined ? grouped : `${grouped}${texts.numbers.decimal}${fraction}`;
  const isZero = !/[1-9]/.test(digits);
  return value < 0 && !isZero ? `${MINUS}${digits}` : digits;
}

type UnitWord = keyof Texts['units'];
/** From `from` on, a value is shown in `unit`, divided by `by`. Largest first. */
type Prefix = readonly [from: number, unit: UnitWord, by: number];
const PREFIXES: Partial<Record<Unit, readonly Prefix[]>> = {
  W: [
    [1e6, 'MW', 1e6],
    [1e3, 'kW', 1e3],
  ],
  Wh: [
    [1e7, 'MWh', 1e6],
    [1e3, 'kWh', 1e3],
  ],
  VA: [[1e3, 'kVA', 1e3]],
  var: [[1e3, 'kvar', 1e3]],
};

const DECIMALS: Partial<Record<UnitWord, number>> = { W: 0, Wh: 0, VA: 0, var: 0, 'W/m²': 0, kPa: 0, Hz: 2, '°C': 1 };

/** Three digits that matter, never more than two decimals: 4.56, 45.6, 456. A zero is a plain zero. */
function usualDecimals(value: number): number {
  const size = Math.abs(value);
  if (size >= 99.95 || size === 0) return 0;
  return size >= 9.995 ? 1 : 2;
}

function decimalsFor(value: number, unit: UnitWord): number {
  if (unit === '%') return Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  if (unit === '1') return Number.isInteger(value) ? 0 : 2;
  if (unit === 'V') return Math.abs(value) >= 100 ? 0 : 1;
  return DECIMALS[unit] ?? usualDecimals(value);
}

/** A value in the unit of its metric, with the prefix that keeps it short: 1234 W → `1.23` `kW`. Seconds become a duration. */
export function formatQuantity(value: number, unit: Unit | undefined, texts: Texts): Quantity {
  if (unit === 's') {
    if (value !== 0 && Math.abs(value) < 1)
      return { number: formatNumber(value * 1000, 0, texts), unit: texts.units.ms };
    return { number: formatDuration(value * SECOND_MS, texts), unit: '' };
  }
  const prefix = unit === undefined ? undefined : PREFIXES[unit]?.find(([from]) => Math.abs(value) >= from);
  const word: UnitWord = prefix?.[1] ?? unit ?? '1';
  const shown = prefix === undefined ? value : value / prefix[2];
  return { number: formatNumber(shown, decimalsFor(shown, word), texts), unit: texts.units[word] };
}

/** Number and unit in one line: `1.23 kW`, `54 %`. A missing value is a dash. */
export function formatValue(value: number | null, unit: Unit | undefined, texts: Texts): string {
  if (value === null || !Number.isFinite(value)) return NO_VALUE;
  const quantity = formatQuantity(value, unit, texts);
  return quantity.unit === '' ? quantity.number : `${quantity.number}${NBSP}${quantity.unit}`;
}

/**
 * A share 0..1 as percent. Rounded down, so that only a full share reads 100 %; a share below half a percent but not zero
 * reads `<1 %`.
 */
export function formatShare(share: number, texts: Texts): string {
  const percent = Math.floor(share * 100 + 1e-9);
  const number = percent === 0 && share > 0 ? `<${formatNumber(1, 0, texts)}` : formatNumber(percent, 0, texts);
  return `${number}${NBSP}%`;
}

/** How long something lasts, in the one or two units that matter: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(durationMs: number, texts: Texts): string {
  const { units } = texts;
  const part = (count: number, unit: UnitWord): string => `${formatNumber(count, 0, texts)}${NBSP}${units[unit]}`;
  const two = (whole: number, unit: UnitWord, rest: number, restUnit: UnitWord): string =>
    rest === 0 ? part(whole, unit) : `${part(whole, unit)} ${part(rest, restUnit)}`;
  const size = Math.abs(durationMs);
  const sign = durationMs < 0 ? MINUS : '';
  const seconds = Math.floor(size / SECOND_MS);
  if (seconds < 60) return sign + part(seconds, 's');
  const minutes = Math.floor(size / MINUTE_MS);
  if (minutes < 60) return sign + part(minutes, 'min');
  const hours = Math.floor(size / HOUR_MS);
  if (hours < 24) return sign + two(hours, 'h', minutes % 60, 'min');
  return sign + two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** Below this an age is `now`: nobody needs to see a link's own delay flicker. */
const NOW_MS = 5 * SECOND_MS;
/** A post's clock may be this far ahead of the server's before it is said. */
const AHEAD_MS = 10 * SECOND_MS;

/** How old something is: `now`, `12 s ago`, `3 min ago`, `3 h ago`, `2 d ago`. Negative ages say that a clock is ahead. */
export function formatAge(ageMs: number, texts: Texts): string {
  if (ageMs < -AHEAD_MS) return texts.time.ahead(formatDuration(-ageMs, texts));
  if (ageMs < NOW_MS) return texts.time.now;
  const whole = ageMs >= DAY_MS ? DAY_MS : ageMs >= HOUR_MS ? HOUR_MS : 0;
  return texts.time.ago(formatDuration(whole === 0 ? ageMs : Math.floor(ageMs / whole) * whole, texts));
}

/** A count of bytes: `940 B`, `84 kB`, `1.25 MB`. Decimal prefixes, as tariffs have them. */
export function formatBytes(bytes: number, texts: Texts): string {
  const [size, unit]: [number, UnitWord] =
    bytes >= 1e6 ? [bytes / 1e6, 'MB'] : bytes >= 1e3 ? [bytes / 1e3, 'kB'] : [bytes, 'B'];
  const decimals = unit === 'MB' ? usualDecimals(size) : 0;
  return `${formatNumber(size, decimals, texts)}${NBSP}${texts.units[unit]}`;
}

/** Local calendar parts of an instant. `weekday` 0 is Sunday, `month` 1 is January. */
export interface ZonedParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
}

const calendars = new Map<string, Intl.DateTimeFormat>();

function calendarOf(zone: string): Intl.DateTimeFormat {
  const known = calendars.get(zone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat;
  const options = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const;
  try {
    made = new Intl.DateTimeFormat('en-US', { ...options, hourCycle: 'h23', timeZone: zone });
  } catch {
    made = new Intl.DateTimeFormat('en-US', { ...options, hourCycle: 'h23', timeZone: 'UTC' });
  }
  calendars.set(zone, made);
  return made;
}

/** The calendar of an IANA zone. English parts are read as numbers; an unknown zone is read as UTC. */
export function zonedParts(at: number, zone: string): ZonedParts {
  const fields: Record<string, number> = {};
  for (const part of calendarOf(zone).formatToParts(at)) fields[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return { year, month, day, hour: hour % 24, minute, second, weekday };
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** `14:05` in the zone. */
export function formatTime(at: number, zone: string): string {
  const { hour, minute } = zonedParts(at, zone);
  return `${pad(hour)}:${pad(minute)}`;
}

/** `14:05:09` in the zone. */
export function formatTimeExact(at: number, zone: string): string {
  return `${formatTime(at, zone)}:${pad(zonedParts(at, zone).second)}`;
}

/** `24 Nov` in the zone. */
export function formatDay(at: number, zone: string, texts: Texts): string {
  const { day, month } = zonedParts(at, zone);
  return `${day}${NBSP}${texts.time.months[month - 1] ?? ''}`;
}

/** `24 Nov 2026` in the zone. */
export function formatDate(at: number, zone: string, texts: Texts): string {
  return `${formatDay(at, zone, texts)} ${zonedParts(at, zone).year}`;
}

/** `24 Nov 2026, 14:05` in the zone. */
export function formatDateTime(at: number, zone: string, texts: Texts): string {
  return `${formatDate(at, zone, texts)}, ${formatTime(at, zone)}`;
}

/** Name of the month of an instant, with its year: `November 2026`. */
export function formatMonth(at: number, zone: string, texts: Texts): string {
  const { month, year } = zonedParts(at, zone);
  return `${texts.time.monthNames[month - 1] ?? ''} ${year}`;
}
