// Takes records from the outbox, sends them as payloads within the windows, and frees the outbox by what the receipts say.
import type { Receipt } from '#contract/session.js';
import type { Random } from '#domain/clock.js';
import type { Outbox, RefusedRecord, Stream } from '../outbox/outbox.js';
import type { OutboxRecord } from '../ports.js';
import { rangesHave } from './id-ranges.js';
import type { Log } from './log.js';
import { type BirthIndex, cutPayload, PAYLOAD_BYTES } from './payload.js';
import { Windows } from './windows.js';

/** `sent`: a payload went. `empty`: nothing waits. `full`: the window is. `busy`: the socket or the disk takes no more now. */
export type SendOutcome = 'sent' | 'empty' | 'full' | 'busy';

const RECORDS_PER_CUT = 4000;
const SAMPLES_PER_CUT: Readonly<Record<Stream, number>> = { live: 3000, history: 6000 };
/** Room that makes it worth while to cut a payload. */
const ROOM_BYTES: Readonly<Record<Stream, number>> = { live: 1024, history: PAYLOAD_BYTES };

export interface SenderDeps {
  readonly outbox: Outbox;
  /** Gives whether everything recorded is on the disk for good. */
  readonly sync: () => boolean;
  /** False when the socket takes no more now. */
  readonly publish: (payload: Uint8Array, stream: Stream) => boolean;
  readonly random: Random;
  readonly log: Log;
}

export class Sender {
  readonly windows: Windows;
  readonly #deps: SenderDeps;
  /** Last record of the last payload of history, as long as nothing before it is to be sent again. */
  #lastSent: { readonly epoch: string; readonly id: number; readonly releases: number } | undefined;

  constructor(deps: SenderDeps) {
    this.windows = new Windows(deps.random);
    this.#deps = deps;
  }

  /** There is history that is not on its way. */
  hasHistory(liveSince: number): boolean {
    return this.#pending('history', liveSince, 1, 1).length > 0;
  }

  /** History is looked for behind what was sent last, not through everything that is on its way; when that ends, from the start. */
  #pending(stream: Stream, liveSince: number, samplesMax: number, recordsMax: number): readonly OutboxRecord[] {
    const skip = (epoch: string, id: number) => this.windows.isInFlight(epoch, id);
    const query = { liveSince, samplesMax, recordsMax, skip };
    if (this.#lastSent?.releases !== this.windows.releases) this.#lastSent = undefined;
    if (stream === 'history' && this.#lastSent !== undefined) {
      const found = this.#deps.outbox.pending(stream, { ...query, after: this.#lastSent });
      if (found.length > 0) return found;
      this.#lastSent = undefined;
    }
    return this.#deps.outbox.pending(stream, query);
  }

  /** @param now monotonic */
  sendOne(stream: Stream, birth: BirthIndex, liveSince: number, now: number): SendOutcome {
    if (!this.windows.hasRoom(stream, ROOM_BYTES[stream])) return 'full';
    const records = this.#pending(stream, liveSince, SAMPLES_PER_CUT[stream], RECORDS_PER_CUT);
    const epoch = records[0]?.epoch;
    if (epoch === undefined) return 'empty';
    const { payload, refused } = cutPayload(records, birth, stream === 'history');
    const buried = this.#refuse(epoch, refused, 'records cannot be sent; they are kept as dead letters');
    // A disk that cannot even bury them: later.
    if (payload === undefined) return buried > 0 ? 'sent' : 'busy';
    if (!this.windows.hasRoom(stream, payload.bytes.length)) return 'full';
    // What a power cut could still take is not sent: the server would have what the post never had.
    // The mark goes to the disk with it: after a restart nothing that the server may have is put into a mean.
    this.#deps.outbox.markSent(epoch, payload.ids);
    if (!this.#deps.sync() || !this.#deps.publish(payload.bytes, stream)) return 'busy';
    this.windows.add({ stream, epoch, ids: payload.ids, bytes: payload.bytes.length, at: now });
    const id = payload.ids.at(-1);
    if (stream === 'history' && id !== undefined) this.#lastSent = { epoch, id, releases: this.windows.releases };
    return 'sent';
  }

  /**
   * Gives whether something that was sent is stored.
   * @param now monotonic
   * @param at epoch ms, for how long the receipted records are kept
   */
  settle(receipt: Receipt, now: number, at: number): boolean {
    const { epoch, refused: refusals = [] } = receipt;
    if (epoch === undefined) return false;
    // First the dead letters: a record of which some samples are stored may be named in both lists.
    const refusable = this.windows.settle(
      epoch,
      refusals.map(({ id }): [number, number] => [id, id]),
      now,
    );
    const refused = refusals.filter(({ id }) => rangesHave(refusable, id));
    this.#refuse(epoch, refused, 'the server refuses records; they are kept as dead letters');
    const stored = this.windows.settle(epoch, receipt.stored, now);
    if (stored.length > 0) this.#deps.outbox.markReceipted(epoch, stored, at);
    return stored.length > 0;
  }

  #refuse(epoch: string, refused: readonly RefusedRecord[], message: string): number {
    if (refused.length === 0) return 0;
    const count = this.#deps.outbox.refuse(epoch, refused);
    if (count > 0) this.#deps.log.warn({ count, code: refused[0]?.code }, message);
    return count;
  }
}
