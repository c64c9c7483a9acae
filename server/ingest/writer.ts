// From lots to the store: gathered for a few milliseconds, one write at a time, within a budget of memory.
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Point, RefusedPoint, Store, StoreFault } from '../ports.js';
import type { Lot } from './ingest.js';

export interface WriterLimits {
  readonly memoryBytesMax: number;
  readonly batchPointsMax: number;
  readonly batchDelayMs: number;
  readonly storeRetryMs: number;
}

/** The points of one lot that the store has refused, by their place in the lot. */
export interface StoredLot {
  readonly lot: Lot;
  readonly refused: readonly RefusedPoint[];
}

/** Told of points before they are written, and of what became of them. */
export interface WriteWatch {
  /**
   * Before the write; a fault stops it. What it gives is called once after the write, with the points that are stored.
   */
  begin(points: readonly Point[]): Result<(stored: readonly Point[]) => void, StoreFault>;
}

type Settled = Parameters<Writer['offer']>[1];

export interface Writer {
  /**
   * False when the lot was dropped: nothing will be said of it, and its post will send it again.
   * @param settled called once with what became of a lot that was taken: the points that the store refused, or why nothing of
   *   it was stored. Lots without it are told to `stored` only.
   */
  offer(lot: Lot, settled?: (outcome: Result<readonly RefusedPoint[], StoreFault>) => void): boolean;
  storeOk(): boolean;
  /** It takes nothing more. */
  stopped(): boolean;
  /** Somebody else met a store that does not answer: true until the next write succeeds. */
  noteFault(fault: StoreFault): void;
  counters(): Readonly<Record<string, number>>;
  /** Writes what was offered, and takes nothing more. */
  stop(): Promise<void>;
}

interface WriterDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly limits: WriterLimits;
  readonly watch?: WriteWatch | undefined;
  /** The store holds these lots durably. */
  readonly stored: (lots: readonly StoredLot[]) => void;
  /** Called when the store stops or starts to answer. */
  readonly storeChanged: (fault: StoreFault | undefined) => void;
}

export function createWriter(deps: WriterDeps): Writer {
  return new BatchWriter(deps);
}

class BatchWriter implements Writer {
  readonly #deps: WriterDeps;
  #queue: Lot[] = [];
  readonly #settled = new Map<Lot, NonNullable<Settled>>();
  #bytes = 0;
  #writing = false;
  #written: Promise<void> = Promise.resolve();
  #cancelDelay: (() => void) | undefined;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #fault: StoreFault | undefined;
  #stopped = false;
  readonly #counters = {
    batchesWritten: 0,
    pointsStored: 0,
    pointsRefused: 0,
    storeFaults: 0,
    pointsUnstored: 0,
    payloadsDroppedForStore: 0,
    payloadsDroppedForMemory: 0,
    memoryBytesPeak: 0,
  };

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  offer(lot: Lot, settled?: Settled): boolean {
    if (this.#stopped) return false;
    if (this.#deps.clock.monotonic() < this.#pausedUntil) {
      this.#counters.payloadsDroppedForStore += 1;
      return false;
    }
    if (this.#bytes + lot.bytes > this.#roomFor(lot)) {
      this.#counters.payloadsDroppedForMemory += 1;
      return false;
    }
    this.#bytes += lot.bytes;
    this.#counters.memoryBytesPeak = Math.max(this.#counters.memoryBytesPeak, this.#bytes);
    this.#queue.push(lot);
    if (settled !== undefined) this.#settled.set(lot, settled);
    if (!this.#writing && this.#cancelDelay === undefined)
      this.#cancelDelay = this.#deps.scheduler.after(this.#deps.limits.batchDelayMs, () => this.#begin());
    return true;
  }

  /** What is carried by hand can wait: it leaves half to what comes by radio. */
  #roomFor({ carried }: Lot): number {
    const { memoryBytesMax } = this.#deps.limits;
    return carried === true ? memoryBytesMax / 2 : memoryBytesMax;
  }

  #begin(): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    if (!this.#writing) this.#written = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#queue.length > 0) await this.#writeBatch(this.#takeBatch());
    } finally {
      this.#writing = false;
    }
  }

  /** Whole lots only: a record must not be confirmed by half. */
  #takeBatch(): Lot[] {
    let points = 0;
    let count = 0;
    for (const lot of this.#queue) {
      if (count > 0 && points + lot.points.length > this.#deps.limits.batchPointsMax) break;
      points += lot.points.length;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #writeBatch(lots: readonly Lot[]): Promise<void> {
    const points = lots.flatMap((lot) => lot.points);
    const result = await this.#write(points);
    this.#bytes -= sumOf(lots, (lot) => lot.bytes);
    if (!result.ok) {
      this.#fail(result.fault, lots, points.length);
      return;
    }
    this.#counters.batchesWritten += 1;
    this.#counters.pointsStored += points.length - result.value.length;
    this.#counters.pointsRefused += result.value.length;
    if (this.#fault !== undefined) {
      this.#fault = undefined;
      this.#deps.storeChanged(undefined);
    }
    const stored = splitRefused(lots, result.value);
    this.#deps.stored(stored);
    for (const { lot, refused } of stored) this.#settle(lot, ok(refused));
  }

  async #write(points: readonly Point[]): Promise<Result<readonly RefusedPoint[], StoreFault>> {
    const { store, watch } = this.#deps;
    const begun = watch?.begin(points);
    if (begun?.ok === false) return failed(begun.fault);
    const result = await store.write(points);
    begun?.value(result.ok ? without(points, result.value) : []);
    return result;
  }

  #settle(lot: Lot, outcome: Result<readonly RefusedPoint[], StoreFault>): void {
    this.#settled.get(lot)?.(outcome);
    this.#settled.delete(lot);
  }

  /** Everything that waits is dropped: the posts keep it, and would send it again anyway. */
  #fail(fault: StoreFault, lots: readonly Lot[], points: number): void {
    this.#counters.storeFaults += 1;
    this.#counters.pointsUnstored += points + sumOf(this.#queue, (lot) => lot.points.length);
    this.#counters.payloadsDroppedForStore += this.#queue.length;
    this.#bytes -= sumOf(this.#queue, (lot) => lot.bytes);
    const dropped = [...lots, ...this.#queue];
    this.#queue = [];
    this.#pausedUntil = this.#deps.clock.monotonic() + this.#deps.limits.storeRetryMs;
    this.noteFault(fault);
    for (const lot of dropped) this.#settle(lot, failed(fault));
  }

  noteFault(fault: StoreFault): void {
    const isNew = this.#fault === undefined;
    this.#fault = fault;
    if (isNew) this.#deps.storeChanged(fault);
  }

  storeOk(): boolean {
    return this.#fault === undefined;
  }

  stopped(): boolean {
    return this.#stopped;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, memoryBytes: this.#bytes };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#begin();
    await this.#written;
  }
}

function sumOf<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((sum, item) => sum + size(item), 0);
}

function without(points: readonly Point[], refused: readonly RefusedPoint[]): readonly Point[] {
  if (refused.length === 0) return points;
  const isRefused = new Set(refused.map(({ index }) => index));
  return points.filter((_, index) => !isRefused.has(index));
}

/** Gives each lot the refusals of its own points. */
function splitRefused(lots: readonly Lot[], unordered: readonly RefusedPoint[]): StoredLot[] {
  const refused = [...unordered].sort((a, b) => a.index - b.index);
  let start = 0;
  let next = 0;
  return lots.map((lot) => {
    const own: RefusedPoint[] = [];
    const end = start + lot.points.length;
    for (let entry = refused[next]; entry !== undefined && entry.index < end; entry = refused[next]) {
      own.push({ index: entry.index - start, code: entry.code });
      next += 1;
    }
    start = end;
    return { lot, refused: own };
  });
}
