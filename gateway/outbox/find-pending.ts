// What is read from the outbox without a change: records that wait, and how it stands.
import type { OutboxRecord } from '../ports.js';
import { isHistorical, type OutboxStatus, type PendingQuery, type Stream } from './outbox.js';
import { isWhole, OFFLINE, samplesOf } from './record-row.js';
import type { RecordStore } from './record-store.js';

export interface Found {
  readonly records: readonly OutboxRecord[];
  /** Numbers of records that are no longer what was written. */
  readonly damaged: readonly number[];
}

export function findPending(store: RecordStore, stream: Stream, query: PendingQuery): Found {
  const { liveSince, receipted } = query;
  const from = seqBehind(store, query);
  const records: OutboxRecord[] = [];
  const damaged: number[] = [];
  let samples = 0;
  let epoch: string | undefined;
  for (const head of stream === 'live' ? store.liveHeads(liveSince) : store.historyHeads(from, receipted)) {
    if (head.seq < from) continue;
    const offline = (head.flags & OFFLINE) !== 0;
    if (isHistorical({ offline, at: head.at }, liveSince) !== (stream === 'history')) continue;
    const name = store.epochs.nameOf(head.seq);
    if (query.skip(name.epoch, name.id)) continue;
    epoch ??= name.epoch;
    samples += head.samples;
    if (name.epoch !== epoch || records.length >= query.recordsMax) break;
    if (records.length > 0 && samples > query.samplesMax) break;
    const row = store.run.row.get(head.seq);
    if (row === undefined || !isWhole(row)) damaged.push(head.seq);
    else records.push({ ...name, samples: samplesOf(row), offline, at: row.at });
  }
  return { records, damaged };
}

function seqBehind({ epochs }: RecordStore, { after }: PendingQuery): number {
  return after === undefined ? 1 : (epochs.rangeOf(after.epoch)?.base ?? 0) + after.id + 1;
}

export function statusOf({ facts, totals, fillRate }: RecordStore, bytesMax: number): OutboxStatus {
  const counter = (name: string) => facts.get<number>('counter', name) ?? 0;
  return {
    pendingRecords: totals.pending,
    untimedRecords: totals.untimed,
    bytes: totals.bytes,
    pendingBytes: totals.pending === 0 ? 0 : Math.round((totals.bytes * totals.pending) / totals.records),
    bytesMax,
    expired: counter('expired'),
    aggregated: counter('aggregated'),
    expiredSamples: counter('expiredSamples'),
    aggregatedSamples: counter('aggregatedSamples'),
    replayed: counter('replayed'),
    capacityMs: fillRate.lastsMs(bytesMax),
    refused: counter('refused'),
    deadLettersDropped: counter('deadLettersDropped'),
    diskFull: counter('diskFull'),
  };
}
