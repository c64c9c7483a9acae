// The real clock, scheduler and random source. Only composition roots hand them out.
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import type { Clock, Random, Scheduler } from '#domain/clock.js';

export const systemClock: Clock = {
  now: () => Date.now(),
  // Counts from the machine's boot on Linux, so that samples of unknown time outlive a restart of the process.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
};

/** Names this boot of the machine; `undefined` where the system does not tell. */
export function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = () => Math.random();

/** Structured log lines on standard error, so that standard output stays free for results. */
export function createLog(level: string) {
  return pino({ level, base: null, redact: ['*.password', 'password'] }, pino.destination({ dest: 2, sync: true }));
}

/** Resolves at Ctrl-C or when the supervisor asks to stop. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

/** Runs a task every `periodMs`, the next one counted from the end of the last. The returned function ends it. */
export function repeat(scheduler: Scheduler, periodMs: number, task: () => void): () => void {
  let cancel = scheduler.after(periodMs, again);
  function again(): void {
    task();
    cancel = scheduler.after(periodMs, again);
  }
  return () => cancel();
}
