// Records that come to wait once more or at last: dead letters, what an operator asks for again, what learns its time.
import { rangesOf } from '../uplink/id-ranges.js';
import { timesOf } from './body.js';
import { type DeadLetter, freeShift } from './outbox.js';
import { isWhole, samplesOf, sealed } from './record-row.js';
import type { RecordStore } from './record-store.js';

/** Newest last. */
export function deadLettersOf(store: RecordStore, limit: number): readonly DeadLetter[] {
  const seqs = limit > 0 ? store.dead.slice(-limit) : [];
  return seqs.flatMap((seq) => {
    const row = store.run.row.get(seq);
    if (row === undefined) return [];
    return [{ ...store.epochs.nameOf(seq), code: row.code ?? '', samples: samplesOf(row) }];
  });
}

/** Within a transaction. What is damaged, or has no time, can never be sent. Gives how many wait again. */
export function raiseDeadLetters(store: RecordStore): number {
  const before = store.dead.length;
  store.dead = store.dead.filter((seq) => {
    const row = store.run.row.get(seq);
    if (row === undefined || row.shift === null || !isWhole(row)) return true;
    store.raise(row);
    return false;
  });
  return before - store.dead.length;
}

/** Within a transaction: makes receipted records since then wait again. Gives how many. */
export function replaySince(store: RecordStore, since: number): number {
  let changed = 0;
  for (const { first, last } of [...store.receipted.list()]) {
    const seqs = store.run.sinceIn.all(first, last, since);
    for (const [from, to] of stretchesOf(store, seqs)) {
      store.receipted.remove(from, to);
      // The store may have it still: a mean or a mark in its place would take the place of what is there.
      store.sent.add(from, to);
    }
    changed += seqs.length;
  }
  store.grow({ pending: changed });
  store.facts.add('replayed', changed);
  return changed;
}

/** Of rising numbers. One stretch where no other record stands between them: what aggregation left out parts nothing. */
function stretchesOf(store: RecordStore, seqs: readonly number[]): readonly (readonly [number, number])[] {
  const [first = 0] = seqs;
  const last = seqs.at(-1) ?? 0;
  return seqs.length > 0 && store.countLiving(first, last) === seqs.length ? [[first, last]] : rangesOf(seqs);
}

/** Within a transaction: times the records of this boot, and buries those of others. Gives how many were timed. */
export function giveTime(store: RecordStore, boot: string, offsetMs: number, lettersMax: number): number {
  const rows = store.run.untimedFrom.all(store.untimedFrom);
  const own = rows.filter((row) => row.boot === boot);
  const times = own.flatMap((row) => timesOf(samplesOf(row)));
  const shift = freeShift(times, offsetMs, (device, at) => store.hasTime(device, at));
  const damaged: { seq: number; code: string }[] = [];
  let timed = 0;
  for (const row of own) {
    if (!isWhole(row)) {
      damaged.push({ seq: row.seq, code: 'OUTBOX_RECORD_DAMAGED' });
      continue;
    }
    const given = sealed({ ...row, at: row.at + shift, shift });
    store.run.replace.run(given);
    store.note(given, samplesOf(given));
    timed += 1;
  }
  store.grow({ untimed: -timed });
  const others = rows.filter((row) => row.boot !== boot).map(({ seq }) => ({ seq, code: 'OUTBOX_TIME_UNKNOWN' }));
  store.bury([...damaged, ...others], lettersMax);
  return timed;
}
