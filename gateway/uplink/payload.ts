// Records become one payload: indexes of the present birth in place of metric ids, cut well below what a broker lets through.
import { type DataSample, encodeData } from '#contract/data.js';
import { codeOf } from '#domain/quality.js';
import type { RefusedRecord } from '../outbox/outbox.js';
import type { OutboxRecord } from '../ports.js';

export interface BirthIndex {
  readonly number: number;
  indexOf(device: string, metric: string): number | undefined;
}

export interface CutPayload {
  readonly bytes: Uint8Array;
  readonly ids: readonly number[];
}

export interface Cut {
  /** Absent where no record could go. */
  readonly payload?: CutPayload;
  /** Records that no payload can carry: `OUTBOX_METRIC_UNKNOWN`, `OUTBOX_RECORD_TOO_LARGE`. */
  readonly refused: readonly RefusedRecord[];
}

/** A payload that a slow link has through in seconds, so that live data never waits long behind history. */
export const PAYLOAD_BYTES = 16 * 1024;
/** One record alone may be so large. */
export const PAYLOAD_BYTES_MAX = 192 * 1024;

/** Cuts a payload from the front of records of one epoch. */
export function cutPayload(records: readonly OutboxRecord[], birth: BirthIndex, historical: boolean): Cut {
  const refused: RefusedRecord[] = [];
  let sendable: { readonly id: number; readonly epoch: string; readonly samples: readonly DataSample[] }[] = [];
  for (const record of records) {
    const samples = indexSamples(record, birth);
    if (samples === undefined) refused.push({ id: record.id, code: 'OUTBOX_METRIC_UNKNOWN' });
    else sendable.push({ id: record.id, epoch: record.epoch, samples });
  }
  for (;;) {
    const [first] = sendable;
    if (first === undefined) return { refused };
    const samples = sendable.flatMap((record) => record.samples);
    const bytes = encodeData({ birth: birth.number, epoch: first.epoch, historical, samples });
    if (bytes.length <= PAYLOAD_BYTES || (sendable.length === 1 && bytes.length <= PAYLOAD_BYTES_MAX))
      return { payload: { bytes, ids: sendable.map((record) => record.id) }, refused };
    if (sendable.length > 1) sendable = sendable.slice(0, Math.ceil(sendable.length / 2));
    else return { refused: [...refused, { id: first.id, code: 'OUTBOX_RECORD_TOO_LARGE' }] };
  }
}

function indexSamples(record: OutboxRecord, birth: BirthIndex): DataSample[] | undefined {
  const samples: DataSample[] = [];
  for (const { device, metric, value, reason, at } of record.samples) {
    const index = birth.indexOf(device, metric);
    if (index === undefined) return undefined;
    samples.push({ record: record.id, index, at, value, code: codeOf(reason) });
  }
  return samples;
}
