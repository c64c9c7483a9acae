// The columns of a payload, gathered by the rows that they have samples in: what a device's poll gives has one list of rows.
import { type Cell, packCells, readCells } from './column.js';
import type { ByteReader, ByteWriter } from './varint.js';

/** What the columns of a payload have in common: one record's samples of one time. */
export interface Row {
  readonly record: number;
  readonly at: number;
}

/** A sample's place: its metric's index in the birth, and its row. */
export interface PlacedCell extends Cell {
  readonly index: number;
  readonly row: number;
}

interface Column {
  readonly index: number;
  readonly rows: number[];
  readonly cells: Cell[];
}

const INDEX_MAX = 65_535;
/** Beside the encoding there is room for steps of up to seven in a byte. */
const ENCODINGS = 16;

/** Writes records and times of all rows, each as the first and the steps to the next. */
export function writeRows(writer: ByteWriter, rows: readonly Row[]): void {
  for (const part of ['record', 'at'] as const) {
    let last = 0;
    for (const row of rows) {
      writer.signed(row[part] - last);
      last = row[part];
    }
  }
}

/** The inverse of {@link writeRows}; `undefined` for anything else, and for more than `countMax` rows. */
export function readRows(reader: ByteReader, countMax: number): Row[] | undefined {
  const numbers: number[] = [];
  while (reader.left > 0 && numbers.length <= 2 * countMax) {
    const step = reader.signed();
    if (step === undefined) return undefined;
    numbers.push(step);
  }
  const count = numbers.length / 2;
  if (!reader.isDone || !Number.isInteger(count)) return undefined;
  const rows: Row[] = [];
  let record = 0;
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    record += numbers[i] as number;
    at += numbers[count + i] as number;
    if (!isCount(record) || !isCount(at)) return undefined;
    rows.push({ record, at });
  }
  return rows;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Writes all samples, sorted by row. A column holds numbers or words: what has both has two columns. */
export function writeGroups(writer: ByteWriter, samples: readonly PlacedCell[], rowCount: number): void {
  const columns = new Map<number, Column>();
  for (const sample of samples) {
    const key = sample.index * 2 + (typeof sample.value === 'string' ? 1 : 0);
    let column = columns.get(key);
    if (column === undefined) {
      column = { index: sample.index, rows: [], cells: [] };
      columns.set(key, column);
    }
    column.rows.push(sample.row);
    column.cells.push(sample);
  }
  const groups = new Map<string, Column[]>();
  for (const [, column] of [...columns].sort(([a], [b]) => a - b)) {
    const key = column.rows.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [column]);
    else group.push(column);
  }
  for (const group of groups.values()) writeGroup(writer, group, rowCount);
}

function writeGroup(writer: ByteWriter, group: readonly Column[], rowCount: number): void {
  const rows = group[0]?.rows ?? [];
  const isWhole = rows.length === rowCount && rows.every((row, i) => row === i);
  writer.unsigned(isWhole ? 0 : rows.length);
  let lastRow = 0;
  for (const row of isWhole ? [] : rows) {
    writer.unsigned(row - lastRow);
    lastRow = row;
  }
  writer.unsigned(group.length);
  const packed = group.map(({ cells }) => packCells(cells));
  let lastIndex = 0;
  packed.forEach(([encoding], i) => {
    const index = group[i]?.index ?? 0;
    writer.unsigned((index - lastIndex) * ENCODINGS + encoding);
    lastIndex = index;
  });
  for (const [, write] of packed) write(writer);
}

/** The inverse of {@link writeGroups}; `undefined` when anything about it is not as that makes it. */
export function readGroups(reader: ByteReader, rowCount: number, cellsMax: number): PlacedCell[] | undefined {
  const cells: PlacedCell[] = [];
  while (reader.left > 0) if (!readGroup(reader, rowCount, cellsMax, cells)) return undefined;
  return reader.isDone ? cells : undefined;
}

function readGroup(reader: ByteReader, rowCount: number, cellsMax: number, cells: PlacedCell[]): boolean {
  const rows = readGroupRows(reader, rowCount);
  const columnCount = reader.unsigned();
  if (rows === undefined || columnCount === undefined || columnCount > reader.left) return false;
  if (cells.length + rows.length * columnCount > cellsMax) return false;
  const columns: { readonly index: number; readonly encoding: number }[] = [];
  let index = 0;
  for (let i = 0; i < columnCount; i += 1) {
    const token = reader.unsigned();
    if (token === undefined) return false;
    index += Math.floor(token / ENCODINGS);
    if (index > INDEX_MAX) return false;
    columns.push({ index, encoding: token % ENCODINGS });
  }
  for (const column of columns) {
    const values = readCells(reader, column.encoding, rows.length);
    if (values === undefined) return false;
    values.forEach(({ value, code }, i) => {
      cells.push({ index: column.index, row: rows[i] ?? 0, value, code });
    });
  }
  return true;
}

function readGroupRows(reader: ByteReader, rowCount: number): number[] | undefined {
  const count = reader.unsigned();
  if (count === 0) return Array.from({ length: rowCount }, (_, row) => row);
  if (count === undefined || count > reader.left) return undefined;
  const rows: number[] = [];
  let row = 0;
  for (let i = 0; i < count; i += 1) {
    const step = reader.unsigned();
    if (step === undefined) return undefined;
    row += step;
    if (row >= rowCount) return undefined;
    rows.push(row);
  }
  return rows;
}
