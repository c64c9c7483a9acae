// Rows on a raw page of the database (sqlite.org/fileformat2.html, section 1.6), for a file that SQLite cannot read any more.
import { type FactRow, isWholeFact } from './facts.js';
import { FACT_COLUMNS, PAGE_BYTES, RECORD_COLUMNS } from './outbox-schema.js';
import { isWhole, type RecordRow } from './record-row.js';

const TABLE_LEAF = 0x0d;
const LEAF_HEADER_BYTES = 8;
/** Of a cell, what stands on the leaf itself at most, and at least where it flows over. */
const LOCAL_MAX = PAGE_BYTES - 35;
const LOCAL_MIN = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
/** No body is larger: a cell that says so is damaged. */
const PAYLOAD_MAX = 16 * 1024 * 1024;

export interface PageRows {
  readonly records: readonly RecordRow[];
  readonly facts: readonly FactRow[];
  /** Rows whose checksum does not hold, or that are no rows. */
  readonly damaged: number;
}

type Cell = string | number | null | Buffer;
type ReadPage = (page: number) => Buffer | undefined;

const NONE: PageRows = { records: [], facts: [], damaged: 0 };

/** All rows of a leaf of `record` or `fact` whose checksum holds; none of any other page. */
export function rowsOfPage(image: Buffer, readPage: ReadPage): PageRows {
  if (image.length < PAGE_BYTES || image[0] !== TABLE_LEAF) return NONE;
  const count = Math.min(image.readUInt16BE(3), (PAGE_BYTES - LEAF_HEADER_BYTES) / 2);
  const records: RecordRow[] = [];
  const facts: FactRow[] = [];
  let damaged = 0;
  for (let i = 0; i < count; i += 1) {
    const row = rowAt(image, image.readUInt16BE(LEAF_HEADER_BYTES + i * 2), readPage);
    if (row === undefined) damaged += 1;
    else if ('body' in row) records.push(row);
    else facts.push(row);
  }
  return { records, facts, damaged };
}

function rowAt(image: Buffer, at: number, readPage: ReadPage): RecordRow | FactRow | undefined {
  try {
    const [length, afterLength] = varint(image, at);
    const [rowid, start] = varint(image, afterLength);
    if (length > PAYLOAD_MAX) return undefined;
    const cells = cellsOf(payloadAt(image, start, length, readPage));
    if (cells.length === RECORD_COLUMNS) {
      const [, moment, shift, boot, flags, samples, before, after, code, crc, body] = cells;
      // A checksum takes null for zero.
      const areNumbers = [moment, flags, samples, before, after, crc].every((cell) => typeof cell === 'number');
      const areTexts = [boot, code].every((cell) => cell === null || typeof cell === 'string');
      if (!Buffer.isBuffer(body) || !areNumbers || !areTexts || (shift !== null && typeof shift !== 'number'))
        return undefined;
      const row = { seq: rowid, at: moment, shift, boot, flags, samples, before, after, code, crc, body } as RecordRow;
      return isWhole(row) ? row : undefined;
    }
    if (cells.length !== FACT_COLUMNS) return undefined;
    const [, kind, name, value, crc] = cells;
    if (![kind, name, value].every((cell) => typeof cell === 'string')) return undefined;
    const row = { number: rowid, kind, name, value, crc } as FactRow;
    return isWholeFact(row) ? row : undefined;
  } catch (error) {
    // Lengths and offsets that lie lead outside the page.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function payloadAt(image: Buffer, start: number, length: number, readPage: ReadPage): Buffer {
  if (length <= LOCAL_MAX) return slice(image, start, length);
  const fitting = LOCAL_MIN + ((length - LOCAL_MIN) % (PAGE_BYTES - 4));
  const local = fitting <= LOCAL_MAX ? fitting : LOCAL_MIN;
  const parts = [slice(image, start, local)];
  let next = image.readUInt32BE(start + local);
  for (let left = length - local; left > 0; ) {
    const page = readPage(next);
    if (page === undefined) throw new RangeError('the chain ends');
    const part = slice(page, 4, Math.min(left, PAGE_BYTES - 4));
    parts.push(part);
    left -= part.length;
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (start + length > bytes.length) throw new RangeError('outside');
  return bytes.subarray(start, start + length);
}

function cellsOf(payload: Buffer): Cell[] {
  const [headerBytes, afterLength] = varint(payload, 0);
  const cells: Cell[] = [];
  let at = headerBytes;
  for (let from = afterLength; from < headerBytes; ) {
    const [type, next] = varint(payload, from);
    const [cell, length] = cellOf(payload, at, type);
    cells.push(cell);
    at += length;
    from = next;
  }
  return cells;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8] as const;

function cellOf(payload: Buffer, at: number, type: number): [Cell, number] {
  if (type === 0) return [null, 0];
  if (type === 8 || type === 9) return [type - 8, 0];
  if (type === 7) return [payload.readDoubleBE(at), 8];
  const integerBytes = INTEGER_BYTES[type];
  if (integerBytes === 8) return [Number(payload.readBigInt64BE(at)), 8];
  if (integerBytes !== undefined) return [payload.readIntBE(at, integerBytes), integerBytes];
  const length = Math.floor((type - 12) / 2);
  const bytes = slice(payload, at, length);
  return [type % 2 === 0 ? bytes : bytes.toString('utf8'), length];
}

/** SQLite's variable length integer: the number and where it ends. */
function varint(bytes: Buffer, at: number): [number, number] {
  let value = 0;
  for (let i = 0; i < 8; i += 1) {
    const byte = bytes.readUInt8(at + i);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  return [value * 256 + bytes.readUInt8(at + 8), at + 9];
}
