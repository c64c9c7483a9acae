// Puts drafts into the outbox, and holds what a failing disk does not take.
import type { Outbox, OutboxFault, RecordDraft } from '../outbox/outbox.js';
import type { Log } from '../uplink/log.js';

/** Drafts held in memory while the disk takes none. The oldest go first, counted. */
export const UNSAVED_MAX = 2_000;

export class Appender {
  readonly #outbox: Outbox;
  readonly #log: Log;
  #unsaved: RecordDraft[] = [];
  #lost = 0;
  #fault: OutboxFault | undefined;

  constructor(outbox: Outbox, log: Log) {
    this.#outbox = outbox;
    this.#log = log;
  }

  /** Records that wait in memory for the disk. */
  get unsaved(): number {
    return this.#unsaved.length;
  }

  /** True when a record that waits in memory has samples of this device at exactly this time. */
  hasTime(device: string, at: number): boolean {
    return this.#unsaved.some(
      ({ boot, samples }) =>
        boot === undefined && samples.some((sample) => sample.device === device && sample.at === at),
    );
  }

  /** Records that memory could not hold either. */
  get lost(): number {
    return this.#lost;
  }

  /** What the disk says against it; `undefined` while all is well. */
  get fault(): OutboxFault | undefined {
    return this.#fault;
  }

  /** Also tries again what could not be saved before. */
  append(drafts: readonly RecordDraft[]): void {
    const all = [...this.#unsaved, ...drafts];
    const stored = this.#outbox.append(all);
    if (stored.ok) {
      this.#unsaved = [];
      if (this.#fault !== undefined) this.#log.info({}, 'the outbox takes records again');
      this.#fault = undefined;
      return;
    }
    if (this.#fault?.code !== stored.fault.code) this.#log.warn(stored.fault, 'the outbox cannot store records');
    this.#fault = stored.fault;
    const overflow = Math.max(0, all.length - UNSAVED_MAX);
    this.#lost += overflow;
    this.#unsaved = all.slice(overflow);
  }
}
