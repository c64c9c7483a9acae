// What the sender and the server say of records, by epoch and id. Kept in memory, and on the disk with the next transaction: a
// receipt that a crash takes costs a record sent twice, and storing it again changes nothing.
import { rangesOf } from '../uplink/id-ranges.js';
import type { RefusedRecord } from './outbox.js';
import type { RecordStore } from './record-store.js';

export function noteSent(store: RecordStore, epoch: string, ids: readonly number[]): void {
  const own = store.epochs.rangeOf(epoch);
  if (own === undefined) return;
  const last = Math.min(own.last, store.lastSeq);
  const seqs = ids.filter((id) => id >= 1).map((id) => own.base + id);
  for (const [from, to] of rangesOf(seqs)) store.sent.add(from, Math.min(to, last));
}

/** Gives how many records waited. Ids that are not there any more, or never were, do nothing. */
export function noteReceipts(
  store: RecordStore,
  epoch: string,
  ranges: readonly (readonly [number, number])[],
  at: number,
): number {
  const own = store.epochs.rangeOf(epoch);
  if (own === undefined) return 0;
  let changed = 0;
  for (const [firstId, lastId] of ranges) {
    const first = own.base + Math.max(1, firstId);
    const last = Math.min(own.base + lastId, own.last);
    for (const gap of store.waitingIn(first, last)) changed += receipt(store, gap, at);
  }
  store.grow({ pending: -changed });
  return changed;
}

function receipt(store: RecordStore, [first, last]: readonly [number, number], at: number): number {
  if (store.totals.untimed === 0) {
    const count = store.countLiving(first, last);
    if (count > 0) store.receipt(first, last, at);
    return count;
  }
  // What has no time yet was never sent.
  const seqs = store.run.timedIn.all(first, last);
  for (const [from, to] of rangesOf(seqs)) store.receipt(from, to, at);
  return seqs.length;
}

/** Those of the refused records that wait, each once. */
export function lettersOf(
  store: RecordStore,
  epoch: string,
  refused: readonly RefusedRecord[],
): { readonly seq: number; readonly code: string }[] {
  const own = store.epochs.rangeOf(epoch);
  if (own === undefined) return [];
  const letters = new Map<number, string>();
  for (const { id, code } of refused) {
    const seq = own.base + id;
    const waits = id >= 1 && seq <= own.last && !store.receipted.has(seq) && store.run.size.get(seq) !== undefined;
    if (waits && !letters.has(seq)) letters.set(seq, code);
  }
  return [...letters].map(([seq, code]) => ({ seq, code }));
}
