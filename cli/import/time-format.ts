// Times as loggers write them: by a pattern of letters, on a wall clock of a zone.
import { failed, ok, type Result } from '#domain/result.js';
import { zoneOffsetMs } from '#domain/window.js';

const PARTS = {
  YYYY: ['year', '(\\d{4})'],
  YY: ['shortYear', '(\\d{2})'],
  MM: ['month', '(\\d{1,2})'],
  DD: ['day', '(\\d{1,2})'],
  HH: ['hour', '(\\d{1,2})'],
  hh: ['hour12', '(\\d{1,2})'],
  mm: ['minute', '(\\d{1,2})'],
  ss: ['second', '(\\d{1,2})'],
  SSS: ['millisecond', '(\\d{1,3})'],
  A: ['half', '([AaPp][Mm])'],
} as const;
const PART = /YYYY|YY|MM|DD|HH|hh|mm|SSS|ss|A/g;
const WORDS = ['iso', 'epoch-s', 'epoch-ms'];

type Fields = Partial<Record<(typeof PARTS)[keyof typeof PARTS][0], string>>;

/** `iso`, `epoch-s`, `epoch-ms`, or a pattern that tells at least a day. */
export function isTimeFormat(format: string): boolean {
  const parts: readonly string[] = format.match(PART) ?? [];
  return WORDS.includes(format) || (/YY/.test(format) && parts.includes('MM') && parts.includes('DD'));
}

export interface TimeRules {
  readonly format: string;
  readonly zone: string | undefined;
  readonly repeatedHour: 'order' | 'first' | 'second' | 'reject';
}

export interface TimeFault {
  /** `IMPORT_TIME`: not of this format. `IMPORT_TIME_NEVER`: skipped by the clocks. `IMPORT_TIME_TWICE`: shown twice. */
  readonly code: 'IMPORT_TIME' | 'IMPORT_TIME_NEVER' | 'IMPORT_TIME_TWICE';
  readonly message: string;
}

/** Reads the times of one file in order: of an hour that comes twice the order tells which one is meant. */
export function createTimeReader(rules: TimeRules): (text: string) => Result<number, TimeFault> {
  const wallOf = wallReader(rules.format);
  const candidates = createCandidates(rules.zone ?? 'UTC');
  let last = Number.NEGATIVE_INFINITY;
  return (text) => {
    const read = wallOf(text.trim());
    if (read === undefined)
      return failed({ code: 'IMPORT_TIME', message: `"${text}" is no time of the form ${rules.format}` });
    if (read.zoned) return ok(read.at);
    if (rules.zone === undefined)
      return failed({ code: 'IMPORT_TIME', message: `"${text}" does not say of which zone it is: write time.zone` });
    const [first, second] = candidates(read.at);
    if (first === undefined)
      return failed({ code: 'IMPORT_TIME_NEVER', message: `no clock of ${rules.zone} showed "${text}"` });
    const at = second === undefined ? first : chosen(first, second, last, rules.repeatedHour);
    if (at === undefined)
      return failed({ code: 'IMPORT_TIME_TWICE', message: `the clocks of ${rules.zone} showed "${text}" twice` });
    last = at;
    return ok(at);
  };
}

function chosen(first: number, second: number, last: number, rule: TimeRules['repeatedHour']): number | undefined {
  if (rule === 'reject') return undefined;
  if (rule === 'order') return first > last ? first : second;
  return rule === 'first' ? first : second;
}

/** The moments at which a zone's wall clock shows a time: none, one or two, in order. Asked anew each quarter only. */
function createCandidates(zone: string): (wall: number) => number[] {
  const QUARTER_MS = 900_000;
  const REACH_MS = 15 * 3_600_000;
  let quarter = Number.NaN;
  let offsets: number[] = [];
  return (wall) => {
    const now = Math.floor(wall / QUARTER_MS);
    if (now !== quarter) {
      quarter = now;
      const start = now * QUARTER_MS;
      const near = new Set([zoneOffsetMs(start - REACH_MS, zone), zoneOffsetMs(start + REACH_MS, zone)]);
      // Clocks change on whole quarters.
      offsets = [...near].filter((offset) => zoneOffsetMs(start - offset, zone) === offset).sort((a, b) => b - a);
    }
    return offsets.map((offset) => wall - offset);
  };
}

type Wall = { readonly at: number; readonly zoned: boolean } | undefined;

/** Epoch ms, as if the wall clock were UTC where the text has no zone of its own. */
function wallReader(format: string): (text: string) => Wall {
  if (format === 'iso') return isoWall;
  if (format === 'epoch-s' || format === 'epoch-ms') {
    const unitMs = format === 'epoch-s' ? 1000 : 1;
    return (text) =>
      /^-?\d+(\.\d+)?$/.test(text) ? { at: Math.round(Number(text) * unitMs), zoned: true } : undefined;
  }
  const names: (keyof Fields)[] = [];
  const pattern = format
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(PART, (part) => {
      const [name, digits] = PARTS[part as keyof typeof PARTS];
      names.push(name);
      return digits;
    })
    .replace(/\s+/g, '\\s+');
  const expression = new RegExp(`^${pattern}$`);
  return (text) => {
    const found = expression.exec(text);
    if (found === null) return undefined;
    const fields: Fields = Object.fromEntries(names.map((name, place) => [name, found[place + 1]]));
    const at = utcOf(fields);
    return at === undefined ? undefined : { at, zoned: false };
  };
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3})\d*)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/;

function isoWall(text: string): Wall {
  const found = ISO.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone] = found;
  const millisecond = fraction.padEnd(3, '0');
  const at = utcOf({ year, month, day, hour, minute, second, millisecond } as Fields);
  if (at === undefined) return undefined;
  if (zone === undefined) return { at, zoned: false };
  const [hours, minutes] = zone === 'Z' ? [0, 0] : [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', ''))];
  const offsetMs = (hours * 60 + minutes) * 60_000;
  return { at: zone.startsWith('-') ? at + offsetMs : at - offsetMs, zoned: true };
}

/** `undefined` for a date that no calendar has: 31 April, 25 o'clock. */
function utcOf(fields: Fields): number | undefined {
  const number = (name: keyof Fields, preset = 0): number => Number(fields[name] ?? preset);
  const year = fields.shortYear === undefined ? number('year') : 2000 + number('shortYear');
  const half = fields.half?.toLowerCase();
  const hour = fields.hour12 === undefined ? number('hour') : (number('hour12') % 12) + (half === 'pm' ? 12 : 0);
  const parts = [year, number('month', 1) - 1, number('day', 1), hour, number('minute'), number('second')] as const;
  const date = new Date(Date.UTC(...parts, number('millisecond')));
  const same = [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return same.every((part, place) => part === parts[place]) ? date.getTime() : undefined;
}
