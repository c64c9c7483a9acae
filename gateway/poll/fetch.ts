// The requests of one poll of one device, one after the other, and what each failure means for the rest.
import type { Reason } from '#domain/quality.js';
import type { Register } from '#profiles/profile.js';
import type { WordImage } from '../decode/word-image.js';
import type { BusFault } from '../ports.js';
import type { Asker } from './asker.js';
import type { Learnt } from './learnt.js';
import type { ReadBlock, ReadPlan } from './plan.js';

/** So many questions in one poll without any answer, and the rest is not asked. */
const DEAF_QUESTIONS_MAX = 2;
/** Cutting a refused block in two ends in single registers; this ends a device that refuses by turns. */
const REQUESTS_MAX = 300;

const REASONS: Readonly<Record<BusFault['code'], Reason>> = {
  BUS_TIMEOUT: 'timeout',
  BUS_EXCEPTION: 'exception',
  BUS_GARBLED: 'garbled',
  BUS_DISCONNECTED: 'disconnected',
};

export function reasonOfFault(fault: BusFault): Reason {
  return REASONS[fault.code];
}

export interface FetchOptions {
  readonly asker: Asker;
  readonly learnt: Learnt;
  readonly pollPeriodMs: number;
  readonly at: number;
  /** Where the words go. */
  readonly image: WordImage;
  planFor(registers: readonly Register[]): ReadPlan;
}

export interface Fetched {
  /** Why the device as a whole did not answer; `undefined` where it did. */
  readonly silence?: Reason;
  readonly missing: ReadonlyMap<Register, Reason>;
  /** Something that could be there is not. What the firmware is known to lack does not count. */
  readonly partly: boolean;
  /** At least one request brought words. */
  readonly words: boolean;
}

/** Fetches the words of these registers into the image. Every register is then in the image or in `missing`. */
export function fetchBlocks(due: ReadonlySet<Register>, options: FetchOptions): Promise<Fetched> {
  return new Fetch(options).run(due);
}

class Fetch {
  readonly #options: FetchOptions;
  readonly #missing = new Map<Register, Reason>();
  readonly #failures: { readonly block: ReadBlock; readonly reason: Reason }[] = [];
  /** Something came back, be it an exception: the device is there. */
  #alive = false;
  #words = false;
  #deaf: Reason | undefined;
  #deafQuestions = 0;
  #requests = 0;

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  async run(due: ReadonlySet<Register>): Promise<Fetched> {
    const { learnt, at, pollPeriodMs } = this.#options;
    const asked = [...due].filter((register) => {
      const refusal = learnt.refusal(register, at);
      if (refusal !== undefined) this.#missing.set(register, refusal);
      return refusal === undefined;
    });
    const ended = await this.#fetch(asked);
    const silence = ended ?? (this.#alive ? undefined : this.#deaf);
    if (silence !== undefined) return { silence, missing: this.#missing, partly: false, words: false };
    for (const { block, reason } of this.#failures) learnt.failed(block, reason, at, pollPeriodMs);
    const lost = asked.some((register) => this.#missing.has(register) && learnt.refusal(register, at) === undefined);
    return { missing: this.#missing, partly: lost || !this.#words, words: this.#words };
  }

  /** The reason of a silence that ends the poll, or `undefined`. */
  async #fetch(registers: readonly Register[]): Promise<Reason | undefined> {
    const { blocks, unreadable } = this.#options.planFor(registers);
    this.#lose(unreadable, 'exception');
    for (const block of blocks) {
      const illness = this.#options.learnt.illness(block, this.#options.at);
      if (illness !== undefined) this.#lose(block.registers, illness);
      else {
        const silence = await this.#read(block);
        if (silence !== undefined) return silence;
      }
    }
    return undefined;
  }

  async #read(block: ReadBlock): Promise<Reason | undefined> {
    const { asker, learnt, image } = this.#options;
    this.#requests += 1;
    const attempt = await asker.ask(block);
    if (attempt.ok) {
      this.#alive = true;
      this.#words = true;
      learnt.answered(block);
      image.put(block.table, block.start, attempt.value);
      return undefined;
    }
    const reason = reasonOfFault(attempt.fault);
    if (reason === 'disconnected') return reason;
    if (reason === 'exception') return this.#refused(block, attempt.fault.exception ?? 0);
    this.#lose(block.registers, reason);
    this.#failures.push({ block, reason });
    this.#deaf = reason;
    this.#deafQuestions += 1;
    return !this.#alive && this.#deafQuestions >= DEAF_QUESTIONS_MAX ? reason : undefined;
  }

  /** Exceptions 1 to 3 are about the question: it is cut until the culprit is found. Others are about the moment. */
  async #refused(block: ReadBlock, exception: number): Promise<Reason | undefined> {
    const { learnt, at } = this.#options;
    this.#alive = true;
    const aboutQuestion = exception >= 1 && exception <= 3 && this.#requests < REQUESTS_MAX;
    if (aboutQuestion && learnt.refuses(block, exception, at)) return this.#fetch(block.registers);
    this.#lose(block.registers, 'exception');
    if (!aboutQuestion) this.#failures.push({ block, reason: 'exception' });
    return undefined;
  }

  #lose(registers: readonly Register[], reason: Reason): void {
    for (const register of registers) this.#missing.set(register, reason);
  }
}
