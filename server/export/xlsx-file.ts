// A table as an Excel workbook (ECMA-376, Office Open XML), written while its rows are read: sheets of at most as many rows as
// Excel takes, and one that says what they come to.
import { createHash } from 'node:crypto';
import { strToU8, Zip, ZipDeflate } from 'fflate';
import type { Cell, ExportTable } from './table.js';
import { csvLine } from './text-files.js';

/** Excel takes no more rows on a sheet. */
const SHEET_ROWS_MAX = 1_048_576;
const CHUNK_CHARS = 64 * 1024;
/** 1899-12-30, the day 0 of Excel's calendar. */
const EPOCH_MS = Date.UTC(1899, 11, 30);
const DAY_MS = 86_400_000;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const DOCUMENT = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const SHEET_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
/** Style 1 shows a day and a time; style 2 is a head. */
const STYLES =
  `${XML}<styleSheet xmlns="${MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>` +
  '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
  '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
  '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3">' +
  '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' +
  '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>' +
  '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>';

export interface XlsxOptions {
  /** Less than what Excel takes, to see what a second sheet is like. */
  readonly sheetRowsMax?: number;
}

/** Moments are the post's wall clock; what is exported besides stands on the sheet "about". */
export async function* xlsxFile(
  table: ExportTable,
  about: Readonly<Record<string, string>>,
  { sheetRowsMax = SHEET_ROWS_MAX }: XlsxOptions = {},
): AsyncGenerator<Uint8Array> {
  const archive = new Archive();
  const hash = createHash('sha256');
  hash.update(csvLine(table.heads, ','));
  let sheets = 0;
  let rowsOnSheet = 0;
  let rows = 0;
  let waiting = '';
  for await (const row of table.rows) {
    if (rowsOnSheet === 0) {
      sheets += 1;
      archive.begin(`xl/worksheets/sheet${sheets}.xml`);
      waiting = `${sheetBegin()}${rowXml(table.heads, 1, 2)}`;
      rowsOnSheet = 1;
    }
    rowsOnSheet += 1;
    rows += 1;
    waiting += rowXml(row, rowsOnSheet, 0);
    hash.update(csvLine(row, ','));
    const isFull = rowsOnSheet === sheetRowsMax;
    if (!isFull && waiting.length < CHUNK_CHARS) continue;
    archive.push(isFull ? `${waiting}${SHEET_END}` : waiting, isFull);
    waiting = '';
    if (isFull) rowsOnSheet = 0;
    yield* archive.taken();
  }
  if (rowsOnSheet > 0) archive.push(`${waiting}${SHEET_END}`, true);
  const facts = {
    ...about,
    rows: String(rows),
    'SHA-256 of the same as CSV with commas, without its last line': hash.digest('hex'),
  };
  for (const [path, text] of Object.entries(parts(sheets, facts))) archive.add(path, text);
  archive.end();
  yield* archive.taken();
}

const SHEET_END = '</sheetData></worksheet>';

function sheetBegin(): string {
  return `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`;
}

function rowXml(row: readonly Cell[], number: number, style: number): string {
  return `<row r="${number}">${row.map((cell) => cellXml(cell, style)).join('')}</row>`;
}

function cellXml(cell: Cell, style: number): string {
  if (cell === null) return '<c/>';
  if (typeof cell === 'number') return `<c><v>${cell}</v></c>`;
  if (typeof cell === 'boolean') return `<c t="b"><v>${cell ? 1 : 0}</v></c>`;
  if (typeof cell === 'object') return `<c s="1"><v>${(cell.at + cell.offsetMs - EPOCH_MS) / DAY_MS}</v></c>`;
  return `<c t="inlineStr" s="${style}"><is><t xml:space="preserve">${escapeXml(cell)}</t></is></c>`;
}

/** Characters that XML 1.0 does not know become the sign for what cannot be shown. */
function escapeXml(text: string): string {
  const known = Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const isKnown =
      code >= 32 ? code < 0xd800 || (code > 0xdfff && code !== 0xfffe && code !== 0xffff) : [9, 10, 13].includes(code);
    return isKnown ? character : '\ufffd';
  }).join('');
  return known.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The parts of the package besides the sheets of data. */
function parts(sheets: number, facts: Readonly<Record<string, string>>): Record<string, string> {
  const about = sheets + 1;
  const numbers = Array.from({ length: about }, (_, i) => i + 1);
  const names = numbers.map((number) => (number === about ? 'about' : sheets === 1 ? 'data' : `data ${number}`));
  const rows = Object.entries(facts).map(([name, value], i) => rowXml([name, value], i + 1, 0));
  return {
    [`xl/worksheets/sheet${about}.xml`]: `${XML}<worksheet xmlns="${MAIN}"><sheetData>${rows.join('')}${SHEET_END}`,
    '[Content_Types].xml':
      `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
      `<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${SHEET_TYPE}.sheet.main+xml"/>` +
      `<Override PartName="/xl/styles.xml" ContentType="${SHEET_TYPE}.styles+xml"/>` +
      numbers
        .map(
          (number) =>
            `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${SHEET_TYPE}.worksheet+xml"/>`,
        )
        .join('') +
      '</Types>',
    '_rels/.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml':
      `${XML}<workbook xmlns="${MAIN}" xmlns:r="${DOCUMENT}"><sheets>` +
      numbers.map((number) => `<sheet name="${names[number - 1]}" sheetId="${number}" r:id="rId${number}"/>`).join('') +
      '</sheets></workbook>',
    'xl/_rels/workbook.xml.rels':
      `${XML}<Relationships xmlns="${PACKAGE}/relationships">` +
      numbers
        .map(
          (number) =>
            `<Relationship Id="rId${number}" Type="${DOCUMENT}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
        )
        .join('') +
      `<Relationship Id="rId${about + 1}" Type="${DOCUMENT}/styles" Target="styles.xml"/></Relationships>`,
    'xl/styles.xml': STYLES,
  };
}

/** A zip archive that is given away piece by piece. */
class Archive {
  readonly #zip: Zip;
  #pieces: Uint8Array[] = [];
  #open: ZipDeflate | undefined;

  constructor() {
    this.#zip = new Zip((error, piece) => {
      if (error !== null) throw error;
      this.#pieces.push(piece);
    });
  }

  begin(path: string): void {
    this.#open = new ZipDeflate(path, { level: 3 });
    // Files of one content are the same files.
    this.#open.mtime = new Date(1980, 0, 1);
    this.#zip.add(this.#open);
  }

  push(text: string, isLast: boolean): void {
    this.#open?.push(strToU8(text), isLast);
  }

  add(path: string, text: string): void {
    this.begin(path);
    this.push(text, true);
  }

  end(): void {
    this.#zip.end();
  }

  *taken(): Generator<Uint8Array> {
    const pieces = this.#pieces;
    this.#pieces = [];
    yield* pieces;
  }
}
