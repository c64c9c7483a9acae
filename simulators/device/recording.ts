// A recorded plant as the values of a device: a CSV of times and metrics, held from row to row.
import { parse } from 'csv-parse/sync';
import { metricOf } from '#domain/metric.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { MetricValue } from './encoder.js';
import type { Quantities } from './quantities.js';

/** Rows that one recording may have: a year of half-minutes. */
const MOST_ROWS = 1_000_000;
/** Faults told of one file. */
const MOST_TOLD = 20;

export interface Recording {
  /** Values at a time since the recording's beginning, ms: those of the last row before; the first row's before it. */
  at(sinceMs: number): Quantities;
  /** From the first row to the last, ms. */
  readonly lengthMs: number;
}

/** `path` is `row 3, battery.soc`. */
export interface RecordingFault {
  readonly path: string;
  readonly message: string;
}

/**
 * Reads a recording. The first column is `time`: ISO 8601 with its zone, or seconds; it rises. The other columns are metrics of
 * the product in its units and signs, or states as words; an empty cell is no value.
 */
export function parseRecording(text: string): Result<Recording, readonly RecordingFault[]> {
  let rows: string[][];
  try {
    rows = parse(text, { bom: true, skip_empty_lines: true, trim: true, relax_column_count: true, to: MOST_ROWS + 2 });
  } catch (error) {
    return failed([{ path: '', message: `is no CSV: ${(error as Error).message}` }]);
  }
  const [header = [], ...body] = rows;
  const faults = [...headerFaults(header, body.length)];
  const times: number[] = [];
  const values: Quantities[] = [];
  for (const [index, cells] of body.entries()) {
    if (faults.length >= MOST_TOLD) break;
    const row = `row ${index + 2}`;
    const at = timeOf(cells[0] ?? '');
    if (at === undefined)
      faults.push({ path: row, message: `"${cells[0] ?? ''}" is no time: ISO 8601 with its zone, or seconds` });
    else if (at <= (times.at(-1) ?? Number.NEGATIVE_INFINITY))
      faults.push({ path: row, message: 'is not later than the row before' });
    else times.push(at);
    values.push(readRow(header, cells, row, faults));
  }
  if (faults.length > 0) return failed(faults);
  const first = times[0] ?? 0;
  return ok({
    lengthMs: (times.at(-1) ?? first) - first,
    at: (sinceMs) => values[lastBefore(times, first + sinceMs)] ?? {},
  });
}

function headerFaults(header: readonly string[], rows: number): RecordingFault[] {
  const faults: RecordingFault[] = [];
  if (header[0] !== 'time') faults.push({ path: 'header', message: 'its first column must be "time"' });
  for (const metric of header.slice(1))
    if (metricOf(metric) === undefined) faults.push({ path: 'header', message: `there is no metric "${metric}"` });
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) faults.push({ path: 'header', message: `has "${twice}" twice` });
  if (rows === 0) faults.push({ path: '', message: 'has no rows' });
  if (rows > MOST_ROWS) faults.push({ path: '', message: `has more than ${MOST_ROWS} rows` });
  return faults;
}

function timeOf(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const at = /(Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function readRow(
  header: readonly string[],
  cells: readonly string[],
  row: string,
  faults: RecordingFault[],
): Quantities {
  const values: Record<string, MetricValue> = {};
  for (const [index, metric] of header.entries()) {
    const kind = metricOf(metric)?.kind;
    if (index === 0 || kind === undefined) continue;
    const text = cells[index] ?? '';
    if (text === '') values[metric] = null;
    else if (kind === 'state' || kind === 'text') values[metric] = text;
    else if (Number.isFinite(Number(text))) values[metric] = Number(text);
    else faults.push({ path: `${row}, ${metric}`, message: `"${text}" is no number` });
  }
  return values;
}

/** Index of the last time that is not after this one; the first where all are. */
function lastBefore(times: readonly number[], at: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((times[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
