// Today's and this month's energy and water, from counters. Closed parts are read once and kept; only what late data
// touched, and the part that is still running, is read again.

import type { Birth } from '#contract/session.js';
import type { Total, Totals } from '#contract/view.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { chooseTotals, TOTAL_NAMES, type TotalName } from '#domain/flow.js';
import { rollCounter, type SeriesPoint } from '#domain/rollup.js';
import { dayWindow, monthWindow, type Window } from '#domain/window.js';
import type { PostConfig } from '../config.js';
import type { ServerEvent } from '../ingest/events.js';
import type { IngestService, Log } from '../ingest/ingest-service.js';
import type { Point, Store } from '../ports.js';
import type { CounterEvents } from './counter-events.js';
import { addParts, fleetTotals, type Part, partsOf, type SeriesTotal, sumTotals } from './parts.js';
import type { RollupService } from './rollup-service.js';
import { STEP_MS_MIN, specOf } from './series-spec.js';
import { emptyTotals, type TotalsPair, type TotalsReader } from './totals-reader.js';

export interface TotalsDeps {
  readonly posts: readonly PostConfig[];
  readonly ingest: Pick<IngestService, 'directory' | 'subscribe'>;
  readonly store: Pick<Store, 'read' | 'lastBefore'>;
  readonly counterEvents?: Pick<CounterEvents, 'ofSeries'>;
  /** Where days are rolled up already. */
  readonly rollups?: Pick<RollupService, 'dayOf'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

export interface TotalsService extends TotalsReader {
  start(): void;
  /** Something was said of this counter: what ends behind `at` is read again. */
  forget(post: string, device: string, metric: string, at: number): void;
  /** Ends the timers and waits for a read in progress. */
  stop(): Promise<void>;
  counters(): Readonly<Record<string, number>>;
}

/** A post whose counters moved is read again after so long; every post at least so often, for midnight and coverage. */
const REFRESH_MS = 3000;
const REFRESH_ALL_MS = 60_000;
const HOUR_MS = 3_600_000;

interface PostState {
  readonly id: string;
  readonly zone: string;
  pair: TotalsPair;
  /** `device/metric` → start of the part → what it gave. */
  readonly parts: Map<string, Map<number, Part>>;
  dirty: boolean;
  /** Changes with every new point: a part that was read meanwhile may lack it, and is not kept. */
  generation: number;
}

export function createTotals(deps: TotalsDeps): TotalsService {
  return new TotalsKeeper(deps);
}

class TotalsKeeper implements TotalsService {
  readonly #deps: TotalsDeps;
  readonly #zones: ReadonlyMap<string, string>;
  readonly #posts = new Map<string, PostState>();
  readonly #listeners = new Set<(post: string) => void>();
  #cancelTimer: () => void = () => {};
  #unsubscribe: () => void = () => {};
  #running: Promise<void> | undefined;
  #allDueAt = 0;
  #stopped = false;
  #failures = 0;
  /** Why the last round could not read all: told once, however often it is tried. */
  #failure: string | undefined;

  constructor(deps: TotalsDeps) {
    this.#deps = deps;
    this.#zones = new Map(deps.posts.map(({ id, zone }) => [id, zone]));
  }

  start(): void {
    this.#unsubscribe = this.#deps.ingest.subscribe((event) => this.#follow(event));
    for (const { id } of this.#deps.posts) this.#stateOf(id);
    for (const { id } of this.#deps.ingest.directory.posts()) this.#stateOf(id);
    this.#arm(0);
  }

  forget(post: string, device: string, metric: string, at: number): void {
    const state = this.#stateOf(post);
    state.dirty = true;
    state.generation += 1;
    this.#forgetFrom(state, [{ device, metric, at }]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#unsubscribe();
    await this.#running;
  }

  ofPost(post: string): TotalsPair {
    return this.#posts.get(post)?.pair ?? this.#nothing(this.#zones.get(post) ?? 'UTC');
  }

  ofFleet(): TotalsPair {
    const pairs = [...this.#posts.values()].map(({ pair }) => pair);
    const now = this.#deps.clock.now();
    return {
      today: fleetTotals(
        pairs.map(({ today }) => today),
        now,
      ),
      month: fleetTotals(
        pairs.map(({ month }) => month),
        now,
      ),
    };
  }

  subscribe(listener: (post: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  counters(): Readonly<Record<string, number>> {
    return { totalsReadsFailed: this.#failures };
  }

  #nothing(zone: string): TotalsPair {
    const now = this.#deps.clock.now();
    const until = (window: Window): Window => ({ from: window.from, to: now });
    return {
      today: emptyTotals(until(dayWindow(now, zone)), zone),
      month: emptyTotals(until(monthWindow(now, zone)), zone),
    };
  }

  #stateOf(id: string): PostState {
    const known = this.#posts.get(id);
    if (known !== undefined) return known;
    const zone = this.#zones.get(id) ?? 'UTC';
    const state = { id, zone, pair: this.#nothing(zone), parts: new Map(), dirty: true, generation: 0 };
    this.#posts.set(id, state);
    return state;
  }

  #follow(event: ServerEvent): void {
    const state = this.#stateOf(event.post);
    if (event.type === 'birth') state.dirty = true;
    if (event.type !== 'samples') return;
    const moved = event.points.filter(({ device, metric }) => state.parts.has(`${device}/${metric}`));
    if (moved.length === 0) return;
    state.dirty = true;
    state.generation += 1;
    this.#forgetFrom(state, moved);
  }

  /**
   * A late point changes its own part, and the first step after it, wherever that lies. So every part that ends after
   * it is read again; live points lie in the running part, which is never kept.
   */
  #forgetFrom(state: PostState, points: readonly Pick<Point, 'device' | 'metric' | 'at'>[]): void {
    for (const { device, metric, at } of points) {
      const parts = state.parts.get(`${device}/${metric}`);
      for (const [from, part] of parts ?? []) if (part.window.to > at) parts?.delete(from);
    }
  }

  #arm(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancelTimer = this.#deps.scheduler.after(delayMs, () => {
      this.#running = this.#refresh().finally(() => {
        this.#running = undefined;
        this.#arm(REFRESH_MS);
      });
    });
  }

  async #refresh(): Promise<void> {
    const monotonic = this.#deps.clock.monotonic();
    const isAllDue = monotonic >= this.#allDueAt;
    if (isAllDue) this.#allDueAt = monotonic + REFRESH_ALL_MS;
    let failure: string | undefined;
    for (const state of [...this.#posts.values()]) {
      if (this.#stopped) return;
      if (!state.dirty && !isAllDue) continue;
      state.dirty = false;
      try {
        await this.#refreshPost(state);
      } catch (error) {
        state.dirty = true;
        this.#failures += 1;
        failure = error instanceof Error ? error.message : String(error);
        if (failure !== this.#failure)
          this.#deps.log.warn({ post: state.id, reason: failure }, 'totals could not be read; trying again');
        this.#failure = failure;
      }
    }
    this.#failure = failure;
  }

  async #refreshPost(state: PostState): Promise<void> {
    const birth = this.#deps.ingest.directory.post(state.id)?.birth;
    if (birth === undefined) return;
    const now = this.#deps.clock.now();
    const day = dayWindow(now, state.zone);
    const month = monthWindow(now, state.zone);
    const choice = chooseTotals(birth.devices, (device, metric) =>
      birth.metrics.some((known) => known.device === device && known.metric === metric && known.retired !== true),
    );
    const pair = {
      today: { from: day.from, to: now, zone: state.zone, totals: {} as Totals['totals'] },
      month: { from: month.from, to: now, zone: state.zone, totals: {} as Totals['totals'] },
    };
    for (const name of TOTAL_NAMES) {
      const counters = choice[name];
      if (counters === undefined) continue;
      const found: { today: SeriesTotal; month: SeriesTotal }[] = [];
      for (const counter of counters) found.push(await this.#readCounter(state, birth, counter, { day, month, now }));
      pair.today.totals[name] = totalOf(
        name,
        found.map(({ today }) => today),
      );
      pair.month.totals[name] = totalOf(
        name,
        found.map((entry) => entry.month),
      );
    }
    this.#publish(state, pair);
  }

  #publish(state: PostState, pair: TotalsPair): void {
    const changed =
      JSON.stringify([pair.today.totals, pair.month.totals]) !==
      JSON.stringify([state.pair.today.totals, state.pair.month.totals]);
    const newDay = pair.today.from !== state.pair.today.from;
    state.pair = pair;
    if (changed || newDay) for (const listener of this.#listeners) listener(state.id);
  }

  async #readCounter(
    state: PostState,
    birth: Birth,
    counter: { readonly device: string; readonly metric: string },
    windows: { readonly day: Window; readonly month: Window; readonly now: number },
  ): Promise<{ today: SeriesTotal; month: SeriesTotal }> {
    const key = `${counter.device}/${counter.metric}`;
    const kept = state.parts.get(key) ?? new Map<number, Part>();
    state.parts.set(key, kept);
    const parts: Part[] = [];
    for (const window of partsOf(windows.month, windows.day, windows.now, state.zone)) {
      const known = kept.get(window.from);
      if (known !== undefined && known.window.to === window.to) parts.push(known);
      else parts.push(await this.#readPart(state, birth, counter, window, kept, windows.now));
    }
    // Days that are over are kept as days; their hours, and last month, are of no more use.
    const used = new Set(parts.map(({ window }) => window.from));
    for (const from of kept.keys()) if (!used.has(from)) kept.delete(from);
    return {
      today: addParts(parts.filter(({ window }) => window.from >= windows.day.from)),
      month: addParts(parts),
    };
  }

  async #readPart(
    state: PostState,
    birth: Birth,
    counter: { readonly device: string; readonly metric: string },
    window: Window,
    kept: Map<number, Part>,
    now: number,
  ): Promise<Part> {
    const { store } = this.#deps;
    const { generation } = state;
    const series = { post: state.id, ...counter };
    // A day that is rolled up is read as one number, not as points.
    const isDay = window.to - window.from > HOUR_MS;
    const rolled = isDay ? await this.#deps.rollups?.dayOf(series, window) : undefined;
    if (rolled !== undefined) {
      const { coverage, increase } = rolled;
      const part = { window, lengthMs: window.to - window.from, increase, coverage };
      if (state.generation === generation) kept.set(window.from, part);
      return part;
    }
    const until = { from: window.from, to: Math.min(window.to, now) };
    const before = await store.lastBefore(series, until.from);
    const inside = await store.read(series, until.from, until.to);
    if (!before.ok) throw new Error(before.fault.message);
    if (!inside.ok) throw new Error(inside.fault.message);
    const points = [...(before.value === undefined ? [] : [before.value]), ...inside.value].map(pointOf);
    const spec = specOf(birth, counter, this.#deps.counterEvents?.ofSeries(series) ?? []);
    const { increase, coverage } = rollCounter(
      points,
      until,
      spec?.counter ?? {},
      spec?.expectedEveryMs ?? STEP_MS_MIN,
    );
    const part = { window, lengthMs: until.to - until.from, increase, coverage };
    if (window.to <= now && state.generation === generation) kept.set(window.from, part);
    return part;
  }
}

function pointOf(point: Point): SeriesPoint {
  return { at: point.at, value: typeof point.value === 'number' ? point.value : null, code: point.code };
}

function totalOf(name: TotalName, parts: readonly SeriesTotal[]): Total {
  return { ...sumTotals(parts), unit: name === 'waterVolume' ? 'm³' : 'Wh', method: 'counter' };
}
