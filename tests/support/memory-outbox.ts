// The outbox without a disk: the same promises, but for the one of outliving its process.
import { ok } from '#domain/result.js';
import { timesOf } from '#gateway/outbox/body.js';
import {
  bytesToFree,
  type CatalogueEntry,
  DEAD_LETTERS_MAX,
  type DeadLetter,
  isHistorical,
  KEEP_RECEIPTED_MS,
  OUTBOX_BYTES_MAX,
  type Outbox,
  type OutboxStatus,
  type PendingQuery,
  RECORD_OVERHEAD_BYTES,
  type RecordDraft,
  type RefusedRecord,
  type Stream,
} from '#gateway/outbox/outbox.js';
import type { OutboxRecord } from '#gateway/ports.js';

interface Entry {
  readonly epoch: string;
  readonly id: number;
  readonly bytes: number;
  draft: RecordDraft;
  receiptedAt?: number;
}

export interface MemoryOutboxOptions {
  readonly epoch: string;
  readonly bytesMax?: number;
  readonly keepReceiptedMs?: number;
}

/** About what a sample takes. */
const SAMPLE_BYTES = 40;

export class MemoryOutbox implements Outbox {
  readonly epoch: string;
  readonly start = 1;
  readonly #numbers = new Map<string, number>();
  readonly #bytesMax: number;
  readonly #keepReceiptedMs: number;
  readonly #times = new Map<string, { readonly device: string; readonly at: number }>();
  readonly #catalogue = new Map<string, CatalogueEntry & { retired: boolean }>();
  readonly #counters = {
    expired: 0,
    aggregated: 0,
    expiredSamples: 0,
    aggregatedSamples: 0,
    replayed: 0,
    refused: 0,
    deadLettersDropped: 0,
    diskFull: 0,
  };
  #entries: Entry[] = [];
  #deadLetters: DeadLetter[] = [];
  #nextId = 1;

  constructor(options: MemoryOutboxOptions) {
    this.epoch = options.epoch;
    this.#bytesMax = options.bytesMax ?? OUTBOX_BYTES_MAX;
    this.#keepReceiptedMs = options.keepReceiptedMs ?? KEEP_RECEIPTED_MS;
  }

  append(drafts: readonly RecordDraft[]): ReturnType<Outbox['append']> {
    const added = drafts.map((draft): Entry => {
      const id = this.#nextId;
      this.#nextId += 1;
      return { epoch: this.epoch, id, bytes: RECORD_OVERHEAD_BYTES + draft.samples.length * SAMPLE_BYTES, draft };
    });
    const addedBytes = added.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#makeRoom(bytesToFree(this.#bytes() + addedBytes, this.#bytesMax));
    this.#entries.push(...added);
    for (const { draft } of added) if (draft.boot === undefined) this.#useTimes(draft);
    return ok(added.map(recordOf));
  }

  sync(): ReturnType<Outbox['sync']> {
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
    return this.#numbers.get(name);
  }

  keepNumber(name: string, value: number): void {
    this.#numbers.set(name, value);
  }

  #bytes(): number {
    return this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #useTimes(draft: RecordDraft): void {
    for (const time of timesOf(draft.samples)) this.#times.set(`${time.device} ${time.at}`, time);
  }

  pending(stream: Stream, query: PendingQuery): readonly OutboxRecord[] {
    const records: OutboxRecord[] = [];
    let samples = 0;
    for (const entry of this.#entries) {
      const { draft, epoch, id } = entry;
      if (entry.receiptedAt !== undefined || draft.boot !== undefined) continue;
      if (isHistorical(draft, query.liveSince) !== (stream === 'history') || query.skip(epoch, id)) continue;
      samples += draft.samples.length;
      const [first] = records;
      if (first !== undefined && (first.epoch !== epoch || samples > query.samplesMax)) break;
      if (records.length >= query.recordsMax) break;
      records.push(recordOf(entry));
    }
    return records;
  }

  markReceipted(epoch: string, ranges: readonly (readonly [number, number])[], at: number): number {
    const named = this.#entries.filter(
      (entry) =>
        entry.epoch === epoch &&
        entry.receiptedAt === undefined &&
        entry.draft.boot === undefined &&
        ranges.some(([first, last]) => first <= entry.id && entry.id <= last),
    );
    for (const entry of named) entry.receiptedAt = at;
    return named.length;
  }

  refuse(epoch: string, refused: readonly RefusedRecord[]): number {
    const codes = new Map(refused.map(({ id, code }) => [id, code]));
    return this.#bury((entry) =>
      entry.epoch === epoch && entry.receiptedAt === undefined ? codes.get(entry.id) : undefined,
    );
  }

  #bury(codeOf: (entry: Entry) => string | undefined): number {
    const buried: DeadLetter[] = [];
    this.#entries = this.#entries.filter((entry) => {
      const code = codeOf(entry);
      if (code === undefined) return true;
      buried.push({ epoch: entry.epoch, id: entry.id, code, samples: entry.draft.samples });
      return false;
    });
    this.#counters.refused += buried.length;
    this.#deadLetters.push(...buried);
    const dropped = Math.max(0, this.#deadLetters.length - DEAD_LETTERS_MAX);
    this.#counters.deadLettersDropped += dropped;
    this.#deadLetters.splice(0, dropped);
    return buried.length;
  }

  deadLetters(limit: number): readonly DeadLetter[] {
    return this.#deadLetters.slice(-limit);
  }

  learnTime(boot: string, offsetMs: number): number {
    const mine = this.#entries.filter(({ draft }) => draft.boot === boot);
    const times = mine.flatMap(({ draft }) => timesOf(draft.samples));
    let shift = Math.round(offsetMs);
    while (times.some(({ device, at }) => this.hasTime(device, at + shift))) shift += 1;
    for (const entry of mine) {
      const { samples, offline, at } = entry.draft;
      entry.draft = {
        offline,
        at: at + shift,
        samples: samples.map((sample) => ({ ...sample, at: sample.at + shift })),
      };
      this.#useTimes(entry.draft);
    }
    this.#bury(({ draft }) => (draft.boot === undefined ? undefined : 'OUTBOX_TIME_UNKNOWN'));
    return mine.length;
  }

  hasTime(device: string, at: number): boolean {
    return this.#times.has(`${device} ${at}`);
  }

  replay(since: number): number {
    const again = this.#entries.filter(({ receiptedAt, draft }) => receiptedAt !== undefined && draft.at >= since);
    for (const entry of again) delete entry.receiptedAt;
    this.#counters.replayed += again.length;
    return again.length;
  }

  declare(current: readonly CatalogueEntry[]): readonly CatalogueEntry[] {
    for (const entry of this.#catalogue.values()) entry.retired = true;
    for (const entry of current) this.#catalogue.set(`${entry.device} ${entry.metric}`, { ...entry, retired: false });
    if (this.#entries.length === 0)
      for (const [name, { retired }] of this.#catalogue) if (retired) this.#catalogue.delete(name);
    return [...this.#catalogue.values()]
      .filter(({ retired }) => retired)
      .map(({ device, metric, description }) => ({ device, metric, description }));
  }

  trim(at: number): void {
    const before = at - this.#keepReceiptedMs;
    this.#entries = this.#entries.filter(({ receiptedAt }) => receiptedAt === undefined || receiptedAt >= before);
    for (const [name, time] of this.#times) if (time.at < before) this.#times.delete(name);
    this.#makeRoom(bytesToFree(this.#bytes(), this.#bytesMax));
  }

  #makeRoom(bytes: number): void {
    let left = bytes;
    const receipted = this.#entries.filter((entry) => entry.receiptedAt !== undefined);
    const waiting = this.#entries.filter((entry) => entry.receiptedAt === undefined);
    for (const entry of [...receipted, ...waiting]) {
      if (left <= 0) return;
      left -= entry.bytes;
      if (entry.receiptedAt === undefined) this.#counters.expired += 1;
      this.#entries = this.#entries.filter((other) => other !== entry);
    }
  }

  status(): OutboxStatus {
    const pending = this.#entries.filter(({ receiptedAt }) => receiptedAt === undefined);
    return {
      ...this.#counters,
      pendingRecords: pending.length,
      untimedRecords: pending.filter(({ draft }) => draft.boot !== undefined).length,
      bytes: this.#bytes(),
      bytesMax: this.#bytesMax,
      capacityMs: undefined,
    };
  }

  close(): void {}
}

function recordOf({ epoch, id, draft }: Entry): OutboxRecord {
  return {
    epoch,
    id,
    samples: draft.samples,
    offline: draft.offline,
    at: draft.boot === undefined ? draft.at : undefined,
  };
}
