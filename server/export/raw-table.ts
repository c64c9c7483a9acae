// Points as a table: each its own row, or a row for each moment of a post with a column for each metric.
import { qualityOf, reasonOf } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { Window } from '#domain/window.js';
import type { KnownSeries } from '../api/query-request.js';
import type { Point, Store } from '../ports.js';
import { type Cell, ExportError, type ExportTable, type Moment } from './table.js';
import { createZoneTimes, type ZoneTimes } from './zone-time.js';

export interface RawQuestion {
  readonly series: readonly KnownSeries[];
  readonly range: Window;
  readonly zoneOf: (post: string) => string;
}

const HOUR_MS = 3_600_000;
const SLICE_MS_MAX = 30 * 24 * HOUR_MS;
/** So many points are in memory at a time, or some more. */
const SLICE_POINTS = 20_000;

/** A row for each point, series by series. */
export function longTable(store: Pick<Store, 'read'>, question: RawQuestion): ExportTable {
  const heads = ['time', 'post', 'device', 'metric', 'unit', 'value', 'quality', 'reason'];
  return { heads, rows: longRows(store, question) };
}

async function* longRows(store: Pick<Store, 'read'>, { range, series, zoneOf }: RawQuestion): AsyncGenerator<Cell[]> {
  for (const name of series) {
    const times = createZoneTimes(zoneOf(name.post));
    const { device, metric, post, unit } = name;
    for await (const [points = []] of slices(store, [name], range))
      for (const { at, code, value } of points) {
        const { quality, reason } = reasonTexts(code);
        yield [momentOf(at, times), post, device, metric, unit ?? null, value, quality, reason];
      }
  }
}

function reasonTexts(code: number): { quality: string; reason: string } {
  const reason = reasonOf(code);
  return reason === undefined
    ? { quality: 'questionable', reason: `code ${code}` }
    : { quality: qualityOf(reason), reason };
}

function momentOf(at: number, times: ZoneTimes): Moment {
  return { at, iso: times.iso(at), offsetMs: times.offsetMs(at) };
}

/** A row for each moment of a post; what is not good of it stands in the last column. */
export function wideTable(store: Pick<Store, 'read'>, question: RawQuestion): ExportTable {
  const columns = new Map<string, number>();
  const heads = ['time', 'post'];
  for (const { device, metric, unit } of question.series) {
    const name = `${device}/${metric}`;
    if (columns.has(name)) continue;
    columns.set(name, heads.length);
    heads.push(unit === undefined ? name : `${name} [${unit}]`);
  }
  heads.push('not good');
  return { heads, rows: wideRows(store, question, columns, heads.length) };
}

async function* wideRows(
  store: Pick<Store, 'read'>,
  { range, series, zoneOf }: RawQuestion,
  columns: ReadonlyMap<string, number>,
  width: number,
): AsyncGenerator<Cell[]> {
  for (const post of new Set(series.map((name) => name.post))) {
    const times = createZoneTimes(zoneOf(post));
    const ofPost = series.filter((name) => name.post === post);
    for await (const slice of slices(store, ofPost, range)) {
      const rows = new Map<number, { cells: Cell[]; doubts: string[] }>();
      for (const { at, code, device, metric, value } of slice.flat()) {
        const row = rows.get(at) ?? { cells: emptyRow(momentOf(at, times), post, width), doubts: [] };
        rows.set(at, row);
        row.cells[columns.get(`${device}/${metric}`) ?? 0] = value satisfies Value;
        if (code !== 0) row.doubts.push(`${device}/${metric}: ${reasonTexts(code).reason}`);
      }
      for (const at of [...rows.keys()].sort((a, b) => a - b)) {
        const { cells = [], doubts = [] } = rows.get(at) ?? {};
        if (doubts.length > 0) cells[width - 1] = doubts.join('; ');
        yield cells;
      }
    }
  }
}

function emptyRow(moment: Moment, post: string, width: number): Cell[] {
  return [moment, post, ...Array.from({ length: width - 2 }, () => null)];
}

/** The points of some series in slices of time, as long as they hold few points. */
async function* slices(
  store: Pick<Store, 'read'>,
  series: readonly KnownSeries[],
  { from, to }: Window,
): AsyncGenerator<(readonly Point[])[]> {
  let sliceMs = HOUR_MS;
  for (let at = from; at < to; ) {
    const end = Math.min(at + sliceMs, to);
    const slice: (readonly Point[])[] = [];
    let count = 0;
    for (const { device, metric, post } of series) {
      const read = await store.read({ post, device, metric }, at, end);
      if (!read.ok) throw new ExportError(read.fault.message);
      slice.push(read.value);
      count += read.value.length;
    }
    if (count > 0) yield slice;
    if (count * 2 < SLICE_POINTS) sliceMs = Math.min(2 * sliceMs, SLICE_MS_MAX);
    else if (count > 2 * SLICE_POINTS) sliceMs = Math.max(sliceMs / 2, 60_000);
    at = end;
  }
}
