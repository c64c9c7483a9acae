// Tables as CSV (RFC 4180) and as JSON lines, each with a last line that tells how many rows there are and what the bytes before
// it come to.
import { createHash, type Hash } from 'node:crypto';
import { csvTrailer, EXPORT_SEPARATORS, type ExportSeparator, jsonlTrailer } from '#contract/export.js';
import type { Cell, ExportTable } from './table.js';

const CHUNK_CHARS = 64 * 1024;
/** A spreadsheet would take a text that begins so for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

export async function* csvFile(table: ExportTable, separator: ExportSeparator): AsyncGenerator<Buffer> {
  const mark = EXPORT_SEPARATORS[separator];
  const head = csvLine(table.heads, mark);
  yield* withTrailer(head, table, (row) => csvLine(row, mark), csvTrailer);
}

export function csvLine(row: readonly Cell[], mark: string): string {
  return `${row.map((cell) => csvCell(cell, mark)).join(mark)}\r\n`;
}

function csvCell(cell: Cell, mark: string): string {
  if (cell === null) return '';
  if (typeof cell === 'object') return cell.iso;
  if (typeof cell !== 'string') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return safe.includes(mark) || /["\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export async function* jsonlFile(table: ExportTable): AsyncGenerator<Buffer> {
  const { heads } = table;
  const line = (row: readonly Cell[]): string => {
    const named = heads.flatMap((head, i) => {
      const cell = row[i] ?? null;
      return cell === null ? [] : [[head, typeof cell === 'object' ? cell.iso : cell] as const];
    });
    return `${JSON.stringify(Object.fromEntries(named))}\n`;
  };
  yield* withTrailer('', table, line, jsonlTrailer);
}

async function* withTrailer(
  head: string,
  { rows }: ExportTable,
  lineOf: (row: readonly Cell[]) => string,
  trailerOf: typeof csvTrailer,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let waiting = head;
  let count = 0;
  for await (const row of rows) {
    waiting += lineOf(row);
    count += 1;
    if (waiting.length < CHUNK_CHARS) continue;
    yield hashed(waiting, hash);
    waiting = '';
  }
  yield hashed(waiting, hash);
  yield Buffer.from(trailerOf({ rows: count, sha256: hash.digest('hex') }));
}

function hashed(text: string, hash: Hash): Buffer {
  const bytes = Buffer.from(text);
  hash.update(bytes);
  return bytes;
}
