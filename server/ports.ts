// What the server asks of the world.
import type { Birth } from '#contract/session.js';
import type { AlarmView, JournalEntry } from '#contract/view.js';
import type { Alarm } from '#domain/alarm.js';
import type { CounterEvent } from '#domain/counter-event.js';
import type { Value } from '#domain/reading.js';
import type { Result } from '#domain/result.js';
import type { RollupJob, RollupSpan, SeriesRollup, WindowRollup } from '#domain/series-rollup.js';
import type { Placing } from './ingest/birth-shelf.js';
import type { IdentityFacts } from './ingest/identity.js';
import type { Piece, RollupPatch } from './rollup/rebuild.js';

/** One value in the store. (post, device, metric, at) is its name: storing it again changes nothing, the last write wins. */
export interface Point {
  readonly post: string;
  readonly device: string;
  readonly metric: string;
  /** Source time, epoch ms. */
  readonly at: number;
  /** null exactly where the reason code says that there is no value. */
  readonly value: Value;
  /** Reason code of `domain/quality.ts`. */
  readonly code: number;
}

export interface StoreFault {
  /** `STORE_UNAVAILABLE`: try again later. `STORE_FULL`: no space; try again later. `STORE_DAMAGED`: a person must look. */
  readonly code: 'STORE_UNAVAILABLE' | 'STORE_FULL' | 'STORE_DAMAGED';
  readonly message: string;
}

export interface RefusedPoint {
  /** Place in the list that was written. */
  readonly index: number;
  /** `STORE_TYPE`: the metric holds another type of value. `STORE_TIME`: outside the years that a store takes. */
  readonly code: 'STORE_TYPE' | 'STORE_TIME';
}

export interface SeriesName {
  readonly post: string;
  readonly device: string;
  readonly metric: string;
}

/** Where telemetry is kept. Two adapters, one conformance suite (`tests/ports/store.suite.ts`). */
export interface Store {
  /** Resolves after the points are durable: only then may a receipt name them. Refused points are not stored; all others are. */
  write(points: readonly Point[]): Promise<Result<readonly RefusedPoint[], StoreFault>>;
  /** Points of one series with from ≤ at < to, by time. */
  read(series: SeriesName, from: number, to: number): Promise<Result<readonly Point[], StoreFault>>;
  /** Newest point with a value before `at`, for the counter at a window's start. */
  lastBefore(series: SeriesName, at: number): Promise<Result<Point | undefined, StoreFault>>;
  /** Newest point of every series of a post, to fill the server's memory at its start. */
  latest(post: string): Promise<Result<readonly Point[], StoreFault>>;
  /**
   * What equal windows say about series, worked out where the points are, so that ingest need not wait for it. An answer for
   * each question, in order. A gap is explained by the point that it began with, also where that was weeks before.
   */
  rollUp(questions: readonly RollupQuestion[]): Promise<Result<readonly SeriesRollup[], StoreFault>>;
  close(): Promise<void>;
}

export interface RollupQuestion extends RollupJob {
  readonly series: SeriesName;
}

/** Where rollups are kept. One suite for all adapters (`tests/ports/rollup-store.suite.ts`). */
export interface RollupStore {
  /**
   * Resolves after they are durable. Within `from` ≤ start < `to` of each patch what was there is replaced as a whole: a
   * window that is not among the new ones is gone.
   */
  saveRollups(patches: readonly RollupPatch[]): Promise<Result<void, StoreFault>>;
  /** Windows with from ≤ start < to, by start. */
  readRollups(
    series: SeriesName,
    span: RollupSpan,
    from: number,
    to: number,
  ): Promise<Result<readonly WindowRollup[], StoreFault>>;
}

/** A store that does {@link rebuild} where its points and rollups are. */
export interface Rebuilding {
  rebuild(pieces: readonly Piece[], rawSince: number): Promise<Result<number, StoreFault>>;
}

/** What is kept for how long. Older than these, epoch ms, may go, in whole blocks. */
export interface RetentionCuts {
  readonly raw: number;
  readonly quarter: number;
}

/** A store that keeps within the retention by itself (InfluxDB's policies) has none of this. */
export interface Pruned {
  /** Gives how many points, or blocks of rollups, went. */
  prune(cuts: RetentionCuts): Promise<Result<number, StoreFault>>;
}

/** A store that can be copied while it goes on. InfluxDB has its own program for that. */
export interface BackedUp {
  /** Copies everything into a new file, which opens as it does itself. */
  backup(path: string): Promise<Result<void, StoreFault>>;
}

/** What the server must remember besides telemetry. SQLite in the data folder, with either store. */
export interface Registry {
  births(): readonly { readonly post: string; readonly birth: Birth; readonly receivedAt: number }[];
  /** @param placings what data of the post is placed by from now on, this birth's included; absent, it stays as it was */
  saveBirth(post: string, birth: Birth, receivedAt: number, placings?: readonly Placing[]): void;
  /** What data of a post is placed by: its last births, oldest first. */
  placings(): readonly { readonly post: string; readonly placings: readonly Placing[] }[];
  savePlacings(post: string, placings: readonly Placing[]): void;
  /** What is remembered of the gateways that spoke for a post. */
  identities(): readonly { readonly post: string; readonly facts: IdentityFacts }[];
  saveIdentity(post: string, facts: IdentityFacts): void;
  /** The newest request of each post to send again. */
  replays(): readonly StoredReplay[];
  saveReplay(replay: StoredReplay): void;
  /** Highest connection number seen of a post, and its state. */
  postStates(): readonly {
    readonly post: string;
    readonly state: 'online' | 'offline';
    readonly connection: number;
    readonly at: number;
  }[];
  savePostState(post: string, state: 'online' | 'offline', connection: number, at: number): void;
  alarms(): readonly StoredAlarm[];
  /** Saves states and journal entries together, in one transaction. */
  saveAlarms(alarms: readonly StoredAlarm[], journal: readonly Omit<JournalEntry, 'seq'>[]): void;
  journal(query: { post?: string; before?: number; limit: number }): readonly JournalEntry[];
  /** Days of which rollups may not know every point: marked before points are written, cleared after rollups are saved. */
  marks(): readonly PostDay[];
  addMarks(marks: readonly PostDay[]): void;
  clearMarks(marks: readonly PostDay[]): void;
  /** What people said of counters, by time. */
  counterEvents(): readonly StoredCounterEvent[];
  /**
   * Saves the event, under its id or a new one, and its journal entry together.
   * @returns the id
   */
  saveCounterEvent(event: Omit<StoredCounterEvent, 'id'> & { id?: number }, entry: Omit<JournalEntry, 'seq'>): number;
  close(): void;
}

/** An event of a counter, and who said so last. */
export interface StoredCounterEvent extends CounterEvent, SeriesName {
  readonly id: number;
  /** It never was. It stays to be seen. */
  readonly withdrawn: boolean;
  readonly by: string;
  /** By the server's clock. */
  readonly enteredAt: number;
  readonly comment: string | null;
}

/** A UTC day of a post. */
export interface PostDay {
  readonly post: string;
  /** Days since the epoch. */
  readonly day: number;
}

export interface StoredReplay {
  readonly post: string;
  /** By the server's clock, and later than any request of the post before. */
  readonly at: number;
  /** Receipted records since then, source time; null for none. */
  readonly since: number | null;
  /** The records that were refused. */
  readonly deadLetters: boolean;
  readonly by: string;
  /** When the post was first told while it was there. */
  readonly sentAt: number | null;
}

export interface StoredAlarm {
  /** `post/rule/device`. */
  readonly id: string;
  readonly alarm: Alarm;
  /** Value and limit that decided last. */
  readonly value: number | null;
  readonly limit: number | null;
}

/** Tells people. Adapters: e-mail. Rejections are counted and tried again by the caller. */
export interface NoticeChannel {
  send(notice: { readonly subject: string; readonly text: string }): Promise<void>;
}

/** The reader's page without JavaScript, made by `dashboards`, handed over by `cli`. */
export type ImpactPage = (data: import('#contract/http.js').FleetResponse, language: string) => string;

export type { AlarmView };
