// The data payload: many samples in columns, CBOR, deflated. Nothing is rounded: what comes out is what went in, bit for bit.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { Encoder } from 'cbor-x';
import { failed, ok, type Result } from '#domain/result.js';
import { type Column, packColumn, unpackColumn } from './column.js';
import { EPOCH_PATTERN } from './session.js';
import { stepsOf, sumsOf } from './steps.js';
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
const epochForm = new RegExp(EPOCH_PATTERN);

/** A row is one (record, time); columns say for which rows they have a sample. */
interface Row {
  readonly record: number;
  readonly at: number;
}

/** Encodes samples of one epoch under one birth. Samples may come in any order; `first` and `last` are taken from them. */
export function encodeData(payload: Omit<DataPayload, 'first' | 'last'>): Buffer {
  return deflateRawSync(packData(payload), { level: 9, memLevel: 9 });
}

/** The payload before deflation. Golden samples are of this form, since zlib's output is not the same in every version. */
export function packData(payload: Omit<DataPayload, 'first' | 'last'>): Buffer {
  const sorted = [...payload.samples].sort((a, b) => a.record - b.record || a.at - b.at || a.index - b.index);
  const rows: Row[] = [];
  // A column holds numbers or words. What has both has two columns.
  const columns = new Map<number, { index: number; rows: number[]; samples: DataSample[] }>();
  for (const sample of sorted) {
    const newest = rows.at(-1);
    if (newest === undefined || newest.record !== sample.record || newest.at !== sample.at) rows.push(sample);
    const key = sample.index * 2 + (typeof sample.value === 'string' ? 1 : 0);
    let column = columns.get(key);
    if (column === undefined) {
      column = { index: sample.index, rows: [], samples: [] };
      columns.set(key, column);
    }
    column.rows.push(rows.length - 1);
    column.samples.push(sample);
  }
  const packed: Column[] = [...columns.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, { index, rows: places, samples }]) => packColumn(index, places, rows.length, samples));
  return Buffer.from(
    cbor.encode([
      WIRE_VERSION,
      payload.birth,
      payload.epoch,
      rows[0]?.record ?? 0,
      rows.at(-1)?.record ?? 0,
      payload.historical ? 1 : 0,
      stepsOf(rows.map((row) => row.record)),
      stepsOf(rows.map((row) => row.at)),
      packed,
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
    inflated = inflateRawSync(bytes, { maxOutputLength: DATA_INFLATED_BYTES_MAX, finishFlush: constants.Z_FINISH });
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
  if (!Array.isArray(root) || root.length !== 9) return form('not an array of nine');
  const [version, birth, epoch, first, last, historical, recordSteps, timeSteps, columns] = root as unknown[];
  if (version !== WIRE_VERSION) return failed({ code: 'DATA_VERSION', message: `version ${String(version)}` });
  if (!isId(birth) || !isId(first) || !isId(last)) return form('birth, first or last is no id');
  if (typeof epoch !== 'string' || !epochForm.test(epoch)) return form('epoch');
  if (historical !== 0 && historical !== 1) return form('historical');
  const records = sumsOf(recordSteps, DATA_SAMPLES_MAX);
  const times = sumsOf(timeSteps, DATA_SAMPLES_MAX);
  if (records === undefined || times === undefined || records.length !== times.length) return form('rows');
  if (times.some((at) => at < 0)) return form('a time before 1970');
  if (records.some((record) => record < first || record > last)) return form('a record outside first and last');
  if (!Array.isArray(columns)) return form('columns');
  const samples: DataSample[] = [];
  for (const column of columns) {
    const cells = unpackColumn(column, records.length, DATA_SAMPLES_MAX - samples.length);
    if (cells === undefined) return form('a column');
    for (const cell of cells)
      samples.push({
        record: records[cell.row] as number,
        index: cell.index,
        at: times[cell.row] as number,
        value: cell.value,
        code: cell.code,
      });
  }
  return ok({ birth, epoch, first, last, historical: historical === 1, samples });
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
