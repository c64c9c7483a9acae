// The outbox on the post's disk.
import type Database from 'better-sqlite3';
import { failed, ok, type Result } from '#domain/result.js';
import { drawEpoch } from '../identity.js';
import type { OutboxRecord } from '../ports.js';
import { draftsOf } from '../record/recorder.js';
import { declareCatalogue } from './catalogue.js';
import { findPending, statusOf } from './find-pending.js';
import { openSoundDatabase, type Running } from './open-database.js';
import {
  bytesToFree,
  type CatalogueEntry,
  DEAD_LETTERS_MAX,
  type DeadLetter,
  KEEP_RECEIPTED_MS,
  OUTBOX_BYTES_MAX,
  type Outbox,
  type OutboxFault,
  type OutboxStatus,
  type PendingQuery,
  type RecordDraft,
  type RefusedRecord,
  type Salvage,
  type Stream,
} from './outbox.js';
import { PAGE_BYTES } from './outbox-schema.js';
import { lettersOf, noteReceipts, noteSent } from './receipts.js';
import { bytesOf, type RecordRow, rowOf, samplesOf } from './record-row.js';
import type { RecordStore } from './record-store.js';
import { type Reserve, reserveBeside } from './reserve.js';
import { lostSamples, Room } from './room.js';
import { deadLettersOf, giveTime, raiseDeadLetters, replaySince } from './second-life.js';
import { faultOf, isDamaged, isFull } from './sqlite-faults.js';
import { WalFlush } from './wal-flush.js';

export interface SqliteOutboxOptions {
  readonly file: string;
  /** Drawn when absent. */
  readonly epoch?: string;
  readonly bytesMax?: number;
  readonly keepReceiptedMs?: number;
  readonly reserveBytes?: number;
  /** A hard limit of the file. */
  readonly fileBytesMax?: number;
  /** 0, the default: every append is on the disk when it returns. Else it is at the next sync, which is the caller's to call. */
  readonly writeDelayMs?: number;
}

/** Part of a page that is records. */
const RECORD_SHARE = 0.9;
/** What is freed at least when the disk is full. */
const FULL_DISK_FREE_BYTES = 256 * 1024;

/**
 * Opens the outbox in `file`, making it where there is none, for one gateway alone. A damaged one is put aside, and all that is
 * whole in it is in the new one. Faults: `OUTBOX_LOCKED` where another process has it, `OUTBOX_FULL`, `OUTBOX_FAILED` for
 * anything else that SQLite says.
 */
export function openSqliteOutbox(options: SqliteOutboxOptions): Result<Outbox, OutboxFault> {
  const reserve = reserveBeside(options.file, options.reserveBytes);
  for (const isLast of [false, true]) {
    try {
      return ok(new SqliteOutbox(reserve, options));
    } catch (error) {
      if (!isFull(error) || isLast) return failed(faultOf(error));
      reserve.release();
    }
  }
  return failed({ code: 'OUTBOX_FULL', message: 'no space' });
}

class SqliteOutbox implements Outbox {
  readonly epoch: string;
  readonly start: number;
  salvage: Salvage | undefined;
  readonly #options: SqliteOutboxOptions;
  readonly #reserve: Reserve;
  readonly #flush: WalFlush;
  readonly #bytesMax: number;
  readonly #keepReceiptedMs: number;
  readonly #base: number;
  #database: Database.Database;
  #store: RecordStore;
  #room: Room;
  /** Above this the records would eat the space that the reserve stood for. */
  #bytesCeiling = Number.POSITIVE_INFINITY;

  constructor(reserve: Reserve, options: SqliteOutboxOptions) {
    this.#reserve = reserve;
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? OUTBOX_BYTES_MAX;
    this.#keepReceiptedMs = options.keepReceiptedMs ?? KEEP_RECEIPTED_MS;
    this.#flush = new WalFlush(options.file);
    this.epoch = options.epoch ?? drawEpoch();
    const opened = this.#open();
    this.#database = opened.database;
    this.#store = opened.store;
    this.#room = new Room(this.#store);
    this.salvage = opened.salvage;
    this.#base = this.#store.lastSeq;
    this.start = this.#begin();
    // The number of this start is told before any record is sent: a power cut must not give it out again.
    this.sync();
    this.#takeReserve();
  }

  #open(running?: Running) {
    const { file, fileBytesMax, writeDelayMs = 0 } = this.#options;
    const options = { isFull: writeDelayMs === 0, bytesMax: fileBytesMax };
    return openSoundDatabase(file, options, this.#keepReceiptedMs, running);
  }

  #begin(): number {
    const store = this.#store;
    try {
      return store.transact(() => {
        store.forgetOld();
        store.facts.add('start', 1);
        const start = store.facts.get<number>('counter', 'start') ?? 1;
        store.epochs.begin(this.epoch, this.#base, start);
        return start;
      });
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  get setAside(): string | undefined {
    return this.salvage?.file;
  }

  #takeReserve(): void {
    this.#reserve.hold();
    this.#bytesCeiling = this.#reachableBytes();
  }

  /** What the records may come to within the pages that are free in the file and the growth that the disk allows. */
  #reachableBytes(): number {
    const freePages = Number(this.#database.pragma('freelist_count', { simple: true }));
    return this.#store.totals.bytes + Math.floor(freePages * PAGE_BYTES * RECORD_SHARE + this.#reserve.growthBytes());
  }

  /** Bytes that the records may have: what was configured, less while the disk is full. */
  #limit(): number {
    return Math.min(this.#bytesMax, this.#bytesCeiling);
  }

  append(drafts: readonly RecordDraft[]): Result<readonly OutboxRecord[], OutboxFault> {
    if (drafts.length === 0) return ok([]);
    try {
      return ok(this.#mended(() => this.#appendAll(drafts)));
    } catch (error) {
      if (!isFull(error)) return failed(faultOf(error));
    }
    return this.#appendToFullDisk(drafts);
  }

  #appendAll(drafts: readonly RecordDraft[]): readonly OutboxRecord[] {
    const store = this.#store;
    const rows = this.#rowsOf(drafts);
    const added = rows.reduce((sum, row) => sum + bytesOf(row), 0);
    // Whoever filled the disk may have made room meanwhile.
    if (store.totals.bytes + added > this.#bytesCeiling) this.#bytesCeiling = this.#reachableBytes();
    store.transact(() => {
      this.#room.make(bytesToFree(store.totals.bytes + added, this.#limit()));
      for (const row of rows) store.insert(row);
    });
    return rows.map((row, i) => {
      const { samples, offline } = drafts[i] as RecordDraft;
      store.note(row, samples);
      const at = row.shift === null ? undefined : row.at;
      return { epoch: this.epoch, id: row.seq - this.#base, samples, offline, at };
    });
  }

  #rowsOf(drafts: readonly RecordDraft[]): RecordRow[] {
    return drafts.map((draft, i) => rowOf(this.#store.lastSeq + 1 + i, draft));
  }

  /**
   * Releases the reserve, which is for checkpoints and trimming: from then on the outbox grows no more than a little. Where
   * that is not enough receipted records go, then what a full outbox lets go. A later trim takes the reserve back.
   */
  #appendToFullDisk(drafts: readonly RecordDraft[]): Result<readonly OutboxRecord[], OutboxFault> {
    const bytes = FULL_DISK_FREE_BYTES + drafts.reduce((sum, draft) => sum + draft.samples.length * 40, 0);
    let fault: OutboxFault | undefined;
    try {
      this.#releaseReserve();
      for (const goes of ['nothing', 'receipted', 'oldest']) {
        try {
          this.#store.transact(() => {
            if (goes === 'nothing') this.#store.facts.add('diskFull', 1);
            else this.#room.make(bytes, goes === 'oldest');
          });
          this.#checkpoint();
          return ok(this.#appendAll(drafts));
        } catch (error) {
          fault = faultOf(error);
          if (!isFull(error)) break;
        }
      }
    } catch (error) {
      fault = faultOf(error);
    }
    return failed(fault ?? { code: 'OUTBOX_FULL', message: 'no space' });
  }

  #releaseReserve(): void {
    this.#reserve.release();
    this.#checkpoint();
    this.#bytesCeiling = this.#reachableBytes();
  }

  sync(): Result<void, OutboxFault> {
    if (!this.#store.isUnsynced && !this.#store.facts.isChanged) return ok(undefined);
    const { writeDelayMs = 0 } = this.#options;
    try {
      this.#writeFacts();
      // Without a log everything is in the database, and a checkpoint flushes that.
      if (writeDelayMs > 0 && !this.#flush.flush()) this.#database.pragma('wal_checkpoint(FULL)');
      this.#store.isUnsynced = false;
      return ok(undefined);
    } catch (error) {
      return failed(faultOf(error));
    }
  }

  /** A full disk does not hold up what is recorded already: the facts wait in memory for room. */
  #writeFacts(): void {
    try {
      if (this.#store.facts.isChanged) this.#store.transact(() => undefined);
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  markSent(epoch: string, ids: readonly number[]): void {
    noteSent(this.#store, epoch, ids);
  }

  pending(stream: Stream, query: PendingQuery): readonly OutboxRecord[] {
    return this.#mended(() => {
      const found = findPending(this.#store, stream, query);
      if (found.damaged.length === 0) return found.records;
      this.#changed(() => {
        this.#bury(found.damaged.map((seq) => ({ seq, code: 'OUTBOX_RECORD_DAMAGED' })));
        return found.damaged.length;
      });
      return found.records.length > 0 ? found.records : findPending(this.#store, stream, query).records;
    });
  }

  markReceipted(epoch: string, ranges: readonly (readonly [number, number])[], at: number): number {
    return this.#mended(() => noteReceipts(this.#store, epoch, ranges, Math.round(at)));
  }

  refuse(epoch: string, refused: readonly RefusedRecord[]): number {
    return this.#changed(() => {
      const letters = lettersOf(this.#store, epoch, refused);
      this.#bury(letters);
      return letters.length;
    });
  }

  /**
   * In one transaction, if need be at the price of the reserve. 0 when even that does not help: nothing is changed then, and
   * it will be done when it is asked for again.
   */
  #changed(change: () => number): number {
    return this.#mended(() => {
      for (const isLast of [false, true]) {
        try {
          return this.#store.transact(change);
        } catch (error) {
          if (!isFull(error)) throw error;
          if (isLast) return 0;
          this.#releaseReserve();
        }
      }
      return 0;
    });
  }

  #bury(letters: readonly { readonly seq: number; readonly code: string }[]): void {
    this.#store.bury(letters, DEAD_LETTERS_MAX);
  }

  deadLetters(limit: number): readonly DeadLetter[] {
    return this.#mended(() => deadLettersOf(this.#store, limit));
  }

  retryDeadLetters(): number {
    return this.#changed(() => raiseDeadLetters(this.#store));
  }

  learnTime(boot: string, offsetMs: number): number {
    if (this.#store.totals.untimed === 0) return 0;
    return this.#changed(() => giveTime(this.#store, boot, Math.round(offsetMs), DEAD_LETTERS_MAX));
  }

  hasTime(device: string, at: number): boolean {
    return this.#mended(() => this.#store.hasTime(device, at));
  }

  replay(since: number): number {
    return this.#changed(() => replaySince(this.#store, since));
  }

  recordLost(at: number): number {
    const { facts } = this.#store;
    const samples = lostSamples(facts, (device, time) => this.hasTime(device, time));
    if (samples.length === 0) return 0;
    const drafts = draftsOf(samples, at, { offline: true });
    return this.#changed(() => {
      for (const [name] of facts.entries('lost')) facts.delete('lost', name);
      for (const row of this.#rowsOf(drafts)) {
        this.#store.insert(row);
        this.#store.note(row, samplesOf(row));
      }
      return samples.length;
    });
  }

  number(name: string): number | undefined {
    return this.#store.facts.get('number', name);
  }

  keepNumber(name: string, value: number): void {
    if (this.number(name) !== value) this.#store.facts.set('number', name, value);
  }

  declare(current: readonly CatalogueEntry[]): readonly CatalogueEntry[] {
    return this.#mended(() => {
      const retired = declareCatalogue(this.#store, current);
      this.#changed(() => 0);
      return retired;
    });
  }

  trim(at: number): void {
    try {
      this.#mended(() => this.#store.transact(() => this.#trimAll(at)));
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#reserve.release();
      this.#checkpoint();
    }
    this.#takeReserve();
  }

  #trimAll(at: number): void {
    const store = this.#store;
    for (const range of [...store.receipted.list()])
      if (range.at < at - this.#keepReceiptedMs) store.removeReceipted(range.first, range.last);
    this.#room.make(bytesToFree(store.totals.bytes, this.#limit()));
    store.forgetOld();
  }

  /** Does it again where SQLite found the file damaged and all that is whole was saved into a new one. */
  #mended<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.#mend();
      return work();
    }
  }

  #mend(): void {
    const known = this.#store.facts.all();
    this.#flush.close();
    const opened = this.#open({ damaged: this.#database, known });
    this.#database = opened.database;
    this.#store = opened.store;
    this.#room = new Room(this.#store);
    this.salvage = opened.salvage;
  }

  #checkpoint(): void {
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  status(): OutboxStatus {
    return statusOf(this.#store, this.#limit());
  }

  close(): void {
    try {
      this.#writeFacts();
    } catch (error) {
      // What was receipted is sent again: no harm.
      if (!isDamaged(error)) throw error;
    } finally {
      this.#flush.close();
      this.#database.close();
    }
  }
}
