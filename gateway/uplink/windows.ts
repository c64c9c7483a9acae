// What has been sent and not yet receipted. Live data and history have a window each; together they are the back-pressure of
// the whole system.
import type { Random } from '#domain/clock.js';
import type { Stream } from '../outbox/outbox.js';
import { addRanges, clipRanges, type IdRange, joinRanges, rangesHave, rangesOf } from './id-ranges.js';

export interface SentPayload {
  readonly stream: Stream;
  readonly epoch: string;
  readonly ids: readonly number[];
  readonly bytes: number;
  /** Monotonic. */
  readonly at: number;
}

interface Flight {
  readonly stream: Stream;
  readonly epoch: string;
  readonly waiting: Set<number>;
  readonly bytes: number;
  readonly sentAt: number;
  readonly timeoutAt: number;
}

interface Pace {
  bytes: number;
  /** Time-outs since the last receipt. */
  failures: number;
  /** Smoothed time from sending to receipt. */
  roundTripMs: number;
}

/** Most unreceipted bytes of each stream. */
export const WINDOW_BYTES = 64 * 1024;
/** However badly it goes, so much may be tried. */
const WINDOW_BYTES_MIN = 8 * 1024;
export const RECEIPT_TIMEOUT_MS = 30_000;
export const RECEIPT_TIMEOUT_MAX_MS = 300_000;

/** Keeps count of what is on its way. */
export class Windows {
  readonly #random: Random;
  readonly #paces: Record<Stream, Pace> = {
    live: { bytes: 0, failures: 0, roundTripMs: 0 },
    history: { bytes: 0, failures: 0, roundTripMs: 0 },
  };
  #flights: Flight[] = [];
  /** By epoch: the flight that a record is in. */
  readonly #inFlight = new Map<string, Map<number, Flight>>();
  /** By epoch: every id that was ever sent. A receipt frees nothing else. */
  readonly #sent = new Map<string, IdRange[]>();
  #timeouts = 0;
  #releases = 0;
  #stray = 0;

  /** @param random spreads the time-outs of many posts, which all lost the same server. */
  constructor(random: Random) {
    this.#random = random;
  }

  get timeouts(): number {
    return this.#timeouts;
  }

  /** Receipts that named what was never sent. */
  get stray(): number {
    return this.#stray;
  }

  /** Records that are to be sent again, so far. */
  get releases(): number {
    return this.#releases;
  }

  failures(stream: Stream): number {
    return this.#paces[stream].failures;
  }

  unreceiptedBytes(stream: Stream): number {
    return this.#paces[stream].bytes;
  }

  /** True when a payload of this size may go now. One may always go. */
  hasRoom(stream: Stream, bytes: number): boolean {
    const pace = this.#paces[stream];
    const window = Math.max(WINDOW_BYTES_MIN, WINDOW_BYTES / 2 ** pace.failures);
    return pace.bytes === 0 || pace.bytes + bytes <= window;
  }

  isInFlight(epoch: string, id: number): boolean {
    return this.#inFlight.get(epoch)?.has(id) ?? false;
  }

  /** Something of this epoch was sent. */
  knows(epoch: string): boolean {
    return this.#sent.has(epoch);
  }

  add(payload: SentPayload): void {
    const pace = this.#paces[payload.stream];
    const flight: Flight = {
      stream: payload.stream,
      epoch: payload.epoch,
      waiting: new Set(payload.ids),
      bytes: payload.bytes,
      sentAt: payload.at,
      timeoutAt: payload.at + this.#timeoutMs(pace),
    };
    this.#flights.push(flight);
    pace.bytes += payload.bytes;
    let ids = this.#inFlight.get(payload.epoch);
    if (ids === undefined) {
      ids = new Map();
      this.#inFlight.set(payload.epoch, ids);
    }
    for (const id of payload.ids) ids.set(id, flight);
    const sent = this.#sent.get(payload.epoch) ?? [];
    addRanges(sent, rangesOf(payload.ids));
    this.#sent.set(payload.epoch, sent);
  }

  #timeoutMs(pace: Pace): number {
    const patience = Math.max(RECEIPT_TIMEOUT_MS, 3 * pace.roundTripMs) * 2 ** pace.failures;
    return Math.min(patience, RECEIPT_TIMEOUT_MAX_MS) * (1 + this.#random() / 4);
  }

  /** Takes a receipt's ranges, gives those that were really sent. */
  settle(epoch: string, ranges: readonly IdRange[], at: number): IdRange[] {
    const known = clipRanges(ranges, this.#sent.get(epoch) ?? []);
    if (countOf(known) < countOf(joinRanges(ranges))) this.#stray += 1;
    for (const flight of this.#flights.filter((other) => other.epoch === epoch)) {
      const before = flight.waiting.size;
      for (const id of [...flight.waiting]) if (rangesHave(known, id)) this.#land(flight, id);
      if (flight.waiting.size < before) this.#learnPace(flight, at);
    }
    this.#forgetEmpty();
    return known;
  }

  #land(flight: Flight, id: number): void {
    flight.waiting.delete(id);
    const ids = this.#inFlight.get(flight.epoch);
    if (ids?.get(id) === flight) ids.delete(id);
  }

  #learnPace(flight: Flight, at: number): void {
    const pace = this.#paces[flight.stream];
    pace.failures = 0;
    pace.roundTripMs += (at - flight.sentAt - pace.roundTripMs) / 4;
  }

  #forgetEmpty(): void {
    this.#flights = this.#flights.filter((flight) => {
      if (flight.waiting.size > 0) return true;
      this.#paces[flight.stream].bytes -= flight.bytes;
      return false;
    });
  }

  /** Lets go of what waited too long: it is to be sent again. Gives how many payloads. */
  expire(at: number): number {
    const late = this.#flights.filter((flight) => flight.timeoutAt <= at);
    const streams = new Set(late.map((flight) => flight.stream));
    for (const flight of late) this.#release(flight);
    this.#forgetEmpty();
    // Payloads of one moment are lost together: that is one failure.
    for (const stream of streams) this.#paces[stream].failures += 1;
    this.#timeouts += late.length;
    return late.length;
  }

  /** Everything unreceipted is to be sent again: the connection or the server is another. */
  releaseAll(): void {
    for (const flight of this.#flights) this.#release(flight);
    this.#forgetEmpty();
  }

  #release(flight: Flight): void {
    this.#releases += flight.waiting.size;
    for (const id of [...flight.waiting]) this.#land(flight, id);
  }

  /** Monotonic; `undefined` when nothing is on its way. */
  nextTimeoutAt(): number | undefined {
    return this.#flights.reduce<number | undefined>(
      (next, { timeoutAt }) => (next === undefined || timeoutAt < next ? timeoutAt : next),
      undefined,
    );
  }
}

function countOf(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
