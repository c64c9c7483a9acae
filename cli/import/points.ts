// Rows to points, or to the reasons why not. Pure, but for the clock of what is too late to be true.

import { isNumeric, metricOf } from '#domain/metric.js';
import { codeOf } from '#domain/quality.js';
import { DEVICE_UNITS, scaleBy } from '#domain/quantity.js';
import type { Value } from '#domain/reading.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { ColumnName, Mapping, SeriesMapping } from './mapping.js';
import type { Row, RowFault } from './rows.js';
import { createTimeReader, type TimeFault } from './time-format.js';

export interface ImportedPoint {
  readonly device: string;
  readonly metric: string;
  readonly at: number;
  readonly value: Value;
  readonly code: number;
}

/**
 * A row or a cell that gives no point. `IMPORT_NUMBER`, `IMPORT_STATE`: the cell is none. `IMPORT_RANGE`: outside what the metric or the
 * mapping allows. `IMPORT_FUTURE`: later than tomorrow. `IMPORT_SERIES`: a name that the mapping does not know. And those of rows and times.
 */
export interface Reject {
  readonly line: number;
  readonly column?: ColumnName;
  readonly text?: string;
  readonly code:
    | RowFault['code']
    | TimeFault['code']
    | 'IMPORT_NUMBER'
    | 'IMPORT_STATE'
    | 'IMPORT_RANGE'
    | 'IMPORT_FUTURE'
    | 'IMPORT_SERIES';
  readonly message: string;
}

export interface RowOutcome {
  readonly points: readonly ImportedPoint[];
  readonly rejects: readonly Reject[];
}

const DAY_MS = 86_400_000;
const SENTINEL = codeOf('sentinel');
const GOOD = codeOf('good');

/** Takes the rows of one file in their order. */
export function createRowReader(mapping: Mapping, now: number): (row: Row | RowFault) => RowOutcome {
  const readTime = createTimeReader(mapping.time);
  const wide = mapping.columns.map((series) => ({ column: series.column, read: cellReader(series, mapping) }));
  const long = longReader(mapping);
  return (row) => {
    if (!('cell' in row)) return { points: [], rejects: [row] };
    const text = mapping.time.columns.map((column) => row.cell(column) ?? '').join(' ');
    const time = readTime(text);
    if (!time.ok) return { points: [], rejects: [{ line: row.line, text, ...time.fault }] };
    if (time.value > now + DAY_MS)
      return {
        points: [],
        rejects: [{ line: row.line, text, code: 'IMPORT_FUTURE', message: 'is later than tomorrow' }],
      };
    const cells = long === undefined ? wide.map(({ column, read }) => ({ column, read })) : long(row);
    return outcomeOf(row, time.value, cells);
  };
}

type CellRead = Result<Omit<ImportedPoint, 'at'> | undefined, Pick<Reject, 'code' | 'message'>>;
type Cell = { readonly column: ColumnName; readonly read: (text: string) => CellRead };

function outcomeOf(row: Row, at: number, cells: readonly Cell[]): RowOutcome {
  const points: ImportedPoint[] = [];
  const rejects: Reject[] = [];
  for (const { column, read } of cells) {
    const text = (row.cell(column) ?? '').trim();
    const found = text === '' ? ok(undefined) : read(text);
    if (!found.ok) rejects.push({ line: row.line, column, text, ...found.fault });
    else if (found.value !== undefined) points.push({ ...found.value, at });
  }
  return { points, rejects };
}

function longReader(mapping: Mapping): ((row: Row) => readonly Cell[]) | undefined {
  const { long } = mapping;
  if (long === undefined) return undefined;
  const readers = new Map(Object.entries(long.series).map(([name, series]) => [name, cellReader(series, mapping)]));
  return (row) => {
    const name = (row.cell(long.name) ?? '').trim();
    const unknown = (): CellRead =>
      failed({ code: 'IMPORT_SERIES', message: `"${name}" is not among long.series; add it, or leave it` });
    return [{ column: long.value, read: readers.get(name) ?? unknown }];
  };
}

/** An empty cell is no point; one that means "no value" is a point without one. */
function cellReader(series: SeriesMapping, mapping: Mapping): (text: string) => CellRead {
  const { device, metric } = series;
  const known = metricOf(metric);
  const missing = new Set([...mapping.missing, ...(series.missing ?? [])].map(String));
  const isNumber = known !== undefined && isNumeric(known.kind);
  const toValue = isNumber ? numberReader(series, mapping.decimal, known.range) : stateReader(series);
  return (text) => {
    if (missing.has(text)) return ok({ device, metric, value: null, code: SENTINEL });
    const value = toValue(text);
    return value.ok ? ok({ device, metric, value: value.value, code: GOOD }) : value;
  };
}

type ValueReader = (text: string) => Result<number | string, Pick<Reject, 'code' | 'message'>>;

function numberReader(
  series: SeriesMapping,
  decimal: '.' | ',',
  physical: readonly [number, number] | undefined,
): ValueReader {
  const form = decimal === ',' ? /^[+-]?(\d+(,\d*)?|,\d+)(e[+-]?\d+)?$/i : /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
  const scale = series.unit === undefined ? { numerator: 1, denominator: 1 } : DEVICE_UNITS[series.unit];
  const { factor = 1, offset = 0 } = series;
  const [min, max] = series.range ?? physical ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return (text) => {
    if (!form.test(text))
      return failed({ code: 'IMPORT_NUMBER', message: `is no number with the decimal mark "${decimal}"` });
    const value = scaleBy(Number(text.replace(',', '.')) * factor + offset, scale);
    if (!Number.isFinite(value)) return failed({ code: 'IMPORT_NUMBER', message: 'is too large' });
    if (value >= min && value <= max) return ok(value);
    return failed({ code: 'IMPORT_RANGE', message: `${value} is outside ${min} … ${max}` });
  };
}

function stateReader({ states }: SeriesMapping): ValueReader {
  return (text) => {
    if (states === undefined) return ok(text);
    const state = Object.hasOwn(states, text) ? states[text] : undefined;
    if (state !== undefined) return ok(state);
    return failed({ code: 'IMPORT_STATE', message: `is none of the states ${Object.keys(states).join(', ')}` });
  };
}
