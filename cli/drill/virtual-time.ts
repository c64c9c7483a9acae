// Time that moves only when told to: hours of a post pass in a second, and the same seed gives the same hours.
import type { Clock, Scheduler } from '#domain/clock.js';

interface Task {
  readonly dueAt: number;
  readonly order: number;
  /** Absent once cancelled. */
  run: (() => void) | undefined;
}

/** A clock and scheduler that move only when told to. Tasks run in the order of their due times. */
export class VirtualTime implements Clock, Scheduler {
  #monotonic = 0;
  #offset: number;
  #order = 0;
  /** A binary heap, the next task first. */
  readonly #tasks: Task[] = [];

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
    this.#push(task);
    return () => {
      task.run = undefined;
    };
  }

  /** Runs everything that becomes due within `ms`, letting promises settle after each task. */
  async advance(ms: number, settle: () => Promise<void> = settlePromises): Promise<void> {
    const until = this.#monotonic + ms;
    await settle();
    for (let task = this.#pop(until); task !== undefined; task = this.#pop(until)) {
      const { run } = task;
      if (run === undefined) continue;
      this.#monotonic = Math.max(this.#monotonic, task.dueAt);
      run();
      await settle();
    }
    this.#monotonic = until;
    await settle();
  }

  #push(task: Task): void {
    const tasks = this.#tasks;
    let place = tasks.length;
    tasks.push(task);
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (isBefore(tasks[above] as Task, task)) break;
      tasks[place] = tasks[above] as Task;
      place = above;
    }
    tasks[place] = task;
  }

  /** The next task that is due by `until`, taken out. */
  #pop(until: number): Task | undefined {
    const tasks = this.#tasks;
    const next = tasks[0];
    if (next === undefined || next.dueAt > until) return undefined;
    const last = tasks.pop() as Task;
    if (last === next) return next;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= tasks.length) break;
      const right = left + 1;
      const below = right < tasks.length && isBefore(tasks[right] as Task, tasks[left] as Task) ? right : left;
      if (!isBefore(tasks[below] as Task, last)) break;
      tasks[place] = tasks[below] as Task;
      place = below;
    }
    tasks[place] = last;
    return next;
  }
}

function isBefore(one: Task, other: Task): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}

/** The same time as a real machine's timers give it: in whole milliseconds, and none at once. */
export function wholeMs(scheduler: Scheduler): Scheduler {
  return { after: (delayMs, task) => scheduler.after(Math.max(1, Math.ceil(delayMs)), task) };
}

/** Lets every promise chain and `setImmediate` that is ready run to its next wait. */
export async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await settleOnce();
}

/** Lets every promise chain that is ready run to its next wait. */
export function settleOnce(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
