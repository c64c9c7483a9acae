// Rollups of a store that keeps some: what follows writes, and what removes the old.
import type { Birth } from '#contract/session.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import type { PostConfig, RetentionConfig } from '../config.js';
import type { Log } from '../ingest/log.js';
import type { WriteWatch } from '../ingest/writer.js';
import type { Pruned, Registry, RollupStore, Store } from '../ports.js';
import type { CounterEvents } from './counter-events.js';
import { createMarks } from './marks.js';
import { createRefresher, type Refresher } from './refresher.js';
import { createRetention, rawSince } from './retention.js';

export interface RollupServiceDeps {
  readonly posts: readonly Pick<PostConfig, 'id' | 'zone'>[];
  readonly retention: RetentionConfig;
  readonly store: Store & Partial<RollupStore> & Partial<Pruned>;
  readonly registry: Pick<Registry, 'marks' | 'addMarks' | 'clearMarks'>;
  readonly counterEvents: Pick<CounterEvents, 'ofSeries'>;
  readonly birthOf: (post: string) => Birth | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

export interface RollupService {
  /** For the ingest; absent where the store keeps no rollups. */
  readonly watch: WriteWatch | undefined;
  /** Once births are known. */
  start(): void;
  /** See {@link Refresher.touch}. */
  touch: Refresher['touch'];
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
