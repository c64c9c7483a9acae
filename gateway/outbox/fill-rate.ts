// How fast the outbox fills, from what was appended in the last day.
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export class FillRate {
  readonly #hours = new Map<number, number>();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** @param at epoch ms; after a step of the clock by more than a day it begins anew */
  add(at: number, bytes: number): void {
    if (Math.abs(at - this.#last) > DAY_MS && Number.isFinite(this.#last)) {
      this.#hours.clear();
      this.#first = at;
      this.#last = at;
    }
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at);
    const hour = Math.floor(at / HOUR_MS);
    this.#hours.set(hour, (this.#hours.get(hour) ?? 0) + bytes);
    for (const old of this.#hours.keys())
      if (old <= Math.floor((this.#last - DAY_MS) / HOUR_MS)) this.#hours.delete(old);
  }

  /** How long so many bytes last; `undefined` before there is an hour to judge by. */
  lastsMs(bytesMax: number): number | undefined {
    const spanMs = Math.min(DAY_MS, this.#last - this.#first);
    let bytes = 0;
    for (const added of this.#hours.values()) bytes += added;
    if (!(spanMs >= HOUR_MS) || bytes === 0) return undefined;
    return Math.round((bytesMax / bytes) * spanMs);
  }
}
