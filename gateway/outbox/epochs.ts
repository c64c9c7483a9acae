// Which epoch a record belongs to: the records of all epochs are numbered in one row, and an epoch is a stretch of it.
import type { Facts } from './facts.js';

interface Epoch {
  readonly name: string;
  /** A record's number is this plus its id. */
  readonly base: number;
  readonly start: number;
}

export class Epochs {
  readonly #facts: Facts;
  #epochs: Epoch[] = [];

  constructor(facts: Facts) {
    this.#facts = facts;
    this.reload();
  }

  /** Takes over what the facts say. */
  reload(): void {
    this.#epochs = this.#facts
      .entries<[number, number]>('epoch')
      .map(([name, [base, start]]) => ({ name, base, start }))
      .sort((a, b) => a.base - b.base || a.start - b.start);
  }

  /** @param base the highest number that any record ever had */
  begin(name: string, base: number, start: number): void {
    this.#facts.set('epoch', name, [base, start]);
    this.#epochs = [...this.#epochs.filter((epoch) => epoch.name !== name), { name, base, start }];
  }

  get highestBase(): number {
    return this.#epochs.reduce((most, { base }) => Math.max(most, base), 0);
  }

  /** The record's name. */
  nameOf(seq: number): { readonly epoch: string; readonly id: number } {
    const epoch = this.#epochs.findLast(({ base }) => base < seq);
    if (epoch === undefined) throw new Error(`no epoch has record ${seq}`);
    return { epoch: epoch.name, id: seq - epoch.base };
  }

  /** The epoch's numbers, both ends included; `undefined` for an epoch that is not ours. */
  rangeOf(name: string): { readonly base: number; readonly last: number } | undefined {
    const index = this.#epochs.findIndex((epoch) => epoch.name === name);
    const epoch = this.#epochs[index];
    if (epoch === undefined) return undefined;
    return { base: epoch.base, last: this.#epochs[index + 1]?.base ?? Number.MAX_SAFE_INTEGER };
  }

  /** Forgets epochs without records, but the newest. */
  forget(hasRecords: (first: number, last: number) => boolean): void {
    this.#epochs = this.#epochs.filter((epoch, i) => {
      const next = this.#epochs[i + 1];
      if (next === undefined || (epoch.base < next.base && hasRecords(epoch.base + 1, next.base))) return true;
      this.#facts.delete('epoch', epoch.name);
      return false;
    });
  }
}
