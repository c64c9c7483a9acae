// The outbox without a disk: the same promises, but for the one of outliving its process.
import { ok } from '#domain/result.js';
import { aggregateRecords, minuteOf, type PlainRecord } from '#gateway/outbox/aggregate.js';
import { timesOf } from '#gateway/outbox/body.js';
import { FillRate } from '#gateway/outbox/fill-rate.js';
import {
  bytesToFree,
  type CatalogueEntry,
  DEAD_LETTERS_MAX,
  type DeadLetter,
  freeShift,
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
import type { OutboxRecord, OutboxSample } from '#gateway/ports.js';
import { RECORD_SAMPLES_MAX } from '#gateway/record/recorder.js';

interface Entry {
  readonly epoch: string;
  readonly id: number;
  bytes: number;
  draft: RecordDraft;
  receiptedAt?: number;
  isSent?: boolean;
  isAggregated?: boolean;
  /** Set: a dead letter. */
  code?: string;
}

export interface MemoryOutboxOptions {
  readonly epoch: string;
  readonly bytesMax?: number;
  readonly keepReceiptedMs?: number;
}

/** About what a sample takes. */
const SAMPLE_BYTES = 40;
const bytesOf = ({ samples }: RecordDraft): number => RECORD_OVERHEAD_BYTES + samples.length * SAMPLE_BYTES;

export class MemoryOutbox implements Outbox {
  readonly epoch: string;
  readonly start = 1;
  readonly #bytesMax: number;
  readonly #keepReceiptedMs: number;
  readonly #times = new Map<string, { readonly device: string; readonly at: number }>();
  readonly #catalogue = new Map<string, CatalogueEntry & { retired: boolean }>();
  readonly #numbers = new Map<string, number>();
  /** `sent`: the store may have the sample. */
  readonly #lost = new Map<string, OutboxSample & { readonly sent: boolean }>();
  readonly #fillRate = new FillRate();
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
  /** By id; dead letters among them. */
  #entries: Entry[] = [];
  #dead: Entry[] = [];
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
      return { epoch: this.epoch, id, bytes: bytesOf(draft), draft };
    });
    const addedBytes = added.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#makeRoom(bytesToFree(this.#bytes() + addedBytes, this.#bytesMax));
    this.#entries.push(...added);
    for (const { draft, bytes } of added) {
      if (draft.boot !== undefined) continue;
      this.#useTimes(draft);
      this.#fillRate.add(draft.at, bytes);
    }
    return ok(added.map(recordOf));
  }

  sync(): ReturnType<Outbox['sync']> {
    return ok(undefined);
  }

  #living(): Entry[] {
    return this.#entries.filter(({ code }) => code === undefined);
  }

  #waiting(): Entry[] {
    return this.#living().filter(({ receiptedAt }) => receiptedAt === undefined);
  }

  #bytes(): number {
    return this.#living().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #useTimes(draft: RecordDraft): void {
    for (const time of timesOf(draft.samples)) this.#times.set(`${time.device} ${time.at}`, time);
  }

  markSent(epoch: string, ids: readonly number[]): void {
    const named = new Set(ids);
    for (const entry of this.#entries) if (entry.epoch === epoch && named.has(entry.id)) entry.isSent = true;
  }

  pending(stream: Stream, query: PendingQuery): readonly OutboxRecord[] {
    const records: OutboxRecord[] = [];
    let samples = 0;
    const from = query.after === undefined ? 0 : query.after.id + 1;
    for (const entry of query.receipted === true && stream === 'history' ? this.#living() : this.#waiting()) {
      const { draft, epoch, id } = entry;
      if (draft.boot !== undefined || id < from) continue;
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
    const named = this.#waiting().filter(
      (entry) =>
        entry.epoch === epoch &&
        entry.draft.boot === undefined &&
        ranges.some(([first, last]) => first <= entry.id && entry.id <= last),
    );
    for (const entry of named) entry.receiptedAt = at;
    return named.length;
  }

  refuse(epoch: string, refused: readonly RefusedRecord[]): number {
    const codes = new Map(refused.map(({ id, code }) => [id, code]));
    return this.#bury((entry) => (entry.epoch === epoch ? codes.get(entry.id) : undefined));
  }

  #bury(codeOf: (entry: Entry) => string | undefined): number {
    let buried = 0;
    for (const entry of this.#waiting()) {
      const code = codeOf(entry);
      if (code === undefined) continue;
      entry.code = code;
      this.#dead.push(entry);
      buried += 1;
    }
    this.#counters.refused += buried;
    const dropped = this.#dead.splice(0, Math.max(0, this.#dead.length - DEAD_LETTERS_MAX));
    this.#counters.deadLettersDropped += dropped.length;
    this.#entries = this.#entries.filter((entry) => !dropped.includes(entry));
    return buried;
  }

  deadLetters(limit: number): readonly DeadLetter[] {
    const found = limit > 0 ? this.#dead.slice(-limit) : [];
    return found.map(({ epoch, id, code = '', draft }) => ({ epoch, id, code, samples: draft.samples }));
  }

  retryDeadLetters(): number {
    const raised = this.#dead.filter(({ draft }) => draft.boot === undefined);
    this.#dead = this.#dead.filter(({ draft }) => draft.boot !== undefined);
    for (const entry of raised) delete entry.code;
    return raised.length;
  }

  learnTime(boot: string, offsetMs: number): number {
    const mine = this.#waiting().filter(({ draft }) => draft.boot === boot);
    const times = mine.flatMap(({ draft }) => timesOf(draft.samples));
    const shift = freeShift(times, Math.round(offsetMs), (device, at) => this.hasTime(device, at));
    for (const entry of mine) {
      const { samples, offline, at } = entry.draft;
      entry.draft = {
        offline,
        at: at + shift,
        samples: samples.map((sample) => ({ ...sample, at: sample.at + shift })),
      };
      this.#useTimes(entry.draft);
      this.#fillRate.add(entry.draft.at, entry.bytes);
    }
    this.#bury(({ draft }) => (draft.boot === undefined ? undefined : 'OUTBOX_TIME_UNKNOWN'));
    return mine.length;
  }

  hasTime(device: string, at: number): boolean {
    return this.#times.has(`${device} ${at}`);
  }

  replay(since: number): number {
    const again = this.#living().filter(({ receiptedAt, draft }) => receiptedAt !== undefined && draft.at >= since);
    for (const entry of again) delete entry.receiptedAt;
    this.#counters.replayed += again.length;
    return again.length;
  }

  recordLost(at: number): number {
    const samples = [...this.#lost.values()].map(({ sent, ...sample }): OutboxSample => {
      let time = sample.at;
      while (sent && (time === sample.at || this.hasTime(sample.device, time))) time += 1;
      return { ...sample, at: time };
    });
    this.#lost.clear();
    if (samples.length > 0) this.append([{ samples, offline: true, at }]);
    return samples.length;
  }

  number(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  keepNumber(name: string, value: number): void {
    this.#numbers.set(name, value);
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
    const limit = this.#bytes() - bytes;
    const isOver = () => bytes > 0 && this.#bytes() > limit;
    const drop = (entry: Entry): void => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
    for (const entry of this.#living()) if (entry.receiptedAt !== undefined && isOver()) drop(entry);
    if (isOver()) this.#aggregate();
    for (const entry of this.#waiting()) {
      if (!isOver()) return;
      drop(entry);
      this.#counters.expired += 1;
      for (const sample of entry.draft.samples) this.#lose(sample, entry);
    }
  }

  #lose(sample: OutboxSample, { draft, isSent = false }: Entry): void {
    const { device, metric, at } = sample;
    if (sample.reason !== 'expired') this.#counters.expiredSamples += 1;
    const known = this.#lost.get(`${device} ${metric}`);
    const isFirst = known === undefined || (known.sent === isSent ? at < known.at : known.sent);
    if (draft.boot === undefined && isFirst)
      this.#lost.set(`${device} ${metric}`, { device, metric, value: null, reason: 'expired', at, sent: isSent });
  }

  #aggregate(): void {
    const running = minuteOf(this.#living().findLast(({ draft }) => draft.boot === undefined)?.draft.at ?? 0);
    const plain = this.#waiting()
      .filter(({ isSent, isAggregated, draft }) => !isSent && !isAggregated && draft.boot === undefined)
      .filter(({ draft }) => minuteOf(draft.at) !== running);
    const records = plain.map(
      ({ id, epoch, draft }): PlainRecord => ({
        seq: id,
        key: `${epoch} ${draft.offline}`,
        at: draft.at,
        samples: draft.samples,
      }),
    );
    for (const { replaces, record, samples } of aggregateRecords(records, RECORD_SAMPLES_MAX)) {
      this.#entries = this.#entries.filter(({ id }) => id === record.seq || !replaces.includes(id));
      const entry = plain.find(({ id }) => id === record.seq);
      if (entry === undefined) continue;
      entry.draft = { ...entry.draft, samples: record.samples };
      entry.bytes = bytesOf(entry.draft);
      entry.isAggregated = true;
      this.#counters.aggregated += replaces.length;
      this.#counters.aggregatedSamples += samples;
    }
  }

  status(): OutboxStatus {
    const pending = this.#waiting();
    return {
      ...this.#counters,
      pendingRecords: pending.length,
      untimedRecords: pending.filter(({ draft }) => draft.boot !== undefined).length,
      bytes: this.#bytes(),
      pendingBytes: pending.reduce((sum, { bytes }) => sum + bytes, 0),
      bytesMax: this.#bytesMax,
      capacityMs: this.#fillRate.lastsMs(this.#bytesMax),
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
