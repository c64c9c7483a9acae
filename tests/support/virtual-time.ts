import type { Clock, Scheduler } from '#domain/clock.js';

interface Task {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock and scheduler that move only when told to. Tasks run in the order of their due times. */
export class VirtualTime implements Clock, Scheduler {
  #monotonic = 0;
  #offset: number;
  #order = 0;
  #tasks: Task[] = [];

  constructor(startAt: number) {
    this.#offset = startAt;
  }

  now(): number {
    return this.#offset + this.#monotonic;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** Steps the wall clock; nothing becomes due by it. */
  stepClock(byMs: number): void {
    this.#offset += byMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const task: Task = { dueAt: this.#monotonic + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** Runs everything that becomes due within `ms`, letting promises settle after each task. */
  async advance(ms: number, settle: () => Promise<void> = settlePromises): Promise<void> {
    const until = this.#monotonic + ms;
    for (;;) {
      await settle();
      const next = this.#next(until);
      if (next === undefined) break;
      this.#monotonic = Math.max(this.#monotonic, next.dueAt);
      this.#tasks = this.#tasks.filter((task) => task !== next);
      next.run();
    }
    this.#monotonic = until;
    await settle();
  }

  #next(until: number): Task | undefined {
    let next: Task | undefined;
    for (const task of this.#tasks) {
      if (task.dueAt > until) continue;
      if (next === undefined || task.dueAt < next.dueAt || (task.dueAt === next.dueAt && task.order < next.order))
        next = task;
    }
    return next;
  }
}

/** Lets every promise chain and `setImmediate` that is ready run to its next wait. */
export async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
