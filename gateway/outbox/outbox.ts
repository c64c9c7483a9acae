// The post's durable queue: what it promises, and the pure rules of what goes first and what has to go.
import type { Result } from '#domain/result.js';
import type { OutboxRecord, OutboxSample } from '../ports.js';

/** Live data and history are sent through windows of their own. */
export const STREAMS = ['live', 'history'] as const;
export type Stream = (typeof STREAMS)[number];

/** A record before it has a name. */
export interface RecordDraft {
  readonly samples: readonly OutboxSample[];
  /** Made while there was no connection to the server. */
  readonly offline: boolean;
  /** When it was recorded, milliseconds. */
  readonly at: number;
  /**
   * Absent: all times are Unix epoch. Else the time is unknown yet, and all times here are of the monotonic clock of this
   * boot; the record waits for {@link Outbox.learnTime}.
   */
  readonly boot?: string;
}

export interface OutboxFault {
  /** `OUTBOX_FULL`: no space on the disk, although everything that may go has gone. `OUTBOX_FAILED`: the database refuses. */
  readonly code: 'OUTBOX_FULL' | 'OUTBOX_FAILED' | 'OUTBOX_LOCKED';
  readonly message: string;
}

export interface PendingQuery {
  /** Records made before this, epoch ms, are history. */
  readonly liveSince: number;
  /** Most samples and records of the answer; one record is given even when it is larger. */
  readonly samplesMax: number;
  readonly recordsMax: number;
  /** True for records that are on their way. */
  readonly skip: (epoch: string, id: number) => boolean;
  /** Only what stands behind this record: reading goes on where it ended, without looking again at what was read. */
  readonly after?: { readonly epoch: string; readonly id: number } | undefined;
  /** Of history, also what is receipted and still kept. */
  readonly receipted?: boolean;
}

export interface RefusedRecord {
  readonly id: number;
  readonly code: string;
}

/** A metric as a birth tells it, kept as long as records of it exist. `description` is the caller's own. */
export interface CatalogueEntry {
  readonly device: string;
  readonly metric: string;
  readonly description: string;
}

export interface DeadLetter {
  readonly epoch: string;
  readonly id: number;
  readonly code: string;
  readonly samples: readonly OutboxSample[];
}

/** Counters survive a restart. */
export interface OutboxStatus {
  /** Records that wait for a receipt. */
  readonly pendingRecords: number;
  /** Records whose time is not known yet; part of the former. */
  readonly untimedRecords: number;
  /** Bytes of all records, receipted ones included. */
  readonly bytes: number;
  /** Those of records that wait for a receipt, about: as if all records were equally long. */
  readonly pendingBytes: number;
  readonly bytesMax: number;
  /** Records that left unreceipted because the space was needed. */
  readonly expired: number;
  /** Records that were replaced by means because the space was needed. */
  readonly aggregated: number;
  /** Samples in the expired records, and samples that a mean stands for. */
  readonly expiredSamples: number;
  readonly aggregatedSamples: number;
  /** Records that an operator had sent again. */
  readonly replayed: number;
  /** How long the outbox would take to fill at the rate of the last day; `undefined` before there is one. */
  readonly capacityMs: number | undefined;
  /** Records that went to the dead letters. */
  readonly refused: number;
  /** Dead letters that were deleted because there were too many. */
  readonly deadLettersDropped: number;
  /** Times that the disk was full. */
  readonly diskFull: number;
}

export interface Salvage {
  /** Where the damaged outbox lies now. */
  readonly file: string;
  /** Records that are in the new one. */
  readonly recovered: number;
  /** Rows that were seen and were not whole. */
  readonly damaged: number;
}

/** Synchronous: what a call says is on the disk when it returns. One conformance suite (`tests/ports/outbox.suite.ts`). */
export interface Outbox {
  /** 16 hexadecimal characters, drawn when the outbox was opened. */
  readonly epoch: string;
  /** Where a damaged outbox was put aside when this one was opened in its place, or took its place while it was open. */
  readonly setAside?: string | undefined;
  /** What came of it. */
  readonly salvage?: Salvage | undefined;
  /** Which opening of this outbox it is, rising: an outbox restored from a backup repeats one. */
  readonly start: number;
  /**
   * Stores all drafts or none. Ids rise from 1 in this epoch. The records outlive the process at once, and a power cut from
   * the next {@link Outbox.sync} on.
   */
  append(drafts: readonly RecordDraft[]): Result<readonly OutboxRecord[], OutboxFault>;
  /** Everything appended or marked as sent is on the disk, safe from a power cut. Nothing is sent before. Does nothing where nothing is new. */
  sync(): Result<void, OutboxFault>;
  /** These records go out: from now on they are not aggregated. On the disk with the next transaction or {@link Outbox.sync}. */
  markSent(epoch: string, ids: readonly number[]): void;
  /** Oldest first, all of one epoch, without those of unknown time. */
  pending(stream: Stream, query: PendingQuery): readonly OutboxRecord[];
  /** Marks records of these ranges (both ends included) as stored by the server at `at`. Gives how many were pending. */
  markReceipted(epoch: string, ranges: readonly (readonly [number, number])[], at: number): number;
  /** Moves pending records to the dead letters. Gives how many. */
  refuse(epoch: string, refused: readonly RefusedRecord[]): number;
  /** Newest last, at most `limit`. */
  deadLetters(limit: number): readonly DeadLetter[];
  /**
   * Gives all records of this boot their time: monotonic + `offsetMs`, or a few milliseconds later where a sample would meet
   * another of its device. Records of other boots can never be timed: they go to the dead letters. Gives how many were timed.
   */
  learnTime(boot: string, offsetMs: number): number;
  /** True when a record of this device has samples of exactly this time. */
  hasTime(device: string, at: number): boolean;
  /** Makes receipted records since `since` (epoch ms) pending again. Gives how many. */
  replay(since: number): number;
  /** Makes the dead letters pending again, with their old names. Gives how many. */
  retryDeadLetters(): number;
  /**
   * Records where samples expired since the last call: one sample without a value, reason `expired`, per device and metric, at
   * the time of the first that is gone, or behind it where it was sent and may be stored. Gives how many such samples. To be called while there is a way to the server.
   */
  recordLost(at: number): number;
  /** A small number of the gateway's own that survives a restart; `undefined` where none was kept. */
  number(name: string): number | undefined;
  /** On the disk with the next transaction. */
  keepNumber(name: string, value: number): void;
  /** Tells what is measured now. Gives what once was, as long as records of it may exist. */
  declare(current: readonly CatalogueEntry[]): readonly CatalogueEntry[];
  /** Deletes what was receipted long enough ago, and makes room where the limit is passed. */
  trim(at: number): void;
  status(): OutboxStatus;
  close(): void;
}

/** Receipted records stay so long, for an operator whose server was restored from a backup. */
export const KEEP_RECEIPTED_MS = 7 * 24 * 3_600_000;
export const OUTBOX_BYTES_MAX = 512 * 1024 * 1024;
export const DEAD_LETTERS_MAX = 10_000;

/** History is what was made while unconnected, or is older than two batch periods when sent. */
export function isHistorical(record: { readonly offline: boolean; readonly at: number }, liveSince: number): boolean {
  return record.offline || record.at < liveSince;
}

/** Room is made in steps, so that it is not made for every record. */
const TRIM_TO = 0.9;

/** Bytes that have to go: none below the limit, else down to nine tenths of it. Receipted ones go first, then the oldest. */
export function bytesToFree(bytes: number, bytesMax: number): number {
  return bytes <= bytesMax ? 0 : Math.ceil(bytes - bytesMax * TRIM_TO);
}

/** What a record takes beside its body: row, indexes. */
export const RECORD_OVERHEAD_BYTES = 64;

/** Far more than there are starts of a gateway within one outbox. */
const FREE_SHIFT_TRIES = 1000;

/** The offset, or a few milliseconds more, so that no sample meets one of another start of the gateway. */
export function freeShift(
  times: readonly { readonly device: string; readonly at: number }[],
  offsetMs: number,
  hasTime: (device: string, at: number) => boolean,
): number {
  const meets = (shift: number) => times.some(({ device, at }) => hasTime(device, at + shift));
  for (let shift = offsetMs; shift < offsetMs + FREE_SHIFT_TRIES; shift += 1) if (!meets(shift)) return shift;
  return offsetMs;
}
