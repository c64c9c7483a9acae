// What goes when the space is needed, in this order: what is receipted; what a mean can stand for; the oldest.

import type { OutboxSample } from '../ports.js';
import { RECORD_SAMPLES_MAX } from '../record/recorder.js';
import { aggregateRecords, minuteOf, type PlainRecord } from './aggregate.js';
import type { Facts } from './facts.js';
import { RECORD_OVERHEAD_BYTES } from './outbox.js';
import { AGGREGATED, bytesOf, OFFLINE, type RecordRow, rowOf, samplesOf } from './record-row.js';
import type { RecordStore } from './record-store.js';

/** Records that are looked at in one step. */
const STEP_ROWS = 1000;

export class Room {
  readonly #store: RecordStore;
  /** Up to here everything that a mean can stand for is one. */
  #aggregatedTo = 0;
  #rollBacks = 0;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /** Within a transaction: frees so many bytes. Without `mayThin` only receipted records go. */
  make(bytes: number, mayThin = true): void {
    // What was aggregated in a transaction that came to nothing is not.
    if (this.#rollBacks !== this.#store.rollBacks) this.#aggregatedTo = 0;
    this.#rollBacks = this.#store.rollBacks;
    let left = bytes;
    const free = (step: (bytes: number) => number | undefined): void => {
      while (left > 0) {
        const freed = step(left);
        if (freed === undefined) return;
        left -= freed;
      }
    };
    free((most) => this.#freeReceipted(most));
    if (!mayThin) return;
    free(() => this.#aggregateNext());
    free((most) => this.#expireOldest(most));
  }

  /** Bytes that went; `undefined` where nothing is receipted. */
  #freeReceipted(bytes: number): number | undefined {
    const { receipted, run } = this.#store;
    const [first] = receipted.list();
    if (first === undefined) return undefined;
    const oldest = receipted.list().reduce((least, range) => (range.at < least.at ? range : least), first);
    let until = oldest.last;
    let found = 0;
    for (const size of run.sizesIn.iterate(oldest.first, oldest.last)) {
      found += size.bytes + RECORD_OVERHEAD_BYTES;
      if (found < bytes) continue;
      until = size.seq;
      break;
    }
    return this.#store.removeReceipted(oldest.first, until);
  }

  /** Bytes that the next stretch of never-sent records gave; `undefined` where there is none. */
  #aggregateNext(): number | undefined {
    const store = this.#store;
    const rows = this.#nextPlainRows();
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    let freed = 0;
    const bySeq = new Map(rows.map((row) => [row.seq, row]));
    for (const { replaces, record, samples } of aggregateRecords(rows.map(plainOf(store)), RECORD_SAMPLES_MAX)) {
      const kept = bySeq.get(record.seq);
      if (kept === undefined) continue;
      for (const seq of replaces) {
        const row = bySeq.get(seq);
        if (row === undefined) continue;
        freed += bytesOf(row);
        if (seq !== record.seq) store.run.removeIn.run(seq, seq);
      }
      const offline = (kept.flags & OFFLINE) !== 0;
      const made = rowOf(record.seq, { samples: record.samples, at: record.at, offline }, true);
      store.run.replace.run(made);
      freed -= bytesOf(made);
      store.grow({ records: 1 - replaces.length, pending: 1 - replaces.length });
      store.facts.add('aggregated', replaces.length);
      store.facts.add('aggregatedSamples', samples);
    }
    store.grow({ bytes: -freed });
    this.#aggregatedTo = last.seq;
    return freed;
  }

  /** Whole minutes, but the one that is still running. */
  #nextPlainRows(): RecordRow[] {
    const store = this.#store;
    const running = minuteOf(store.run.newestAt.get() ?? 0);
    const rows: RecordRow[] = [];
    for (const [from, to] of store.waitingIn(this.#aggregatedTo + 1, store.lastSeq))
      for (const [first, last] of store.sent.gaps(from, to))
        for (const row of store.run.rows.iterate(first, last)) {
          const isNewMinute = minuteOf(row.at) !== minuteOf(rows.at(-1)?.at ?? row.at);
          if (rows.length >= STEP_ROWS && isNewMinute) return rows;
          if (row.shift === null || (row.flags & AGGREGATED) !== 0 || minuteOf(row.at) === running) continue;
          rows.push(row);
        }
    return rows;
  }

  #expireOldest(bytes: number): number | undefined {
    const store = this.#store;
    const rows: RecordRow[] = [];
    let found = 0;
    for (const [first, last] of store.waitingIn(1, store.lastSeq))
      for (const row of found < bytes ? store.run.rows.iterate(first, last) : []) {
        rows.push(row);
        found += bytesOf(row);
        if (found >= bytes || rows.length >= STEP_ROWS) break;
      }
    if (rows.length === 0) return undefined;
    for (const row of rows) {
      const told = row.shift === null ? 0 : this.#rememberLost(row);
      store.facts.add('expired', 1);
      store.facts.add('expiredSamples', row.samples - told);
      store.removeWaiting(row);
    }
    return found;
  }

  /** Gives how many of its samples only told of others that were lost before. */
  #rememberLost(row: RecordRow): number {
    const { facts, sent } = this.#store;
    const isSent = sent.has(row.seq);
    let told = 0;
    for (const { device, metric, at, reason } of samplesOf(row)) {
      const name = JSON.stringify(isSent ? [device, metric, 'sent'] : [device, metric]);
      const first = facts.get<number>('lost', name);
      if (first === undefined || at < first) facts.set('lost', name, at);
      if (reason === 'expired') told += 1;
    }
    return told;
  }
}

/**
 * One sample without a value for each metric that lost some: at the time of the first that was never sent. The store may have
 * what was sent, and a mark at its very time would take its place: where nothing else was lost the mark stands behind it.
 */
export function lostSamples(facts: Facts, hasTime: (device: string, at: number) => boolean): OutboxSample[] {
  return facts.entries<number>('lost').flatMap(([name, first]): OutboxSample[] => {
    const [device = '', metric = '', sent] = JSON.parse(name) as string[];
    if (sent !== undefined && facts.get('lost', JSON.stringify([device, metric])) !== undefined) return [];
    let at = first;
    while (sent !== undefined && (at === first || hasTime(device, at))) at += 1;
    return [{ device, metric, value: null, reason: 'expired', at }];
  });
}

const plainOf =
  (store: RecordStore) =>
  (row: RecordRow): PlainRecord => ({
    seq: row.seq,
    key: `${store.epochs.nameOf(row.seq).epoch} ${row.flags & OFFLINE} ${row.boot ?? ''}`,
    at: row.at,
    samples: samplesOf(row),
  });
