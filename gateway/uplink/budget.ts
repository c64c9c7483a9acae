// The bytes that a post may spend in a day (UTC). History waits first, so that live data has enough until midnight.
import type { Clock } from '#domain/clock.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Timekeeper } from '../record/timekeeper.js';

export interface BudgetOptions {
  /** Both ways, on the wire. Absent: no limit. */
  readonly dailyBytesMax?: number | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly time: Pick<Timekeeper, 'now'>;
  /** Where the day's sum outlives the process. */
  readonly numbers: Pick<Outbox, 'number' | 'keepNumber'>;
}

const DAY_MS = 86_400_000;
/** The rate of live data that was expected before counts as much as so long of what was seen. */
const TRUST_MS = 3_600_000;
/** What live data is expected to take before any was seen, as a share of the budget. */
const EXPECTED_SHARE = 0.5;
/** A payload of history, on the wire. */
const PAYLOAD_WIRE_BYTES = 18_000;
/** History that stopped goes on when so much more than live data needs is left: not for every payload anew. */
const RESUME_FACTOR = 1.25;
const RESUME_BYTES = 64 * 1024;

/**
 * Counts by UTC days; while the time is unknown, by days of the monotonic clock. A clock that is set back does not begin the day
 * anew.
 */
export class DailyBudget {
  readonly #options: BudgetOptions;
  /** UTC day since the epoch; `undefined` while the time is unknown. */
  #day: number | undefined;
  /** Monotonic. */
  #beganAt: number;
  #used: number;
  /** Part of the former. */
  #live: number;
  /** Counting began so long before `#beganAt`. */
  #countedMs: number;
  /** Live bytes per ms that are expected from before. */
  #expected: number;
  /** What the disk said at the start: of its day, and taken back if that turns out to be another one. */
  #kept: { readonly day: number; readonly used: number; readonly live: number; readonly countedMs: number } | undefined;
  #historyAllowed = true;
  #historyHeld = false;
  #liveStopped = false;
  #historyStops = 0;
  #liveStops = 0;

  constructor(options: BudgetOptions) {
    this.#options = options;
    const kept = (name: string) => options.numbers.number(name);
    this.#beganAt = options.clock.monotonic();
    this.#used = kept('budgetUsed') ?? 0;
    this.#live = kept('budgetLive') ?? 0;
    this.#countedMs = kept('budgetCountedMs') ?? 0;
    this.#expected = (kept('budgetExpected') ?? (options.dailyBytesMax ?? 0) * EXPECTED_SHARE) / DAY_MS;
    const day = kept('budgetDay');
    if (day !== undefined) this.#kept = { day, used: this.#used, live: this.#live, countedMs: this.#countedMs };
  }

  /** Times that history had to wait, because live data needs what is left of the day's budget. */
  get historyStops(): number {
    return this.#historyStops;
  }

  /** Times that the budget was gone before the day was. */
  get liveStops(): number {
    return this.#liveStops;
  }

  /** Per cent of the day's budget; 0 without one. */
  usedPercent(): number {
    const { dailyBytesMax } = this.#options;
    if (dailyBytesMax === undefined) return 0;
    this.#turn();
    return Math.round((this.#used / dailyBytesMax) * 1000) / 10;
  }

  spend(bytes: number, stream: 'live' | 'history'): void {
    if (this.#options.dailyBytesMax === undefined) return;
    this.#turn();
    this.#used += bytes;
    if (stream === 'live') this.#live += bytes;
  }

  /** More is left than live data needs until the end of the day. */
  allowsHistory(): boolean {
    const { dailyBytesMax } = this.#options;
    if (dailyBytesMax === undefined) return true;
    this.#turn();
    const left = dailyBytesMax - this.#used;
    const need = this.#liveRate() * this.#leftMs();
    this.#historyAllowed = this.#historyAllowed
      ? left > need + PAYLOAD_WIRE_BYTES
      : left > need * RESUME_FACTOR + RESUME_BYTES;
    if (this.#historyAllowed) this.#historyHeld = false;
    return this.#historyAllowed;
  }

  /** Tells that there is history, and that it waits. Counted once until it may go again. */
  holdHistory(): void {
    if (!this.#historyHeld) this.#historyStops += 1;
    this.#historyHeld = true;
  }

  /** Nothing is left: what can wait shall wait longer. */
  isSpent(): boolean {
    const { dailyBytesMax } = this.#options;
    if (dailyBytesMax === undefined) return false;
    this.#turn();
    const spent = this.#used >= dailyBytesMax;
    if (spent && !this.#liveStopped) this.#liveStops += 1;
    this.#liveStopped = spent;
    return spent;
  }

  /** Gives the sums to the disk. */
  keep(): void {
    if (this.#options.dailyBytesMax === undefined) return;
    this.#turn();
    const { numbers } = this.#options;
    if (this.#day !== undefined) numbers.keepNumber('budgetDay', this.#day);
    numbers.keepNumber('budgetUsed', this.#used);
    numbers.keepNumber('budgetLive', this.#live);
    numbers.keepNumber('budgetCountedMs', Math.round(this.#elapsedMs()));
    numbers.keepNumber('budgetExpected', Math.round(this.#expected * DAY_MS));
  }

  #elapsedMs(): number {
    return this.#countedMs + this.#options.clock.monotonic() - this.#beganAt;
  }

  /** Live bytes per ms of today. */
  #liveRate(): number {
    return rateOf(this.#live, this.#elapsedMs(), this.#expected);
  }

  #leftMs(): number {
    const now = this.#options.time.now();
    return now === undefined ? Math.max(0, DAY_MS - this.#elapsedMs()) : DAY_MS - (now % DAY_MS);
  }

  /** Begins a new day where one has begun. */
  #turn(): void {
    const now = this.#options.time.now();
    const isLong = this.#options.clock.monotonic() - this.#beganAt >= DAY_MS;
    if (now === undefined) {
      if (isLong) this.#begin(this.#day);
      return;
    }
    const today = Math.floor(now / DAY_MS);
    if (this.#day === undefined) this.#learnDay(today);
    else if (today > this.#day || isLong) this.#begin(today);
  }

  /** Until now the sums of the disk were taken for today's. */
  #learnDay(today: number): void {
    this.#day = today;
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined || kept.day === today) return;
    this.#expected = rateOf(kept.live, kept.countedMs, this.#expected);
    this.#used -= kept.used;
    this.#live -= kept.live;
    this.#countedMs = 0;
  }

  #begin(day: number | undefined): void {
    this.#expected = this.#liveRate();
    this.#day = day;
    this.#beganAt = this.#options.clock.monotonic();
    this.#kept = undefined;
    this.#used = 0;
    this.#live = 0;
    this.#countedMs = 0;
    this.#historyAllowed = true;
    this.#historyHeld = false;
    this.#liveStopped = false;
  }
}

/** Bytes per ms: what was seen, and for the first hour mostly what was expected. */
function rateOf(bytes: number, forMs: number, expected: number): number {
  return (bytes + expected * TRUST_MS) / (forMs + TRUST_MS);
}
