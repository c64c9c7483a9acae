// Files of exported data: what may be asked for, and the last line by which a file that was cut off or changed is known.
import { type Static, Type } from 'typebox';

export const EXPORT_FORMATS = ['csv', 'jsonl', 'xlsx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export const EXPORT_LAYOUTS = ['wide', 'long'] as const;
export type ExportLayout = (typeof EXPORT_LAYOUTS)[number];
export const EXPORT_SEPARATORS = { comma: ',', semicolon: ';' } as const;
export type ExportSeparator = keyof typeof EXPORT_SEPARATORS;

export const EXPORT_MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/jsonl; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

export const ExportTrailerSchema = Type.Object({
  /** Without heads. */
  rows: Type.Integer({ minimum: 0 }),
  /** Over all bytes of the file before the trailer's line, in hex. */
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
export type ExportTrailer = Static<typeof ExportTrailerSchema>;

/** The last line of a CSV file; most readers can be told to take `#` for a comment. */
export function csvTrailer({ rows, sha256 }: ExportTrailer): string {
  return `# rows=${rows} sha256=${sha256}\r\n`;
}

/** The last line of a file of JSON lines. */
export function jsonlTrailer(trailer: ExportTrailer): string {
  return `${JSON.stringify({ trailer })}\n`;
}

const CSV_TRAILER = /^# rows=(\d{1,15}) sha256=([0-9a-f]{64})\r?\n?$/;
const JSONL_TRAILER = /^\{"trailer":\{"rows":(\d{1,15}),"sha256":"([0-9a-f]{64})"\}\}\n?$/;

/** What the last line of a file says; `undefined` where it is no trailer. */
export function parseTrailer(line: string): ExportTrailer | undefined {
  const [, rows, sha256] = CSV_TRAILER.exec(line) ?? JSONL_TRAILER.exec(line) ?? [];
  return rows === undefined || sha256 === undefined ? undefined : { rows: Number(rows), sha256 };
}
