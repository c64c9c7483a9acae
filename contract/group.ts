// The columns of a payload, gathered by the rows that they have samples in: what a device's poll gives has one list of rows.
import { type Cell, packCells, readCells, writeCells } from './column.js';
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
/** Which rows a group has: all of them, the one after that of the last group of one row, or those that it lists. */
const ALL_ROWS = 0;
const NEXT_ROW = 1;
const LISTED_ROWS = 2;
const ROW_KINDS = 3;

/** Stands before a row that is told in full. */
const FULL_ROW = 1;
/** Steps of time below this can be doubled. */
const STEP_MS_MAX = 2 ** 50;

/**
 * Writes records and times of all rows as steps from the row before. Mostly the record is the next one: then twice the step
 * of time is all that is told, and {@link FULL_ROW} is none such.
 */
export function writeRows(writer: ByteWriter, rows: readonly Row[]): void {
  let last: Row = { record: 0, at: 0 };
  for (const row of rows) {
    const step = row.at - last.at;
    if (row.record === last.record + 1 && Math.abs(step) < STEP_MS_MAX) writer.signed(step * 2);
    else {
      writer.signed(FULL_ROW);
      writer.signed(row.record - last.record);
      writer.signed(step);
    }
    last = row;
  }
}

/** The inverse of {@link writeRows}; `undefined` for anything else, and for more than `countMax` rows. */
export function readRows(reader: ByteReader, countMax: number): Row[] | undefined {
  const rows: Row[] = [];
  let record = 0;
  let at = 0;
  while (reader.left > 0 && rows.length < countMax) {
    const token = reader.signed() ?? Number.NaN;
    const isFull = token === FULL_ROW;
    record += isFull ? (reader.signed() ?? Number.NaN) : 1;
    at += isFull ? (reader.signed() ?? Number.NaN) : token / 2;
    // An odd token of another kind makes half a millisecond.
    if (!isCount(record) || !isCount(at)) return undefined;
    rows.push({ record, at });
  }
  return reader.isDone ? rows : undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Writes all samples, sorted by row. A column holds numbers or words: what has both has two columns. */
export function writeGroups(writer: ByteWriter, samples: readonly PlacedCell[], rowCount: number): void {
  const columns = new Map<number, Column>();
  for (const sample of samples) {
    const key = sample.index * 2 + (typeof sample.value === 'string' ? 1 : 0);
    const column = columns.get(key);
    if (column === undefined) columns.set(key, { index: sample.index, rows: [sample.row], cells: [sample] });
    else {
      column.rows.push(sample.row);
      column.cells.push(sample);
    }
  }
  const groups = new Map<string, Column[]>();
  for (const [, column] of [...columns].sort(([a], [b]) => a - b)) {
    const key = column.rows.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [column]);
    else group.push(column);
  }
  let oneRow = -1;
  // Groups of one row follow their rows: then nothing needs to be said of which.
  const inOrder = [...groups.values()].sort(([a], [b]) => (a?.rows[0] ?? 0) - (b?.rows[0] ?? 0));
  for (const group of inOrder) {
    const rows = group[0]?.rows ?? [];
    const kind = kindOf(rows, rowCount, oneRow);
    if (rows.length === 1) oneRow = rows[0] ?? 0;
    writer.unsigned(group.length * ROW_KINDS + kind);
    if (kind === LISTED_ROWS) writeRowList(writer, rows);
    writeColumns(writer, group);
  }
}

function kindOf(rows: readonly number[], rowCount: number, oneRow: number): number {
  if (rows.length === 1 && rows[0] === oneRow + 1) return NEXT_ROW;
  return rows.length === rowCount && rows.every((row, i) => row === i) ? ALL_ROWS : LISTED_ROWS;
}

function writeRowList(writer: ByteWriter, rows: readonly number[]): void {
  writer.unsigned(rows.length);
  let last = 0;
  for (const row of rows) {
    writer.unsigned(row - last);
    last = row;
  }
}

function writeColumns(writer: ByteWriter, group: readonly Column[]): void {
  const packed = group.map(({ cells }) => packCells(cells));
  let lastIndex = 0;
  packed.forEach(({ encoding }, i) => {
    const index = group[i]?.index ?? 0;
    writer.unsigned((index - lastIndex) * ENCODINGS + encoding);
    lastIndex = index;
  });
  for (const column of packed) writeCells(writer, column);
}

/** The inverse of {@link writeGroups}; `undefined` when anything about it is not as that makes it. */
export function readGroups(reader: ByteReader, rowCount: number, cellsMax: number): PlacedCell[] | undefined {
  const cells: PlacedCell[] = [];
  let oneRow = -1;
  while (reader.left > 0) {
    const head = reader.unsigned();
    if (head === undefined) return undefined;
    const rows = readGroupRows(reader, head % ROW_KINDS, rowCount, oneRow);
    if (rows === undefined) return undefined;
    if (rows.length === 1) oneRow = rows[0] ?? 0;
    if (!readColumns(reader, Math.floor(head / ROW_KINDS), rows, cellsMax, cells)) return undefined;
  }
  return reader.isDone ? cells : undefined;
}

function readColumns(
  reader: ByteReader,
  columnCount: number,
  rows: readonly number[],
  cellsMax: number,
  cells: PlacedCell[],
): boolean {
  if (columnCount > reader.left || cells.length + rows.length * columnCount > cellsMax) return false;
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

function readGroupRows(reader: ByteReader, kind: number, rowCount: number, oneRow: number): number[] | undefined {
  if (kind === ALL_ROWS) return Array.from({ length: rowCount }, (_, row) => row);
  if (kind === NEXT_ROW) return oneRow + 1 < rowCount ? [oneRow + 1] : undefined;
  const count = reader.unsigned();
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
