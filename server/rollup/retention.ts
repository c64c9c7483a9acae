// What is too old goes, once a day while people sleep.
import type { Clock, Scheduler } from '#domain/clock.js';
import { dayWindow } from '#domain/window.js';
import type { RetentionConfig } from '../config.js';
import type { Log } from '../ingest/log.js';
import type { Pruned } from '../ports.js';
import { DAY_MS, type Marks } from './marks.js';

export interface RetentionDeps {
  readonly store: Pruned;
  readonly retention: RetentionConfig;
  readonly marks: Pick<Marks, 'oldestDay'>;
  /** Where it is to be night. */
  readonly zone: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

export interface Retention {
  start(): void;
  counters(): Readonly<Record<string, number>>;
  /** Waits for a prune that runs. */
  stop(): Promise<void>;
}

const HOUR_MS = 3_600_000;
/** Local time of the daily prune. */
const NIGHT_MS = 3 * HOUR_MS;
/** A server that is off at night prunes too. */
const FIRST_AFTER_MS = HOUR_MS;
const RETRY_MS = HOUR_MS;
const YEAR_MS = 365.25 * DAY_MS;

/** Points older than this may be gone. */
export function rawSince(now: number, { rawDays }: RetentionConfig): number {
  return now - rawDays * DAY_MS;
}

export function createRetention(deps: RetentionDeps): Retention {
  const { clock, log, marks, retention, scheduler, store, zone } = deps;
  const counts = { prunes: 0, pruned: 0, pruneFaults: 0, prunesHeldByMarks: 0 };
  let cancelTimer = (): void => undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  /** Points on a marked day, and those that the first of them is measured from, are needed still. */
  function rawCut(now: number): number {
    const cut = rawSince(now, retention);
    const oldest = marks.oldestDay();
    const needed = oldest === undefined ? cut : (oldest - 1) * DAY_MS;
    if (needed < cut) counts.prunesHeldByMarks += 1;
    return Math.min(cut, needed);
  }

  async function prune(): Promise<number> {
    const now = clock.now();
    const pruned = await store.prune({ raw: rawCut(now), quarter: now - retention.quarterYears * YEAR_MS });
    if (!pruned.ok) {
      counts.pruneFaults += 1;
      log.warn({ ...pruned.fault }, 'What is too old could not be removed; trying again in an hour');
      return RETRY_MS;
    }
    counts.prunes += 1;
    counts.pruned += pruned.value;
    if (pruned.value > 0) log.info({ pruned: pruned.value }, 'What was older than the retention is gone');
    return untilNight(clock.now(), zone);
  }

  function arm(delayMs: number): void {
    if (stopped) return;
    cancelTimer = scheduler.after(delayMs, () => {
      running = prune()
        .then(arm)
        .finally(() => {
          running = undefined;
        });
    });
  }

  return {
    start: () => arm(Math.min(FIRST_AFTER_MS, untilNight(clock.now(), zone))),
    counters: () => ({ ...counts }),
    async stop() {
      stopped = true;
      cancelTimer();
      await running;
    },
  };
}

function untilNight(now: number, zone: string): number {
  const today = dayWindow(now, zone);
  const tonight = today.from + NIGHT_MS;
  return (tonight > now ? tonight : today.to + NIGHT_MS) - now;
}
