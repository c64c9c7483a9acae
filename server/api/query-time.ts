// Times as people and programs write them in an address. Pure.

/** Stores keep no older ones. */
const TIME_MIN = Date.UTC(2000, 0, 1);
const YEAR_MS = 366 * 86_400_000;

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?:(Z)|([+ -])(\d{2}):?(\d{2}))$/i;

/** Epoch ms, or what is wrong with the text. A `+` that the address did not escape has become a space. */
export function parseTime(text: string, now: number): number | string {
  const at = /^-?\d{1,17}$/.test(text) ? Number(text) : parseIso(text);
  if (Number.isNaN(at))
    return 'is no time; write it with its zone, as 2026-06-21T00:00:00+05:00 or 2026-06-20T19:00:00Z, or as epoch milliseconds';
  return timeFault(at, now) ?? at;
}

/** Why no data can be of this time; `undefined` when it can. */
export function timeFault(at: number, now: number): string | undefined {
  if (at > now + YEAR_MS) return 'lies more than a year in the future';
  if (at >= TIME_MIN) return undefined;
  const hint = at > TIME_MIN / 1000 ? '; are these seconds? It wants milliseconds' : '';
  return `lies before the year 2000, from which on data is kept${hint}`;
}

function parseIso(text: string): number {
  const found = ISO.exec(text.trim());
  if (found === null) return Number.NaN;
  const [, date, time, zulu, sign, hours, minutes] = found;
  const offset = zulu === undefined ? `${sign === ' ' ? '+' : sign}${hours}:${minutes}` : 'Z';
  const at = Date.parse(`${date}T${time}${offset}`);
  // The 31st of February is taken for a day of March by some.
  const shown = new Date(Date.parse(`${date}T00:00:00Z`)).toJSON()?.slice(0, 10);
  return shown === date ? at : Number.NaN;
}
