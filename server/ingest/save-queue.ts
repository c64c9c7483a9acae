// What the registry is to keep, and could not take yet: a full disk must not make the server forget a birth.
import type { Scheduler } from '#domain/clock.js';

export interface SaveQueue {
  /** Saves now, or as soon as the registry can. A later save of the same name takes the place of one that waits. */
  save(name: string, task: () => void): void;
  counters(): Readonly<Record<'registryFaults' | 'registrySavesWaiting', number>>;
  /** Tries what waits a last time. */
  stop(): void;
}

const RETRY_MS = 5_000;

/** @param failed called with what the registry threw, at each try */
export function createSaveQueue(scheduler: Scheduler, failed: (error: unknown) => void): SaveQueue {
  const waiting = new Map<string, () => void>();
  let cancel: (() => void) | undefined;
  let faults = 0;

  function attempt(name: string, task: () => void): void {
    try {
      task();
      waiting.delete(name);
    } catch (error) {
      waiting.set(name, task);
      faults += 1;
      failed(error);
    }
  }

  function retry(): void {
    cancel = undefined;
    for (const [name, task] of [...waiting]) attempt(name, task);
    plan();
  }

  function plan(): void {
    if (waiting.size > 0 && cancel === undefined) cancel = scheduler.after(RETRY_MS, retry);
  }

  return {
    save(name, task) {
      attempt(name, task);
      plan();
    },
    counters: () => ({ registryFaults: faults, registrySavesWaiting: waiting.size }),
    stop() {
      cancel?.();
      for (const [name, task] of [...waiting]) attempt(name, task);
    },
  };
}
