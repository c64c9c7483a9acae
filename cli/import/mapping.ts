// The mapping file: what the columns of an older logger's files mean. YAML in, a typed value or every fault at once out.
import { type Static, Type } from 'typebox';
import { LineCounter, parseDocument } from 'yaml';
import { IDENTIFIER_PATTERN } from '#domain/identifier.js';
import { isNumeric, METRICS, metricOf } from '#domain/metric.js';
import { DEVICE_UNITS, type DeviceUnit } from '#domain/quantity.js';
import { failed, ok, type Result } from '#domain/result.js';
import { isZone } from '#domain/window.js';
import { addSchemaFaults, type ConfigFault, createFaultList, type FaultList } from '#server/config-faults.js';
import { isTimeFormat } from './time-format.js';

const closed = { additionalProperties: false } as const;
const identifier = Type.String({ pattern: IDENTIFIER_PATTERN });
const columnName = Type.Union([Type.String({ minLength: 1 }), Type.Integer({ minimum: 1 })]);
const one = <T extends string>(words: readonly T[]) =>
  Type.Unsafe<T>(Type.Union(words.map((word) => Type.Literal(word))));

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1251', 'windows-1252', 'koi8-r'] as const;

const SeriesSchema = Type.Object(
  {
    device: identifier,
    metric: Type.String(),
    /** Of the file's numbers; the metric's own where absent. */
    unit: Type.Optional(one(Object.keys(DEVICE_UNITS) as DeviceUnit[])),
    /** value = (number × factor + offset), before the unit is converted. */
    factor: Type.Optional(Type.Number()),
    offset: Type.Optional(Type.Number()),
    /** Cells that mean "no value", besides those of the whole file. */
    missing: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
    /** What the file's words or numbers are called. */
    states: Type.Optional(Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 100 }))),
    /** Values outside are rejected, in the metric's unit. */
    range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
  },
  closed,
);

const ColumnSchema = Type.Object({ column: columnName, ...SeriesSchema.properties }, closed);

const MappingSchema = Type.Object(
  {
    post: identifier,
    format: Type.Optional(one(['csv', 'jsonl'])),
    encoding: Type.Optional(one(ENCODINGS)),
    separator: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
    decimal: Type.Optional(one(['.', ','])),
    /** Lines before the header. */
    skipLines: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
    /** false: columns have numbers, from 1. */
    header: Type.Optional(Type.Boolean()),
    time: Type.Object(
      {
        column: Type.Union([columnName, Type.Array(columnName, { minItems: 1, maxItems: 3 })]),
        format: Type.Optional(Type.String()),
        zone: Type.Optional(Type.String()),
        /** Of an hour that the clocks show twice: which one is meant. */
        repeatedHour: Type.Optional(one(['order', 'first', 'second', 'reject'])),
      },
      closed,
    ),
    missing: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
    columns: Type.Optional(Type.Array(ColumnSchema, { minItems: 1, maxItems: 1000 })),
    /** A row for each value: its name in one column, the value in another. */
    long: Type.Optional(
      Type.Object({ name: columnName, value: columnName, series: Type.Record(Type.String(), SeriesSchema) }, closed),
    ),
  },
  closed,
);

export type SeriesMapping = Static<typeof SeriesSchema>;
type MappingFile = Static<typeof MappingSchema>;
export type ColumnName = string | number;

export interface Mapping {
  readonly post: string;
  readonly format: 'csv' | 'jsonl';
  readonly encoding: (typeof ENCODINGS)[number];
  readonly separator: string;
  readonly decimal: '.' | ',';
  readonly skipLines: number;
  readonly header: boolean;
  readonly time: {
    readonly columns: readonly ColumnName[];
    /** `iso`, `epoch-s`, `epoch-ms`, or letters: see time-format.ts. */
    readonly format: string;
    readonly zone: string | undefined;
    readonly repeatedHour: 'order' | 'first' | 'second' | 'reject';
  };
  readonly missing: readonly (string | number)[];
  readonly columns: readonly (SeriesMapping & { readonly column: ColumnName })[];
  readonly long: MappingFile['long'];
}

/** Faults: `CONFIG_YAML`, `CONFIG_FORM`. */
export function parseMapping(text: string): Result<Mapping, readonly ConfigFault[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined)
    return failed([{ code: 'CONFIG_YAML', path: '/', message: `is not YAML: ${error.message.split('\n')[0]}` }]);
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const list = createFaultList(document, lines);
  if (addSchemaFaults(list, MappingSchema, value, [])) addMeaningFaults(list, value as MappingFile);
  if (list.faults.length > 0) return failed(list.faults);
  return ok(mappingOf(value as MappingFile));
}

function mappingOf({ columns = [], long, missing = [], post, time, ...file }: MappingFile): Mapping {
  return {
    post,
    format: file.format ?? 'csv',
    encoding: file.encoding ?? 'utf-8',
    separator: file.separator ?? ',',
    decimal: file.decimal ?? '.',
    skipLines: file.skipLines ?? 0,
    header: file.header ?? true,
    time: {
      columns: Array.isArray(time.column) ? time.column : [time.column],
      format: time.format ?? 'iso',
      zone: time.zone,
      repeatedHour: time.repeatedHour ?? 'order',
    },
    missing,
    columns,
    long,
  };
}

/** What the schema cannot say. */
function addMeaningFaults(list: FaultList, file: MappingFile): void {
  const { columns, decimal = '.', long, separator = ',', time } = file;
  if ((columns === undefined) === (long === undefined))
    list.add([], 'needs either columns (a column for each series) or long (a row for each value)');
  if (decimal === separator && (file.format ?? 'csv') === 'csv')
    list.add(['decimal'], `"${decimal}" parts the columns too; write the separator of the file`);
  const { format = 'iso', zone } = time;
  if (!isTimeFormat(format))
    list.add(['time', 'format'], `"${format}" is neither iso, epoch-s nor epoch-ms, nor made of YYYY MM DD HH mm ss`);
  if (zone !== undefined && !isZone(zone))
    list.add(['time', 'zone'], `"${zone}" is no IANA time zone; write one such as Asia/Dushanbe`);
  if (zone === undefined && isTimeFormat(format) && !/^iso$|^epoch/.test(format))
    list.add(['time'], 'needs zone: these times do not say of which zone they are; write one such as Asia/Dushanbe');
  for (const [place, column] of (columns ?? []).entries()) addSeriesFaults(list, column, ['columns', place]);
  for (const [name, series] of Object.entries(long?.series ?? {}))
    addSeriesFaults(list, series, ['long', 'series', name]);
}

function addSeriesFaults(list: FaultList, series: SeriesMapping, path: (string | number)[]): void {
  const { metric, range, states, unit } = series;
  const known = metricOf(metric);
  if (known === undefined) {
    const [start = ''] = metric.split('.');
    const near = [...METRICS.keys()].filter((id) => id.startsWith(`${start}.`)).slice(0, 8);
    const hint =
      near.length > 0 ? `; there is ${near.join(', ')}` : '; see docs/import.md for where metrics are listed';
    list.add([...path, 'metric'], `"${metric}" is no metric of Oftob${hint}`);
    return;
  }
  if (!isNumeric(known.kind)) {
    if (unit !== undefined) list.add([...path, 'unit'], `${metric} is a state and has no unit`);
    return;
  }
  if (states !== undefined) list.add([...path, 'states'], `${metric} is a number and has no states`);
  if (unit !== undefined && DEVICE_UNITS[unit].unit !== known.unit)
    list.add([...path, 'unit'], `${unit} cannot become ${known.unit}, the unit of ${metric}`);
  if (range !== undefined && range[0] >= range[1]) list.add([...path, 'range'], 'needs the smaller number first');
}
