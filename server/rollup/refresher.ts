// Keeps rollups true to the points: follows what is written, and every few seconds rolls up again what changed.
import type { Birth } from '#contract/session.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Result } from '#domain/result.js';
import { QUARTER_MS } from '#domain/series-rollup.js';
import type { Window } from '#domain/window.js';
import type { PostConfig } from '../config.js';
import type { Log } from '../ingest/log.js';
import type { Point, Rebuilding, RollupStore, Store, StoreFault } from '../ports.js';
import type { CounterEvents } from './counter-events.js';
import { addStretch, quarterOf, type Stretch, takeDue } from './dirty-stretches.js';
import { followingReadings } from './following-readings.js';
import { DAY_MS, type Marks } from './marks.js';
import { type Piece, rebuild, widen } from './rebuild.js';
import { specOf } from './series-spec.js';

export interface RefresherDeps {
  readonly posts: readonly Pick<PostConfig, 'id' | 'zone'>[];
  /** What a post last told of itself. */
  readonly birthOf: (post: string) => Birth | undefined;
  readonly counterEvents: Pick<CounterEvents, 'ofSeries'>;
  readonly store: Pick<Store, 'rollUp' | 'latest'> & Partial<Rebuilding>;
  readonly rollups: RollupStore;
  readonly marks: Marks;
  /** Points before this may be gone. */
  readonly rawSince: () => number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly limits?: Partial<RefreshLimits>;
}

export interface RefreshLimits {
  readonly periodMs: number;
  /** A change waits so long for others that come with it, but no longer than `waitMaxMs`. */
  readonly quietMs: number;
  readonly waitMaxMs: number;
  /** So long after its end a running quarter is rolled up first: its last batches are there. */
  readonly settleMs: number;
  /** Of one round: the store answers others between rounds, and so does the server, which copies what comes from it. */
  readonly seriesMax: number;
  readonly quartersMax: number;
  readonly retryMs: number;
}

export const REFRESH_LIMITS: RefreshLimits = {
  periodMs: 2000,
  quietMs: 5000,
  waitMaxMs: 60_000,
  settleMs: 120_000,
  seriesMax: 120,
  quartersMax: 2000,
  retryMs: 10_000,
};

export interface Refresher {
  /** Takes up what an earlier run left marked, and begins. */
  start(): void;
  /** Rolls up quarters that change for another reason than a write: a counter event. Their days are marked. */
  touch(post: string, device: string, metric: string, at: number): void;
  /** True when the rollups of this series know everything that was written before `to`, epoch ms. */
  isTrue(post: string, device: string, metric: string, to: number): boolean;
  /** Stretches of time, epoch ms, in no order, whose points the rollups of this series may not all know. */
  waiting(post: string, device: string, metric: string): readonly Window[];
  counters(): Readonly<Record<string, number>>;
  /** Waits for the round that runs. What is not done stays marked. */
  stop(): Promise<void>;
}

interface SeriesState {
  readonly device: string;
  readonly metric: string;
  readonly stretches: Stretch[];
  echo: Echo | undefined;
  /** What a round works on. */
  taken: Window | undefined;
}

/** Quarters that were not over when what holds on into them was rolled up; it was written in the quarter `cause`. */
interface Echo {
  readonly cause: number;
  readonly from: number;
  readonly to: number;
}

interface Taken {
  readonly post: string;
  readonly state: SeriesState;
  readonly piece: Piece;
  /** Puts back what was taken. */
  readonly undo: () => void;
}

/** `device/metric` → what waits. */
type PostState = Map<string, SeriesState>;

export function createRefresher(deps: RefresherDeps): Refresher {
  return new RollupRefresher(deps);
}

class RollupRefresher implements Refresher {
  readonly #deps: RefresherDeps;
  readonly #limits: RefreshLimits;
  readonly #zones: ReadonlyMap<string, string>;
  readonly #posts = new Map<string, PostState>();
  /** Marked by an earlier run, its series not asked for yet. */
  readonly #left = new Map<string, number[]>();
  /** Posts of which marks may be cleared. */
  readonly #settled = new Set<string>();
  #cancelTimer: () => void = () => {};
  #running: Promise<void> | undefined;
  #stopped = false;
  #isFailing = false;
  #isBatchFull = false;
  readonly #counts = {
    rollupRefreshes: 0,
    rollupQuarters: 0,
    rollupFaults: 0,
    rollupStretchesJoined: 0,
    rollupSeriesUnknown: 0,
    rollupPostDaysRebuilt: 0,
  };

  constructor(deps: RefresherDeps) {
    this.#deps = deps;
    this.#limits = { ...REFRESH_LIMITS, ...deps.limits };
    this.#zones = new Map(deps.posts.map(({ id, zone }) => [id, zone]));
    for (const { post, day } of deps.marks.left) this.#left.set(post, [...(this.#left.get(post) ?? []), day]);
    deps.marks.follow((points) => this.#follow(points));
  }

  start(): void {
    this.#arm(this.#limits.periodMs);
  }

  touch(post: string, device: string, metric: string, at: number): void {
    this.#deps.marks.mark(post, [Math.floor(at / DAY_MS)]);
    const now = this.#deps.clock.monotonic();
    this.#add(this.#stateOf(post, device, metric), quarterOf(at), quarterOf(at) + 1, now);
  }

  isTrue(post: string, device: string, metric: string, to: number): boolean {
    const state = this.#posts.get(post)?.get(`${device}/${metric}`);
    // What changed before changes the step of a counter behind it too.
    const first = Math.min(state?.stretches[0]?.from ?? Infinity, state?.echo?.from ?? Infinity);
    return !this.#left.has(post) && Math.min(first * QUARTER_MS, state?.taken?.from ?? Infinity) >= to;
  }

  waiting(post: string, device: string, metric: string): readonly Window[] {
    const state = this.#posts.get(post)?.get(`${device}/${metric}`);
    const left = this.#left.get(post) ?? [];
    const quarters = [...(state?.stretches ?? []), ...(state?.echo === undefined ? [] : [state.echo])];
    return [
      ...left.map((day) => ({ from: day * DAY_MS, to: (day + 1) * DAY_MS })),
      ...quarters.map(({ from, to }) => ({ from: from * QUARTER_MS, to: to * QUARTER_MS })),
      ...(state?.taken === undefined ? [] : [state.taken]),
    ];
  }

  counters(): Readonly<Record<string, number>> {
    let waiting = this.#left.size;
    for (const post of this.#posts.values()) waiting += post.size;
    return { ...this.#counts, ...this.#deps.marks.counters(), rollupSeriesWaiting: waiting };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#running;
  }

  #follow(points: readonly Point[]): void {
    const now = this.#deps.clock.monotonic();
    for (const { post, device, metric, at } of points) {
      const quarter = quarterOf(at);
      this.#add(this.#stateOf(post, device, metric), quarter, quarter + 1, now);
    }
  }

  #add(state: SeriesState, from: number, to: number, at: number): void {
    this.#counts.rollupStretchesJoined += addStretch(state.stretches, { from, to, firstAt: at, lastAt: at });
  }

  #stateOf(post: string, device: string, metric: string): SeriesState {
    const ofPost = this.#posts.get(post) ?? new Map<string, SeriesState>();
    this.#posts.set(post, ofPost);
    const key = `${device}/${metric}`;
    const known = ofPost.get(key);
    if (known !== undefined) return known;
    const state: SeriesState = { device, metric, stretches: [], echo: undefined, taken: undefined };
    ofPost.set(key, state);
    return state;
  }

  #arm(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancelTimer = this.#deps.scheduler.after(delayMs, () => {
      this.#running = this.#round()
        .then((nextMs) => this.#arm(nextMs))
        .finally(() => {
          this.#running = undefined;
        });
    });
  }

  /** Gives when the next one is to come. */
  async #round(): Promise<number> {
    const { periodMs, retryMs } = this.#limits;
    const fault = (await this.#takeUpLeft()) ?? (await this.#refresh()) ?? this.#clearMarks();
    if (fault !== undefined) {
      this.#counts.rollupFaults += 1;
      if (!this.#isFailing) this.#deps.log.warn({ ...fault }, 'Rollups could not be refreshed; trying again');
      this.#isFailing = true;
      return retryMs;
    }
    this.#isFailing = false;
    return this.#isBatchFull || this.#left.size > 0 ? 0 : periodMs;
  }

  /** An earlier run ended before its rollups were saved: which of a marked day's series it touched nobody knows, so it is all. */
  async #takeUpLeft(): Promise<StoreFault | undefined> {
    const [next] = this.#left;
    if (next === undefined) return undefined;
    const [post, days] = next;
    const latest = await this.#deps.store.latest(post);
    if (!latest.ok) return latest.fault;
    const since = this.#deps.clock.monotonic() - this.#limits.waitMaxMs;
    for (const { device, metric, at } of latest.value) {
      const state = this.#stateOf(post, device, metric);
      for (const day of days) {
        const from = quarterOf(day * DAY_MS);
        const to = Math.min(quarterOf((day + 1) * DAY_MS), quarterOf(at) + 1);
        if (from < to) this.#add(state, from, to, since);
      }
    }
    this.#left.delete(post);
    this.#settled.add(post);
    this.#counts.rollupPostDaysRebuilt += days.length;
    return undefined;
  }

  async #refresh(): Promise<StoreFault | undefined> {
    const batch = this.#take();
    for (const { piece, state } of batch) state.taken = piece;
    if (batch.length === 0) return undefined;
    const fault = await this.#rebuild(batch.map(({ piece }) => piece));
    for (const { state, post, undo } of batch) {
      this.#settled.add(post);
      state.taken = undefined;
      if (fault !== undefined) undo();
      else if (state.stretches.length === 0 && state.echo === undefined)
        this.#posts.get(post)?.delete(`${state.device}/${state.metric}`);
    }
    return fault;
  }

  async #rebuild(pieces: readonly Piece[]): Promise<StoreFault | undefined> {
    const over = this.#over();
    const done = await this.#rebuildEach(pieces);
    if (!done.ok) return done.fault;
    const following = await followingReadings(this.#deps.rollups, pieces, over);
    if (!following.ok) return following.fault;
    const followed = await this.#rebuildEach(following.value);
    if (!followed.ok) return followed.fault;
    this.#counts.rollupRefreshes += pieces.length;
    this.#counts.rollupQuarters += done.value + followed.value;
    return undefined;
  }

  #rebuildEach(pieces: readonly Piece[]): Promise<Result<number, StoreFault>> {
    const { rawSince, rollups, store } = this.#deps;
    if (store.rebuild !== undefined) return store.rebuild(pieces, rawSince());
    const { readRollups, saveRollups } = rollups;
    return rebuild({ rollUp: (questions) => store.rollUp(questions), readRollups, saveRollups }, pieces, rawSince());
  }

  /** Quarters before this one are over, and so are their batches. */
  #over(): number {
    return quarterOf(this.#deps.clock.now() - this.#limits.settleMs);
  }

  /** One stretch of each of so many series. */
  #take(): Taken[] {
    const batch: Taken[] = [];
    const over = this.#over();
    let quarters = 0;
    this.#isBatchFull = true;
    for (const [post, states] of this.#posts)
      for (const state of states.values()) {
        if (batch.length >= this.#limits.seriesMax || quarters >= this.#limits.quartersMax) return batch;
        const taken = this.#takeOf(post, state, over);
        if (taken === undefined) continue;
        quarters += (taken.piece.to - taken.piece.from) / QUARTER_MS;
        batch.push(taken);
      }
    this.#isBatchFull = false;
    return batch;
  }

  #takeOf(post: string, state: SeriesState, over: number): Taken | undefined {
    const { quietMs, quartersMax, waitMaxMs } = this.#limits;
    const now = this.#deps.clock.monotonic();
    const due = { before: over, quietSince: now - quietMs, oldest: now - waitMaxMs, quartersMax };
    const stretch = takeDue(state.stretches, due);
    if (stretch === undefined && (state.echo === undefined || state.echo.from >= over)) return undefined;
    const { birthOf, counterEvents } = this.#deps;
    const series = { post, device: state.device, metric: state.metric };
    const spec = specOf(birthOf(post), series, counterEvents.ofSeries(series));
    if (spec === undefined) {
      this.#counts.rollupSeriesUnknown += 1;
      this.#posts.get(post)?.delete(`${state.device}/${state.metric}`);
      this.#settled.add(post);
      return undefined;
    }
    const zone = this.#zones.get(post) ?? 'UTC';
    const { echo } = state;
    if (stretch === undefined && echo !== undefined) {
      const to = Math.min(echo.to, over);
      state.echo = to < echo.to ? { ...echo, from: to } : undefined;
      const piece = { series, spec, zone, from: echo.from * QUARTER_MS, to: to * QUARTER_MS };
      return { post, state, piece, undo: () => this.#add(state, echo.cause, echo.cause + 1, now) };
    }
    if (stretch === undefined) return undefined;
    const wide = widen(stretch.from * QUARTER_MS, stretch.to * QUARTER_MS, spec);
    const to = Math.min(wide.to, over * QUARTER_MS);
    state.echo = echoOf(echo, { cause: stretch.to - 1, from: over, to: wide.to / QUARTER_MS }, to / QUARTER_MS);
    const undo = (): void => this.#add(state, stretch.from, stretch.to, stretch.firstAt);
    return { post, state, piece: { series, spec, zone, from: wide.from, to }, undo };
  }

  #clearMarks(): StoreFault | undefined {
    try {
      for (const post of this.#settled) {
        if (this.#left.has(post)) continue;
        const states = [...(this.#posts.get(post)?.values() ?? [])];
        this.#deps.marks.clear(post, (day) => states.some((state) => touchesDay(state, day)));
        this.#settled.delete(post);
        if (states.length === 0) this.#posts.delete(post);
      }
      return undefined;
    } catch (error) {
      return { code: 'STORE_UNAVAILABLE', message: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** What is left of an echo behind `done`, with what is new. */
function echoOf(old: Echo | undefined, fresh: Echo, done: number): Echo | undefined {
  const rest = old !== undefined && old.to > done ? { ...old, from: Math.max(old.from, done) } : undefined;
  if (fresh.to <= fresh.from) return rest;
  if (rest === undefined) return fresh;
  return {
    cause: Math.min(rest.cause, fresh.cause),
    from: Math.min(rest.from, fresh.from),
    to: Math.max(rest.to, fresh.to),
  };
}

const QUARTERS_PER_DAY = DAY_MS / QUARTER_MS;

function touchesDay({ echo, stretches }: SeriesState, day: number): boolean {
  const [from, to] = [day * QUARTERS_PER_DAY, (day + 1) * QUARTERS_PER_DAY];
  if (echo !== undefined && echo.cause < to && echo.to > from) return true;
  return stretches.some((stretch) => stretch.from < to && stretch.to > from);
}
