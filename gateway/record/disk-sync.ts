// When what was recorded goes to the disk for good: soon after the first record, and always before anything is sent.
import type { Scheduler } from '#domain/clock.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Log } from '../uplink/log.js';

/** The timer runs out a little before the time allowed: the disk takes its time too. */
const TIMER_SHARE = 0.95;

export interface DiskSyncOptions {
  readonly outbox: Pick<Outbox, 'sync'>;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** The most that a power cut may take, ms; 0: the outbox writes through by itself. */
  readonly writeDelayMs: number;
}

export class DiskSync {
  readonly #options: DiskSyncOptions;
  #cancel: (() => void) | undefined;
  #faults = 0;
  #code: string | undefined;

  constructor(options: DiskSyncOptions) {
    this.#options = options;
  }

  /** Times that the disk did not take what was recorded. */
  get faults(): number {
    return this.#faults;
  }

  /** Tells that the outbox has records that may not be on the disk yet. */
  appended(): void {
    const { writeDelayMs, scheduler } = this.#options;
    if (writeDelayMs === 0 || this.#cancel !== undefined) return;
    this.#cancel = scheduler.after(writeDelayMs * TIMER_SHARE, () => {
      this.#cancel = undefined;
      if (!this.sync()) this.appended();
    });
  }

  /** True when everything recorded is safe from a power cut. */
  sync(): boolean {
    const synced = this.#options.outbox.sync();
    if (synced.ok) {
      if (this.#code !== undefined) this.#options.log.info({}, 'the disk keeps records again');
      this.#code = undefined;
      return true;
    }
    this.#faults += 1;
    if (this.#code !== synced.fault.code)
      this.#options.log.warn(synced.fault, 'the disk does not keep records; nothing is sent meanwhile');
    this.#code = synced.fault.code;
    return false;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
