// The pure part of the ingest: what a payload means under a birth, and what a receipt says.
import type { DataPayload, DataSample } from '#contract/data.js';
import type { Birth, Receipt } from '#contract/session.js';
import { isNumeric } from '#domain/metric.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Point } from '../ports.js';
import { type MetricsByIndex, type PlacedMetric, type Placing, placingOf } from './birth-shelf.js';

/** `INGEST_METRIC_UNKNOWN`: no metric of this index in the birth. `INGEST_TYPE`: a word for a number, or the reverse. */
export type RefusalCode = 'INGEST_METRIC_UNKNOWN' | 'INGEST_TYPE' | 'STORE_TYPE' | 'STORE_TIME';

export interface Refusal {
  readonly record: number;
  readonly code: RefusalCode;
  /** For the dead letters. */
  readonly sample: DataSample | Point;
}

/** One payload's worth of points, stored together and receipted together. */
export interface Lot {
  readonly post: string;
  readonly epoch: string;
  readonly historical: boolean;
  /** Brought by hand: its post waits for no receipt. */
  readonly carried?: true;
  readonly points: readonly Point[];
  /** The record of each point. */
  readonly records: readonly number[];
  readonly refused: readonly Refusal[];
  /** What it takes in memory, about. */
  readonly bytes: number;
}

const METRIC_NAME = /^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$/;

/** Checks what the schema cannot say of a birth (indexes are unique, metrics are of its devices, names are names), and makes ready to place data by it. */
export function indexBirth(birth: Birth): Result<Placing & { readonly metrics: MetricsByIndex }, string> {
  const devices = new Set(birth.devices.map(({ id }) => id));
  if (devices.size !== birth.devices.length) return failed('two devices have one id');
  const indexes = new Set<number>();
  const names = new Set<string>();
  for (const metric of birth.metrics) {
    const name = `${metric.device}/${metric.metric}`;
    if (!METRIC_NAME.test(metric.metric)) return failed(`"${metric.metric}" is no name of a metric`);
    if (!devices.has(metric.device)) return failed(`${name} is of a device that is not there`);
    if (indexes.has(metric.index)) return failed(`two metrics have the index ${metric.index}`);
    if (names.has(name)) return failed(`${name} is there twice`);
    indexes.add(metric.index);
    names.add(name);
  }
  return ok(placingOf(birth));
}

/** Measured: a point of ours, its strings shared with the birth, takes about so much of V8's heap. */
export const POINT_BYTES = 120;

/** Turns a payload into points by the birth that it names. The caller has made sure that the metrics are of this birth. */
export function placePayload(post: string, payload: DataPayload, metrics: MetricsByIndex): Lot {
  const points: Point[] = [];
  const records: number[] = [];
  const refused: Refusal[] = [];
  let bytes = 0;
  for (const sample of payload.samples) {
    const metric = metrics.get(sample.index);
    const code = metric === undefined ? 'INGEST_METRIC_UNKNOWN' : typeFault(metric, sample);
    bytes += POINT_BYTES + (typeof sample.value === 'string' ? 2 * sample.value.length : 0);
    if (metric === undefined || code !== undefined) {
      refused.push({ record: sample.record, code: code ?? 'INGEST_METRIC_UNKNOWN', sample });
      continue;
    }
    points.push({
      post,
      device: metric.device,
      metric: metric.metric,
      at: sample.at,
      value: sample.value,
      code: sample.code,
    });
    records.push(sample.record);
  }
  return { post, epoch: payload.epoch, historical: payload.historical, points, records, refused, bytes };
}

function typeFault(metric: PlacedMetric, { value }: DataSample): 'INGEST_TYPE' | undefined {
  if (value === null) return undefined;
  return (typeof value === 'number') === isNumeric(metric.kind) ? undefined : 'INGEST_TYPE';
}

/** Most ranges, and most refusals, in one receipt. */
const RECEIPT_ENTRIES_MAX = 2000;

/**
 * The receipts for lots of one post and epoch that the store has confirmed. They name only records that were in these lots;
 * a record of which something was refused is named as refused, whatever else of it was stored.
 */
export function receiptsFor(
  epoch: string,
  lots: readonly Lot[],
  refusals: readonly Pick<Refusal, 'record' | 'code'>[],
): Receipt[] {
  const refused = new Map(refusals.map(({ record, code }) => [record, code]));
  const stored = rangesOf(lots.flatMap(({ records }) => records).filter((record) => !refused.has(record)));
  const refusedList = [...refused].map(([id, code]) => ({ id, code }));
  const receipts: Receipt[] = [];
  const count = Math.max(stored.length, refusedList.length);
  for (let start = 0; start < count; start += RECEIPT_ENTRIES_MAX) {
    const some = refusedList.slice(start, start + RECEIPT_ENTRIES_MAX);
    receipts.push({
      epoch,
      stored: stored.slice(start, start + RECEIPT_ENTRIES_MAX),
      ...(some.length > 0 && { refused: some }),
    });
  }
  return receipts;
}

/** Ids in any order, also twice, as ranges with both ends included. */
export function rangesOf(ids: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && id <= last[1] + 1) last[1] = Math.max(last[1], id);
    else ranges.push([id, id]);
  }
  return ranges;
}
