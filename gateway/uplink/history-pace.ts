// Holds history back to so many bytes a second: one payload goes at once, the next when the last is paid for.

/** Times are monotonic. */
export class HistoryPace {
  readonly #bytesPerS: number | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;
  #waits = 0;
  #waiting = false;

  /** @param bytesPerS `undefined`: as fast as it goes */
  constructor(bytesPerS: number | undefined) {
    this.#bytesPerS = bytesPerS;
  }

  /** Payloads that had to wait. */
  get waits(): number {
    return this.#waits;
  }

  allows(now: number): boolean {
    return now >= this.#nextAt;
  }

  /** Tells that there is a payload, and that it waits. Gives until when. */
  hold(): number {
    if (!this.#waiting) this.#waits += 1;
    this.#waiting = true;
    return this.#nextAt;
  }

  spend(bytes: number, now: number): void {
    if (this.#bytesPerS === undefined) return;
    this.#nextAt = Math.max(now, this.#nextAt) + (bytes / this.#bytesPerS) * 1000;
    this.#waiting = false;
  }
}
