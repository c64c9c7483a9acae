// Windows as a table: a row for each, with what it rests on.
import type { RollupSpan, WindowRollup } from '#domain/series-rollup.js';
import type { Window } from '#domain/window.js';
import type { KnownSeries } from '../api/query-request.js';
import type { WindowsReader } from '../query/windows-reader.js';
import { type Cell, ExportError, type ExportTable } from './table.js';
import { createZoneTimes, type ZoneTimes } from './zone-time.js';

const HEADS = [
  'from',
  'to',
  'post',
  'device',
  'metric',
  'unit',
  'count',
  'coverage',
  'min',
  'max',
  'mean',
  'first',
  'last',
  'increase',
  'estimated',
  'seconds in each state',
] as const;

const PART_MS = 31 * 86_400_000;

/** Series by series, by start. A window that is not over ends now. */
export function windowTable(
  windows: Pick<WindowsReader, 'read'>,
  question: {
    readonly series: readonly KnownSeries[];
    readonly range: Window;
    readonly span: RollupSpan;
    readonly zoneOf: (post: string) => string;
  },
): ExportTable {
  return { heads: HEADS, rows: rowsOf(windows, question) };
}

async function* rowsOf(
  windows: Pick<WindowsReader, 'read'>,
  { range, series, span, zoneOf }: Parameters<typeof windowTable>[1],
): AsyncGenerator<Cell[]> {
  // Months and years are few; of the shorter ones a year of many series would be much.
  const partMs = span === 'quarter' || span === 'day' ? PART_MS : range.to - range.from;
  for (const name of series) {
    const times = createZoneTimes(zoneOf(name.post));
    for (let from = range.from; from < range.to; from += partMs) {
      const read = await windows.read(name, span, from, Math.min(from + partMs, range.to));
      if (!read.ok) throw new ExportError(read.fault.message);
      for (const window of read.value) yield rowOf(name, window, times);
    }
  }
}

function rowOf({ device, metric, post, unit }: KnownSeries, window: WindowRollup, times: ZoneTimes): Cell[] {
  const moment = (at: number) => ({ at, iso: times.iso(at), offsetMs: times.offsetMs(at) });
  const { count, coverage, first, from, kind, last, to } = window;
  const [min, max, mean] = kind === 'gauge' ? [window.min, window.max, window.mean] : [null, null, null];
  const [increase, estimated] = kind === 'counter' ? [window.increase, window.estimated] : [null, null];
  const states = kind === 'state' ? statesText(window.timeInMs) : null;
  const about = [moment(from), moment(to), post, device, metric, unit ?? null, count, Math.round(coverage * 1e6) / 1e6];
  return [...about, min, max, mean, first, last, increase, estimated, states];
}

function statesText(timeInMs: Readonly<Record<string, number>>): string {
  return Object.entries(timeInMs)
    .map(([state, ms]) => `${state}=${ms / 1000}`)
    .join('; ');
}
