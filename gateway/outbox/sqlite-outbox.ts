// The outbox on the post's disk.
import type Database from 'better-sqlite3';
import { failed, ok, type Result } from '#domain/result.js';
import { drawEpoch } from '../identity.js';
import type { OutboxRecord } from '../ports.js';
import { decodeSamples, encodeSamples, timesOf } from './body.js';
import {
  bytesToFree,
  type CatalogueEntry,
  DEAD_LETTERS_MAX,
  type DeadLetter,
  freeShift,
  KEEP_RECEIPTED_MS,
  OUTBOX_BYTES_MAX,
  type Outbox,
  type OutboxFault,
  type OutboxStatus,
  type PendingQuery,
  RECORD_OVERHEAD_BYTES,
  type RecordDraft,
  type RefusedRecord,
  type Stream,
} from './outbox.js';
import { openDatabase, putAside } from './outbox-schema.js';
import { prepareStatements, type RecordRow, type Statements } from './outbox-statements.js';
import { type Reserve, reserveBeside } from './reserve.js';
import { faultOf, isDamaged, isFull } from './sqlite-faults.js';

export interface SqliteOutboxOptions {
  readonly file: string;
  /** Drawn when absent. */
  readonly epoch?: string;
  readonly bytesMax?: number;
  readonly keepReceiptedMs?: number;
  readonly reserveBytes?: number;
  /** A hard limit of the file in pages of 4 kB. */
  readonly pagesMax?: number;
}

/** Records that leave in one step of making room. */
const TRIM_ROWS = 500;
const PAGE_BYTES = 4096;
/** Part of a page that is records; the rest are indexes. */
const RECORD_SHARE = 0.7;
/** What is freed at least when the disk is full. */
const FULL_DISK_FREE_BYTES = 256 * 1024;

/**
 * Opens the outbox in `file`, making it where there is none, for one gateway alone. Faults: `OUTBOX_LOCKED` where another
 * process has it, `OUTBOX_FULL`, `OUTBOX_FAILED` for anything else that SQLite says.
 */
export function openSqliteOutbox(options: SqliteOutboxOptions): Result<Outbox, OutboxFault> {
  const reserve = reserveBeside(options.file, options.reserveBytes);
  const open = (setAside?: string) =>
    ok(new SqliteOutbox(openDatabase(options.file, options.pagesMax), reserve, options, setAside));
  try {
    return open();
  } catch (error) {
    if (!isFull(error) && !isDamaged(error)) return failed(faultOf(error));
    try {
      if (isDamaged(error)) return open(putAside(options.file));
      reserve.release();
      return open();
    } catch (second) {
      return failed(faultOf(second));
    }
  }
}

class SqliteOutbox implements Outbox {
  readonly epoch: string;
  readonly start: number;
  readonly #database: Database.Database;
  readonly #reserve: Reserve;
  readonly #run: Statements;
  readonly #epochNumber: number;
  readonly #bytesMax: number;
  readonly #keepReceiptedMs: number;
  readonly #counters = new Map<string, number>();
  /** Above this the records would eat the space that the reserve stood for. */
  #bytesCeiling = Number.POSITIVE_INFINITY;
  #nextId = 1;
  #bytes = 0;
  #pending = 0;
  #untimed = 0;

  constructor(
    database: Database.Database,
    reserve: Reserve,
    options: SqliteOutboxOptions,
    readonly setAside: string | undefined,
  ) {
    this.#database = database;
    this.#reserve = reserve;
    this.#bytesMax = options.bytesMax ?? OUTBOX_BYTES_MAX;
    this.#keepReceiptedMs = options.keepReceiptedMs ?? KEEP_RECEIPTED_MS;
    this.epoch = options.epoch ?? drawEpoch();
    this.#run = prepareStatements(database);
    this.#run.forgetEpochs.run();
    this.#epochNumber = Number(this.#run.addEpoch.run(this.epoch).lastInsertRowid);
    this.#recount();
    this.start = (this.#counters.get('start') ?? 0) + 1;
    this.#count('start', 1);
    this.#takeReserve();
  }

  #takeReserve(): void {
    this.#reserve.hold();
    this.#bytesCeiling = this.#reachableBytes();
  }

  /** What the records may come to within the pages that are free in the file and the growth that the disk allows. */
  #reachableBytes(): number {
    const freePages = Number(this.#database.pragma('freelist_count', { simple: true }));
    return this.#bytes + Math.floor(freePages * PAGE_BYTES * RECORD_SHARE + this.#reserve.growthBytes());
  }

  /** Bytes that the records may have: what was configured, less while the disk is full. */
  #limit(): number {
    return Math.min(this.#bytesMax, this.#bytesCeiling);
  }

  append(drafts: readonly RecordDraft[]): Result<readonly OutboxRecord[], OutboxFault> {
    if (drafts.length === 0) return ok([]);
    try {
      return ok(this.#appendAll(drafts));
    } catch (error) {
      this.#recount();
      if (!isFull(error)) return failed(faultOf(error));
    }
    return this.#appendToFullDisk(drafts);
  }

  #appendAll(drafts: readonly RecordDraft[]): readonly OutboxRecord[] {
    const bodies = drafts.map((draft) => encodeSamples(draft.samples));
    const added = bodies.reduce((sum, body) => sum + body.length + RECORD_OVERHEAD_BYTES, 0);
    const firstId = this.#nextId;
    this.#database.transaction(() => {
      this.#makeRoom(bytesToFree(this.#bytes + added, this.#limit()));
      drafts.forEach((draft, i) => {
        this.#insert(firstId + i, draft, bodies[i] as Buffer);
      });
    })();
    this.#nextId += drafts.length;
    this.#bytes += added;
    this.#pending += drafts.length;
    this.#untimed += drafts.filter((draft) => draft.boot !== undefined).length;
    return drafts.map((draft, i) => ({
      epoch: this.epoch,
      id: firstId + i,
      samples: draft.samples,
      offline: draft.offline,
      at: draft.boot === undefined ? draft.at : undefined,
    }));
  }

  #insert(id: number, draft: RecordDraft, body: Buffer): void {
    const timed = draft.boot === undefined;
    const offline = draft.offline ? 1 : 0;
    const bytes = body.length + RECORD_OVERHEAD_BYTES;
    this.#run.add.run(
      this.#epochNumber,
      id,
      draft.at,
      timed ? 0 : null,
      draft.boot ?? null,
      offline,
      draft.samples.length,
      bytes,
      body,
    );
    if (timed) for (const { device, at } of timesOf(draft.samples)) this.#run.useTime.run(device, at);
  }

  /**
   * Releases the reserve, which is for checkpoints and trimming: from then on the outbox grows no more than a little. Where
   * that is not enough receipted records go, then the oldest of all. A later trim takes the reserve back.
   */
  #appendToFullDisk(drafts: readonly RecordDraft[]): Result<readonly OutboxRecord[], OutboxFault> {
    this.#reserve.release();
    this.#checkpoint();
    this.#bytesCeiling = this.#reachableBytes();
    const bytes = FULL_DISK_FREE_BYTES + drafts.reduce((sum, draft) => sum + draft.samples.length * 40, 0);
    let fault: OutboxFault | undefined;
    for (const goes of ['nothing', 'receipted', 'oldest']) {
      try {
        this.#database.transaction(() => {
          if (goes === 'nothing') this.#count('diskFull', 1);
          else this.#makeRoom(bytes, goes === 'oldest');
        })();
        this.#checkpoint();
        return ok(this.#appendAll(drafts));
      } catch (error) {
        this.#recount();
        fault = faultOf(error);
        if (!isFull(error)) break;
      }
    }
    return failed(fault ?? { code: 'OUTBOX_FULL', message: 'no space' });
  }

  /** Every commit is flushed. */
  sync(): Result<void, OutboxFault> {
    return ok(undefined);
  }

  markSent(): void {}

  retryDeadLetters(): number {
    return 0;
  }

  recordLost(): number {
    return 0;
  }

  number(name: string): number | undefined {
    return this.#counters.get(`number ${name}`);
  }

  keepNumber(name: string, value: number): void {
    this.#count(`number ${name}`, value - (this.number(name) ?? 0));
  }

  pending(stream: Stream, query: PendingQuery): readonly OutboxRecord[] {
    const rows =
      stream === 'live' ? this.#run.live.iterate(query.liveSince) : this.#run.history.iterate(query.liveSince);
    const records: OutboxRecord[] = [];
    let samples = 0;
    let epoch: string | undefined;
    for (const row of rows) {
      if (query.skip(row.epoch, row.id)) continue;
      epoch ??= row.epoch;
      samples += row.samples;
      if (row.epoch !== epoch || records.length >= query.recordsMax) break;
      if (records.length > 0 && samples > query.samplesMax) break;
      records.push(this.#open(row));
    }
    return records;
  }

  #open(row: RecordRow): OutboxRecord {
    const body = this.#run.body.get(row.seq) as Buffer;
    const shift = row.shift ?? 0;
    const samples = decodeSamples(body, shift);
    return { epoch: row.epoch, id: row.id, samples, offline: row.offline === 1, at: row.at };
  }

  markReceipted(epoch: string, ranges: readonly (readonly [number, number])[], at: number): number {
    const changed = this.#inTransaction(() =>
      ranges.reduce((sum, [first, last]) => sum + this.#run.receipt.run(Math.round(at), epoch, first, last).changes, 0),
    );
    this.#pending -= changed;
    return changed;
  }

  refuse(epoch: string, refused: readonly RefusedRecord[]): number {
    return this.#inTransaction(() => {
      const rows = refused.flatMap(({ id, code }) => {
        const row = this.#run.waiting.get(epoch, id);
        return row === undefined ? [] : [{ ...row, code }];
      });
      this.#bury(rows);
      return rows.length;
    });
  }

  /**
   * In one transaction, if need be at the price of the reserve. 0 when even that does not help: nothing is changed then, and
   * it will be done when the server says it again.
   */
  #inTransaction(change: () => number): number {
    for (const isLast of [false, true]) {
      try {
        return this.#database.transaction(change)();
      } catch (error) {
        this.#recount();
        if (!isFull(error)) throw error;
        if (isLast) return 0;
        this.#reserve.release();
        this.#checkpoint();
      }
    }
    return 0;
  }

  #bury(rows: readonly { seq: number; bytes: number; untimed: number; code: string }[]): void {
    for (const row of rows) {
      this.#run.bury.run(row.code, row.seq);
      this.#run.remove.run(row.seq);
      this.#bytes -= row.bytes;
      this.#pending -= 1;
      this.#untimed -= row.untimed;
    }
    this.#count('refused', rows.length);
    this.#count('deadLettersDropped', this.#run.dropDeadLetters.run(DEAD_LETTERS_MAX).changes);
  }

  deadLetters(limit: number): readonly DeadLetter[] {
    const rows = this.#run.deadLetters.all(limit);
    return rows.reverse().map((row) => ({
      epoch: row.epoch,
      id: row.id,
      code: row.code,
      samples: decodeSamples(row.body, 0),
    }));
  }

  learnTime(boot: string, offsetMs: number): number {
    if (this.#untimed === 0) return 0;
    return this.#inTransaction(() => {
      const times = new Map<string, { device: string; at: number }>();
      for (const row of this.#run.untimed.iterate(boot))
        for (const time of timesOf(decodeSamples(row.body, 0))) times.set(`${time.device} ${time.at}`, time);
      const shift = freeShift([...times.values()], Math.round(offsetMs), (device, at) => this.hasTime(device, at));
      for (const { device, at } of times.values()) this.#run.useTime.run(device, at + shift);
      const { changes } = this.#run.learnTime.run(shift, shift, boot);
      this.#untimed -= changes;
      this.#bury(this.#run.untimable.all().map((row) => ({ ...row, code: 'OUTBOX_TIME_UNKNOWN' })));
      return changes;
    });
  }

  hasTime(device: string, at: number): boolean {
    return this.#run.hasTime.get(device, at) !== undefined;
  }

  replay(since: number): number {
    const changed = this.#run.replay.run(since).changes;
    this.#pending += changed;
    this.#count('replayed', changed);
    return changed;
  }

  declare(current: readonly CatalogueEntry[]): readonly CatalogueEntry[] {
    return this.#database.transaction(() => {
      this.#run.retireAll.run();
      for (const entry of current) this.#run.declare.run(entry.device, entry.metric, entry.description);
      this.#run.forgetRetired.run();
      return this.#run.retired.all();
    })();
  }

  trim(at: number): void {
    try {
      this.#database.transaction(() => {
        const before = at - this.#keepReceiptedMs;
        for (;;) {
          const rows = this.#run.receiptedBefore.all(before, TRIM_ROWS);
          for (const row of rows) this.#remove(row);
          if (rows.length < TRIM_ROWS) break;
        }
        for (const { device } of this.#run.devices.all()) this.#run.forgetTimes.run(device, before);
        this.#makeRoom(bytesToFree(this.#bytes, this.#limit()));
      })();
    } catch (error) {
      this.#recount();
      if (!isFull(error)) throw error;
      this.#reserve.release();
      this.#checkpoint();
    }
    this.#takeReserve();
  }

  /** Lets receipted records go, oldest first, then, if it may, the oldest of all, counted, until so many bytes are free. */
  #makeRoom(bytes: number, mayExpire = true): void {
    let left = bytes;
    while (left > 0) {
      let rows = this.#run.oldestReceipted.all(TRIM_ROWS);
      const expires = rows.length === 0;
      if (expires && mayExpire) rows = this.#run.oldestWaiting.all(TRIM_ROWS);
      if (rows.length === 0) return;
      for (const row of rows) {
        if (left <= 0) return;
        this.#remove(row);
        left -= row.bytes;
        if (!expires) continue;
        this.#pending -= 1;
        this.#untimed -= row.untimed;
        this.#count('expired', 1);
      }
    }
  }

  #remove(row: { seq: number; bytes: number }): void {
    this.#run.remove.run(row.seq);
    this.#bytes -= row.bytes;
  }

  #count(name: string, by: number): void {
    if (by === 0) return;
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
    this.#run.count.run(name, by, by);
  }

  /** After a transaction that was rolled back: what memory says must be what the disk says. */
  #recount(): void {
    this.#bytes = this.#run.sumBytes.get() ?? 0;
    this.#pending = this.#run.countPending.get() ?? 0;
    this.#untimed = this.#run.countUntimed.get() ?? 0;
    this.#counters.clear();
    for (const { name, value } of this.#run.counters.all()) this.#counters.set(name, value);
  }

  #checkpoint(): void {
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  status(): OutboxStatus {
    const counter = (name: string) => this.#counters.get(name) ?? 0;
    return {
      pendingRecords: this.#pending,
      untimedRecords: this.#untimed,
      bytes: this.#bytes,
      bytesMax: this.#limit(),
      expired: counter('expired'),
      aggregated: counter('aggregated'),
      expiredSamples: counter('expiredSamples'),
      aggregatedSamples: counter('aggregatedSamples'),
      replayed: counter('replayed'),
      capacityMs: undefined,
      refused: counter('refused'),
      deadLettersDropped: counter('deadLettersDropped'),
      diskFull: counter('diskFull'),
    };
  }

  close(): void {
    this.#database.close();
  }
}
