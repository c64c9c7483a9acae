// Rollups of a store that keeps some: what follows writes, and what removes the old.
import type { Birth } from '#contract/session.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { type CounterWindow, QUARTER_MS } from '#domain/series-rollup.js';
import { alignDown, type Window } from '#domain/window.js';
import type { PostConfig, RetentionConfig } from '../config.js';
import type { Log } from '../ingest/log.js';
import type { WriteWatch } from '../ingest/writer.js';
import type { Pruned, Rebuilding, Registry, RollupStore, SeriesName, Store } from '../ports.js';
import type { CounterEvents } from './counter-events.js';
import { createMarks } from './marks.js';
import { createRefresher, REFRESH_LIMITS, type Refresher } from './refresher.js';
import { createRetention, rawSince } from './retention.js';

export interface RollupServiceDeps {
  readonly posts: readonly Pick<PostConfig, 'id' | 'zone'>[];
  readonly retention: RetentionConfig;
  readonly store: Store & Partial<RollupStore & Rebuilding & Pruned>;
  readonly registry: Pick<Registry, 'marks' | 'addMarks' | 'clearMarks'>;
  readonly counterEvents: Pick<CounterEvents, 'ofSeries'>;
  readonly birthOf: (post: string) => Birth | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

/** What is saved, and where it may not know every point yet. */
export interface SavedRollups {
  readonly read: RollupStore['readRollups'];
  /** See {@link Refresher.waiting}. */
  waiting(series: SeriesName): readonly Window[];
  /** Quarters that begin before this are over, and were rolled up unless they wait. Epoch ms. */
  overUntil(): number;
  /** Points before this may be gone. */
  rawSince(): number;
}

export interface RollupService {
  /** For the ingest; absent where the store keeps no rollups. */
  readonly watch: WriteWatch | undefined;
  /** Once births are known. */
  start(): void;
  /** See {@link Refresher.touch}. */
  touch: Refresher['touch'];
  /** What is saved of a counter's day; `undefined` where nothing is, or where it does not know all points yet. */
  dayOf(series: SeriesName, day: Window): Promise<CounterWindow | undefined>;
  /** `undefined` where the store keeps no rollups. */
  readonly saved: SavedRollups | undefined;
  counters(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** Reads the marks of an earlier run. Throws like the registry. */
export function createRollupService(deps: RollupServiceDeps): RollupService {
  const { clock, posts, registry, retention, store } = deps;
  const rollups = rollupsOf(store);
  const marks = createMarks(registry);
  const refresher =
    rollups && createRefresher({ ...deps, rollups, marks, rawSince: () => rawSince(clock.now(), retention) });
  const pruned = prunedOf(store);
  const keeper = pruned && createRetention({ ...deps, store: pruned, marks, zone: posts[0]?.zone ?? 'UTC' });
  return {
    watch: refresher && marks,
    start() {
      refresher?.start();
      keeper?.start();
    },
    touch: (...place) => refresher?.touch(...place),
    async dayOf(series, day) {
      const { device, metric, post } = series;
      if (rollups === undefined || refresher?.isTrue(post, device, metric, day.to) !== true) return undefined;
      const read = await rollups.readRollups(series, 'day', day.from, day.to);
      const [found] = read.ok ? read.value : [];
      return found?.kind === 'counter' && found.to === day.to ? found : undefined;
    },
    saved: refresher &&
      rollups && {
        read: rollups.readRollups,
        waiting: ({ device, metric, post }) => refresher.waiting(post, device, metric),
        overUntil: () => alignDown(clock.now() - REFRESH_LIMITS.settleMs, QUARTER_MS),
        rawSince: () => rawSince(clock.now(), retention),
      },
    counters: () => ({ ...refresher?.counters(), ...keeper?.counters() }),
    async stop() {
      await keeper?.stop();
      await refresher?.stop();
    },
  };
}

function rollupsOf(store: RollupServiceDeps['store']): RollupStore | undefined {
  const { readRollups, saveRollups } = store;
  if (readRollups === undefined || saveRollups === undefined) return undefined;
  return { readRollups: readRollups.bind(store), saveRollups: saveRollups.bind(store) };
}

function prunedOf(store: RollupServiceDeps['store']): Pruned | undefined {
  const { prune } = store;
  return prune === undefined ? undefined : { prune: prune.bind(store) };
}
