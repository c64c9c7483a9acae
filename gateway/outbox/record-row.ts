// A record as a row, with the checksum over all of it that never changes by itself.
import { crc32 } from 'node:zlib';
import type { OutboxSample } from '../ports.js';
import { decodeSamples, encodeSamples } from './body.js';
import { RECORD_OVERHEAD_BYTES, type RecordDraft } from './outbox.js';

export const OFFLINE = 1;
/** Made of several records when the outbox ran full; never again. */
export const AGGREGATED = 2;

/** All but the body. */
export interface RowHead {
  readonly seq: number;
  readonly at: number;
  readonly shift: number | null;
  readonly boot: string | null;
  readonly flags: number;
  readonly samples: number;
  readonly before: number;
  readonly after: number;
  readonly code: string | null;
  readonly crc: number;
}

export interface RecordRow extends RowHead {
  readonly body: Buffer;
}

const FIELDS = 7;

/** The reason of a dead letter is not in it: that comes later, and means nothing for the samples. */
function rowCrc(row: Omit<RecordRow, 'crc' | 'code'>): number {
  const head = Buffer.alloc(FIELDS * 8);
  const fields = [row.seq, row.at, row.shift ?? Number.NaN, row.flags, row.samples, row.before, row.after];
  fields.forEach((field, i) => {
    head.writeDoubleLE(field, i * 8);
  });
  return crc32(row.body, crc32(row.boot ?? '', crc32(head)));
}

export function isWhole(row: RecordRow): boolean {
  return row.crc === rowCrc(row);
}

export function sealed(row: Omit<RecordRow, 'crc'>): RecordRow {
  return { ...row, crc: rowCrc(row) };
}

/** What the row counts for against the limit. */
export function bytesOf(row: { readonly body: Uint8Array }): number {
  return row.body.length + RECORD_OVERHEAD_BYTES;
}

export function rowOf(seq: number, draft: RecordDraft, aggregated = false): RecordRow {
  const { samples } = draft;
  const at = Math.round(draft.at);
  let [min, max] = [at, at];
  for (const sample of samples) {
    min = Math.min(min, sample.at);
    max = Math.max(max, sample.at);
  }
  return sealed({
    seq,
    at,
    shift: draft.boot === undefined ? 0 : null,
    boot: draft.boot ?? null,
    flags: (draft.offline ? OFFLINE : 0) | (aggregated ? AGGREGATED : 0),
    samples: samples.length,
    before: Math.ceil(at - min),
    after: Math.ceil(max - at),
    code: null,
    body: encodeSamples(samples),
  });
}

/** Its samples; none where the bytes are no longer what was written. */
export function samplesOf(row: RecordRow): OutboxSample[] {
  return isWhole(row) ? decodeSamples(row.body, row.shift ?? 0) : [];
}
