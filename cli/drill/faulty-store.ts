// A database that can be slow, full, away, or die in the middle of a write.
import type { Random, Scheduler } from '#domain/clock.js';
import { failed } from '#domain/result.js';
import type { Store, StoreFault } from '#server/ports.js';

export class FaultyStore {
  readonly inner: Store;
  /** Answers every call with this while it is set. */
  fault: StoreFault | undefined;
  /** Longest time that a write takes, ms. */
  writeMsMax = 0;
  readonly #scheduler: Scheduler;
  readonly #random: Random;

  constructor(inner: Store, scheduler: Scheduler, random: Random) {
    this.inner = inner;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** The store as one start of a server sees it. */
  forLife(isAlive: () => boolean): Store {
    const { inner } = this;
    const whole = <T extends unknown[], R>(call: (...args: T) => R) => {
      return async (...args: T) => (this.fault === undefined ? call(...args) : failed(this.fault));
    };
    return {
      write: async (points) => {
        if (this.writeMsMax > 0) await this.#pause(this.#random() * this.writeMsMax);
        // A dead server's last write may have reached the database or not.
        if (!isAlive()) return this.#random() < 0.5 ? inner.write(points) : failed(GONE);
        if (this.fault === undefined) return inner.write(points);
        // One that dies in the middle may have stored what it never confirms.
        if (this.fault.code === 'STORE_UNAVAILABLE' && this.#random() < 0.3) await inner.write(points);
        return failed(this.fault);
      },
      read: whole(inner.read.bind(inner)) as Store['read'],
      lastBefore: whole(inner.lastBefore.bind(inner)) as Store['lastBefore'],
      latest: whole(inner.latest.bind(inner)) as Store['latest'],
      rollUp: whole(inner.rollUp.bind(inner)) as Store['rollUp'],
      close: async () => undefined,
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.after(Math.ceil(ms), resolve);
    });
  }
}

const GONE: StoreFault = { code: 'STORE_UNAVAILABLE', message: 'the server is gone' };
