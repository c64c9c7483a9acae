// The records on the disk, with what is remembered of them in memory. Everything that changes them is one transaction: where it
// fails, memory goes back to what the disk says.
import type Database from 'better-sqlite3';
import { Epochs } from './epochs.js';
import { Facts } from './facts.js';
import { FillRate } from './fill-rate.js';
import { RECORD_OVERHEAD_BYTES } from './outbox.js';
import { prepareStatements, type Statements } from './outbox-statements.js';
import { bytesOf, OFFLINE, type RecordRow, type RowHead, samplesOf } from './record-row.js';
import { SeqRanges } from './seq-ranges.js';
import { Zones, zoneOf, zoneRange } from './zones.js';

/** Receipts whose times lie closer than this part of the time they are kept for are remembered as one. */
const RECEIPT_STEPS = 100;

interface Totals {
  /** All records but dead letters, and their bytes. */
  readonly records: number;
  readonly bytes: number;
  readonly pending: number;
  readonly untimed: number;
}

export class RecordStore {
  readonly facts: Facts;
  readonly receipted: SeqRanges;
  readonly sent: SeqRanges;
  /** Numbers whose records left: what a damaged file still shows of them is not to be brought back. */
  readonly gone: SeqRanges;
  readonly epochs: Epochs;
  readonly zones = new Zones();
  readonly fillRate = new FillRate();
  readonly run: Statements;
  /** Dead letters, oldest first. Another list with each change, so that a transaction can go back. */
  dead: readonly number[] = [];
  /** Highest number ever given. */
  lastSeq = 0;
  /** No record of unknown time has a lower number. */
  untimedFrom = Number.MAX_SAFE_INTEGER;
  /** Transactions that came to nothing. */
  rollBacks = 0;
  /** Commits since then outlive the process only. */
  isUnsynced = true;
  #totals: Totals = { records: 0, bytes: 0, pending: 0, untimed: 0 };
  readonly #transaction: (work: () => void) => void;

  constructor(database: Database.Database, keepReceiptedMs: number) {
    this.facts = new Facts(database);
    this.receipted = new SeqRanges(this.facts, 'receipted', keepReceiptedMs / RECEIPT_STEPS);
    this.sent = new SeqRanges(this.facts, 'sent');
    this.gone = new SeqRanges(this.facts, 'gone');
    this.epochs = new Epochs(this.facts);
    this.run = prepareStatements(database);
    this.#transaction = database.transaction((work: () => void) => work());
    this.#load();
  }

  get totals(): Totals {
    return this.#totals;
  }

  grow(by: Partial<Totals>): void {
    const { records, bytes, pending, untimed } = this.#totals;
    this.#totals = {
      records: records + (by.records ?? 0),
      bytes: bytes + (by.bytes ?? 0),
      pending: pending + (by.pending ?? 0),
      untimed: untimed + (by.untimed ?? 0),
    };
  }

  /** Also writes the facts that changed before. */
  transact<T>(work: () => T): T {
    const totals = this.#totals;
    const { lastSeq, dead } = this;
    const done: T[] = [];
    this.facts.begin();
    try {
      this.#transaction(() => {
        done.push(work());
        this.facts.write();
      });
    } catch (error) {
      this.#totals = totals;
      this.lastSeq = lastSeq;
      this.dead = dead;
      this.rollBacks += 1;
      this.facts.rollBack();
      for (const kept of [this.receipted, this.sent, this.gone, this.epochs]) kept.reload();
      throw error;
    }
    this.facts.settle();
    this.isUnsynced = true;
    return done[0] as T;
  }

  #load(): void {
    const dead: number[] = [];
    let next = this.run.firstFrom.get(0);
    while (typeof next === 'number') {
      const zone = zoneOf(next);
      const [first, last] = zoneRange(zone);
      const sums = this.run.sumZone.get(first, last);
      if (sums === undefined) break;
      this.zones.widen(zone, sums.min, sums.max, sums.online ?? Number.NEGATIVE_INFINITY);
      if (sums.newest !== null) this.fillRate.add(sums.newest, sums.bytes);
      if (sums.dead > 0) dead.push(...this.run.deadIn.all(first, last));
      if (sums.untimed > 0) this.untimedFrom = Math.min(this.untimedFrom, first);
      this.grow({ records: sums.living, bytes: sums.bytes, pending: sums.living, untimed: sums.untimed });
      this.lastSeq = Math.max(this.lastSeq, sums.last);
      next = this.run.firstFrom.get(last + 1);
    }
    this.dead = dead;
    for (const { first, last } of this.receipted.list()) this.grow({ pending: -this.countLiving(first, last) });
    const newest = [this.receipted, this.sent, this.gone].map((ranges) => ranges.list().at(-1)?.last ?? 0);
    this.lastSeq = Math.max(this.lastSeq, ...newest, this.epochs.highestBase);
  }

  /** Records in [first, last] that are no dead letters. */
  countLiving(first: number, last: number): number {
    return this.run.countIn.get(first, last) ?? 0;
  }

  /** Where records wait in [first, last]: what is not receipted. */
  waitingIn(first: number, last: number): [number, number][] {
    return this.receipted.gaps(first, Math.min(last, this.lastSeq));
  }

  /** @param receipted with what is receipted and still kept */
  *historyHeads(from = 1, receipted = false): Generator<RowHead> {
    const spans = receipted ? [[from, this.lastSeq] as const] : this.waitingIn(from, this.lastSeq);
    for (const [first, last] of spans) yield* this.run.heads.iterate(first, last);
  }

  /** All that waits where something may be live. */
  *liveHeads(since: number): Generator<RowHead> {
    for (const zone of this.zones.liveZones(since))
      for (const [first, last] of this.waitingIn(...zoneRange(zone))) yield* this.run.heads.iterate(first, last);
  }

  insert(row: RecordRow): void {
    this.run.add.run(row);
    this.lastSeq = Math.max(this.lastSeq, row.seq);
    if (row.shift === null) this.untimedFrom = Math.min(this.untimedFrom, row.seq);
    this.grow({ records: 1, bytes: bytesOf(row), pending: 1, untimed: row.shift === null ? 1 : 0 });
  }

  /** What the next ones are found by; once the row is committed. */
  note(row: RecordRow, samples: readonly { readonly device: string; readonly at: number }[]): void {
    if (row.shift === null) return;
    this.zones.note({ ...row, offline: (row.flags & OFFLINE) !== 0 }, samples);
    this.fillRate.add(row.at, bytesOf(row));
  }

  hasTime(device: string, at: number): boolean {
    return this.zones.hasTime(device, at, (zone) => {
      const times = new Set<string>();
      for (const row of this.run.rows.iterate(...zoneRange(zone)))
        if (row.shift !== null) for (const sample of samplesOf(row)) times.add(`${sample.device} ${sample.at}`);
      return times;
    });
  }

  /**
   * Notes that records which waited are receipted. Numbers before them that no record has any more are taken along: aggregation
   * leaves most of them so, and each would part two ranges.
   */
  receipt(first: number, last: number, at: number): void {
    const free = this.receipted.endBelow(first) + 1;
    const from = this.run.anyIn.get(free, first - 1) === undefined ? free : first;
    this.receipted.add(from, last, at);
    this.sent.remove(from, last);
  }

  /** Removes receipted records. Gives the bytes that are free. */
  removeReceipted(first: number, last: number): number {
    const bytes = this.run.bytesIn.get(first, last) ?? 0;
    const { changes } = this.run.removeIn.run(first, last);
    this.#forget(first, last);
    this.grow({ records: -changes, bytes: -bytes });
    return bytes;
  }

  /** Removes a record that waits. */
  removeWaiting(row: RecordRow): void {
    this.run.removeIn.run(row.seq, row.seq);
    this.#forget(row.seq, row.seq);
    this.grow({ records: -1, bytes: -bytesOf(row), pending: -1, untimed: row.shift === null ? -1 : 0 });
  }

  #forget(first: number, last: number): void {
    this.receipted.remove(first, last);
    this.sent.remove(first, last);
    this.gone.add(first, last);
  }

  /** Makes waiting records dead letters, and lets the oldest of those go where there are too many. */
  bury(letters: readonly { readonly seq: number; readonly code: string }[], lettersMax: number): void {
    const dead = [...this.dead];
    for (const { seq, code } of letters) {
      const size = this.run.size.get(seq);
      if (size === undefined) continue;
      this.run.setCode.run(code, seq);
      dead.push(seq);
      const bytes = -size.bytes - RECORD_OVERHEAD_BYTES;
      this.grow({ records: -1, bytes, pending: -1, untimed: -size.untimed });
    }
    this.facts.add('refused', dead.length - this.dead.length);
    const dropped = dead.splice(0, Math.max(0, dead.length - lettersMax));
    this.dead = dead;
    for (const seq of dropped) {
      this.run.removeDead.run(seq);
      this.gone.add(seq, seq);
    }
    this.facts.add('deadLettersDropped', dropped.length);
  }

  /** What is remembered of records that are all gone. */
  forgetOld(): void {
    this.epochs.forget((first, last) => this.run.anyIn.get(first, last) !== undefined);
    this.zones.forgetBelow(this.run.firstFrom.get(0) ?? this.lastSeq);
  }

  /** Makes a dead letter wait again. It is the caller's to take it from {@link RecordStore.dead}. */
  raise(row: RecordRow): void {
    this.run.setCode.run(null, row.seq);
    this.receipted.remove(row.seq, row.seq);
    this.gone.remove(row.seq, row.seq);
    this.grow({ records: 1, bytes: bytesOf(row), pending: 1 });
  }
}
