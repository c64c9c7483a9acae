// The rows of a file, one after the other, whatever its size.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import type { ColumnName, Mapping } from './mapping.js';

export interface Row {
  /** In the file, from 1. */
  readonly line: number;
  /** A cell as text; `undefined` where the row has none of that name. */
  cell(column: ColumnName): string | undefined;
}

export interface RowFault {
  readonly line: number;
  readonly code: 'IMPORT_ROW';
  readonly message: string;
}

const LINE_CHARS_MAX = 1024 * 1024;

/** A file that is not what the mapping says: nothing of it can be read. `IMPORT_COLUMN`, `IMPORT_FORM`. */
export class FileFault extends Error {
  readonly code: 'IMPORT_COLUMN' | 'IMPORT_FORM';
  constructor(code: FileFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Of a file's bytes. Throws {@link FileFault}, and what the disk throws. */
export async function* rowsOf(bytes: AsyncIterable<Uint8Array>, mapping: Mapping): AsyncGenerator<Row | RowFault> {
  const text = decoded(bytes, mapping.encoding);
  yield* mapping.format === 'csv' ? csvRows(text, mapping) : jsonRows(text);
}

async function* decoded(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number; readonly error?: Error };
}

async function* csvRows(text: AsyncIterable<string>, mapping: Mapping): AsyncGenerator<Row | RowFault> {
  const parser = parse({
    delimiter: mapping.separator,
    from_line: mapping.skipLines + 1,
    info: true,
    max_record_size: LINE_CHARS_MAX,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  // A fault ends the loop below too, where it is told.
  pipeline(Readable.from(text), parser).catch(() => undefined);
  let places: ReadonlyMap<ColumnName, number> | undefined;
  let columns = 0;
  try {
    for await (const { info, record } of parser as AsyncIterable<CsvRecord>) {
      if (places === undefined) {
        places = placesOf(mapping, record);
        columns = record.length;
        if (mapping.header) continue;
      }
      yield record.length === columns ? rowOf(info.lines, record, places) : lengthFault(info.lines, record, columns);
    }
  } catch (error) {
    if (error instanceof CsvError)
      throw new FileFault('IMPORT_FORM', `is no CSV as the mapping says: ${error.message}`);
    throw error;
  }
}

function rowOf(line: number, record: readonly string[], places: ReadonlyMap<ColumnName, number>): Row {
  return {
    line,
    cell(column) {
      const place = places.get(column);
      return place === undefined ? undefined : record[place];
    },
  };
}

function lengthFault(line: number, record: readonly string[], columns: number): RowFault {
  return { line, code: 'IMPORT_ROW', message: `has ${record.length} columns, not ${columns}` };
}

/** Where the columns are that the mapping names. */
function placesOf(mapping: Mapping, first: readonly string[]): ReadonlyMap<ColumnName, number> {
  const header = mapping.header ? first.map((name) => name.trim()) : [];
  const wanted = [
    ...mapping.time.columns,
    ...mapping.columns.map(({ column }) => column),
    ...(mapping.long === undefined ? [] : [mapping.long.name, mapping.long.value]),
  ];
  const places = new Map<ColumnName, number>();
  const lacking: ColumnName[] = [];
  for (const column of wanted) {
    const place = typeof column === 'number' ? column - 1 : header.indexOf(column);
    if (place < 0 || place >= first.length) lacking.push(column);
    else places.set(column, place);
  }
  if (lacking.length > 0) {
    const quoted = (names: readonly ColumnName[]): string => names.map((name) => `"${name}"`).join(', ');
    const has = mapping.header ? `has ${quoted(header)}` : `has ${first.length} columns`;
    throw new FileFault('IMPORT_COLUMN', `lacks the column ${quoted(lacking)}; it ${has}`);
  }
  return places;
}

async function* jsonRows(text: AsyncIterable<string>): AsyncGenerator<Row | RowFault> {
  let line = 0;
  for await (const one of linesOf(text)) {
    line += 1;
    if (one.trim() !== '') yield jsonRow(line, one);
  }
}

function jsonRow(line: number, text: string): Row | RowFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, code: 'IMPORT_ROW', message: 'is no JSON object' };
  return { line, cell: (column) => cellAt(value, String(column)) };
}

/** `a.b` is b of a, unless there is a field of that whole name. */
function cellAt(value: object, path: string): string | undefined {
  const own = (from: unknown, name: string): unknown =>
    typeof from === 'object' && from !== null && Object.hasOwn(from, name)
      ? (from as Record<string, unknown>)[name]
      : undefined;
  const found = own(value, path) ?? path.split('.').reduce<unknown>(own, value);
  return found === undefined || found === null || typeof found === 'object' ? undefined : String(found);
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARS_MAX)
      throw new FileFault('IMPORT_FORM', 'has a line of more than a million characters');
    yield* lines;
  }
  if (rest !== '') yield rest;
}
