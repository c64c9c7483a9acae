// The data payload: many samples in columns, in a shell of CBOR, deflated over a dictionary of common bytes. Nothing is
// rounded: what comes out is what went in, bit for bit.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { Encoder } from 'cbor-x';
import { failed, ok, type Result } from '#domain/result.js';
import { DICTIONARY } from './dictionary.js';
import { type PlacedCell, type Row, readGroups, readRows, writeGroups, writeRows } from './group.js';
import { ByteReader, ByteWriter } from './varint.js';
import { WIRE_VERSION } from './version.js';

/** One sample as it travels: the record that holds it, the metric's index in the birth, and the rest of the reading. */
export interface DataSample {
  readonly record: number;
  readonly index: number;
  /** Source time, epoch milliseconds. */
  readonly at: number;
  /** null where the quality code says that there is no value. */
  readonly value: number | string | null;
  /** Number of the reason, as in `domain/quality.ts`. */
  readonly code: number;
}

export interface DataPayload {
  /** Number of the birth that the indexes belong to. */
  readonly birth: number;
  readonly epoch: string;
  /** Lowest and highest record id in it. */
  readonly first: number;
  readonly last: number;
  readonly historical: boolean;
  readonly samples: readonly DataSample[];
}

/** Largest payload that a broker of ours lets through. */
export const DATA_BYTES_MAX = 256 * 1024;
/** Largest payload once inflated: deflate cannot be allowed to turn 256 kB into gigabytes. */
export const DATA_INFLATED_BYTES_MAX = 4 * 1024 * 1024;
/** Most samples in one payload. A gateway cuts its batches far below. */
export const DATA_SAMPLES_MAX = 100_000;

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: false });
const EPOCH_BYTES = 8;

/** Encodes samples of one epoch under one birth. Samples may come in any order; `first` and `last` are taken from them. */
export function encodeData(payload: Omit<DataPayload, 'first' | 'last'>): Buffer {
  return deflateRawSync(packData(payload), { level: 9, memLevel: 9, dictionary: DICTIONARY });
}

/**
 * The payload before deflation: [version, birth, epoch, historical, rows, columns], the last two as bytes of their own. Golden
 * samples are of this form, since zlib's output is not the same in every version.
 */
export function packData(payload: Omit<DataPayload, 'first' | 'last'>): Buffer {
  const sorted = [...payload.samples].sort((a, b) => a.record - b.record || a.at - b.at || a.index - b.index);
  const rows: Row[] = [];
  const placed = sorted.map(({ record, at, index, value, code }): PlacedCell => {
    const newest = rows.at(-1);
    if (newest === undefined || newest.record !== record || newest.at !== at) rows.push({ record, at });
    return { index, row: rows.length - 1, value, code };
  });
  const rowWriter = new ByteWriter(rows.length * 4);
  writeRows(rowWriter, rows);
  const columnWriter = new ByteWriter(placed.length * 4);
  writeGroups(columnWriter, placed, rows.length);
  return Buffer.from(
    cbor.encode([
      WIRE_VERSION,
      payload.birth,
      Buffer.from(payload.epoch, 'hex'),
      payload.historical ? 1 : 0,
      rowWriter.written(),
      columnWriter.written(),
    ]),
  );
}

/**
 * Decodes and checks a payload. Faults: `DATA_TOO_LARGE`, `DATA_NOT_DEFLATE`, `DATA_NOT_CBOR`, `DATA_FORM`,
 * `DATA_VERSION`. Never throws, whatever the bytes are.
 */
export function decodeData(bytes: Uint8Array): Result<DataPayload, DataFault> {
  if (bytes.length > DATA_BYTES_MAX) return failed({ code: 'DATA_TOO_LARGE', message: `${bytes.length} bytes` });
  let inflated: Buffer;
  try {
    inflated = inflateRawSync(bytes, {
      maxOutputLength: DATA_INFLATED_BYTES_MAX,
      finishFlush: constants.Z_FINISH,
      dictionary: DICTIONARY,
    });
  } catch (error) {
    const code =
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'DATA_TOO_LARGE' : 'DATA_NOT_DEFLATE';
    return failed({ code, message: (error as Error).message });
  }
  return unpackData(inflated);
}

export interface DataFault {
  readonly code: 'DATA_TOO_LARGE' | 'DATA_NOT_DEFLATE' | 'DATA_NOT_CBOR' | 'DATA_FORM' | 'DATA_VERSION';
  readonly message: string;
}

const form = (message: string): Result<never, DataFault> => failed({ code: 'DATA_FORM', message });

/** The inverse of {@link packData}. */
export function unpackData(inflated: Uint8Array): Result<DataPayload, DataFault> {
  let root: unknown;
  try {
    root = cbor.decode(inflated);
  } catch (error) {
    return failed({ code: 'DATA_NOT_CBOR', message: (error as Error).message });
  }
  if (!Array.isArray(root) || root.length !== 6) return form('not an array of six');
  const [version, birth, epochBytes, historical, rowBytes, columnBytes] = root as unknown[];
  if (version !== WIRE_VERSION) return failed({ code: 'DATA_VERSION', message: `version ${String(version)}` });
  if (!isId(birth)) return form('birth');
  if (!(epochBytes instanceof Uint8Array) || epochBytes.length !== EPOCH_BYTES) return form('epoch');
  if (historical !== 0 && historical !== 1) return form('historical');
  if (!(rowBytes instanceof Uint8Array) || !(columnBytes instanceof Uint8Array)) return form('rows or columns');
  const rows = readRows(new ByteReader(rowBytes), DATA_SAMPLES_MAX);
  if (rows === undefined) return form('rows');
  const cells = readGroups(new ByteReader(columnBytes), rows.length, DATA_SAMPLES_MAX);
  if (cells === undefined) return form('columns');
  const samples = cells.map(({ index, row, value, code }): DataSample => {
    const { record, at } = rows[row] as Row;
    return { record, index, at, value, code };
  });
  const [first, last] = endsOf(rows);
  const epoch = Buffer.from(epochBytes).toString('hex');
  return ok({ birth, epoch, first, last, historical: historical === 1, samples });
}

/** Lowest and highest record; 0 where there is none. */
function endsOf(rows: readonly Row[]): [number, number] {
  let first = rows[0]?.record ?? 0;
  let last = first;
  for (const { record } of rows) {
    first = Math.min(first, record);
    last = Math.max(last, record);
  }
  return [first, last];
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
