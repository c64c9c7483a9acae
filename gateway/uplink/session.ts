// The post's side of the wire: birth, state, data, receipts, snapshots. It decides what goes when; it owns no data, the outbox
// does, and a receipt alone frees it.
import type { Attention, Receipt, Replay, ServerState } from '#contract/session.js';
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import type { RisingNumber } from '../identity.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Timekeeper } from '../record/timekeeper.js';
import type { NumberedBirth } from './birth.js';
import { BirthPlan } from './birth-plan.js';
import { DailyBudget } from './budget.js';
import { Connection } from './connection.js';
import { HistoryPace } from './history-pace.js';
import { Inbox } from './inbox.js';
import type { OpenLink } from './link.js';
import type { Log } from './log.js';
import { openOwnEpochs } from './own-epochs.js';
import { Sender, type SendOutcome } from './sender.js';
import type { Windows } from './windows.js';

export interface SessionDeps {
  readonly fleet: string;
  readonly post: string;
  readonly batchPeriodMs: number;
  /** See `GatewayConfig.uplink`. */
  readonly dailyBytesMax?: number | undefined;
  readonly historyBytesPerS?: number | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  readonly outbox: Outbox;
  /** Gives whether everything recorded is on the disk for good. */
  readonly sync: () => boolean;
  readonly openLink: OpenLink;
  readonly connections: RisingNumber;
  readonly time: Timekeeper;
  /** The birth to send now. */
  readonly birth: () => NumberedBirth;
  /** Records the last readings of all metrics. */
  readonly takeSnapshot: () => void;
  /** The server told its time while the post knew none. */
  readonly learnTime: (serverTime: number) => void;
  /** Longest random delay before birth and snapshot, when a server starts and all its posts come at once. */
  readonly birthSpreadMs: number;
}

export interface SessionStatus {
  readonly connected: boolean;
  readonly serverOnline: boolean;
  readonly attended: boolean;
  readonly birth: number | undefined;
  readonly connects: number;
  readonly bytesSent: number;
  /** Payloads that were not receipted in time. */
  readonly timeouts: number;
  /** Receipts for records that were never sent. */
  readonly strayReceipts: number;
  /** Receipts for epochs of another outbox: another gateway sends under this post's name. */
  readonly foreignReceipts: number;
  /** Messages that did not parse. */
  readonly malformed: number;
  /** Requests of an operator that were done, and those that were not newer than the last. */
  readonly replays: number;
  readonly replaysIgnored: number;
  readonly liveBytes: number;
  readonly historyBytes: number;
  /** Per cent of the day's bytes; 0 without a budget. */
  readonly budgetUsed: number;
  /** Times that history stopped for the budget's sake, that nothing of it was left, and that history waited for its rate. */
  readonly budgetHistoryStops: number;
  readonly budgetLiveStops: number;
  readonly historyWaits: number;
  readonly lastClosed: string | undefined;
}

/** History waits while so many bytes lie before the socket: live data shall not queue behind it. */
const HISTORY_BUFFER_BYTES = 4096;
const RETRY_MS = 500;
/** A batch of live data each so long, once the day's budget is gone. */
const SAVING_PERIOD_MS = 600_000;

export class UplinkSession {
  readonly #deps: SessionDeps;
  readonly #sender: Sender;
  readonly #births: BirthPlan;
  readonly #connection: Connection;
  readonly #inbox: Inbox;
  readonly #budget: DailyBudget;
  readonly #pace: HistoryPace;
  readonly #isOwn: (epoch: string) => boolean;
  #stopped = true;
  #server: { readonly session: string; readonly online: boolean } | undefined;
  #birth: NumberedBirth | undefined;
  #attendedUntil = Number.NEGATIVE_INFINITY;
  #flushing = false;
  #batchDueAt = 0;
  #retryAt: number | undefined;
  #foreignReceipts = 0;
  #replays = 0;
  #replaysIgnored = 0;
  #cancelWake: (() => void) | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    const { fleet, post, log, outbox, clock, time, dailyBytesMax } = deps;
    this.#budget = new DailyBudget({ dailyBytesMax, clock, time, numbers: outbox });
    this.#pace = new HistoryPace(deps.historyBytesPerS);
    this.#isOwn = openOwnEpochs(outbox);
    this.#births = new BirthPlan(deps.random, deps.birthSpreadMs);
    const handlers = {
      server: (state: ServerState, retained: boolean) => this.#onServer(state, retained),
      receipt: (receipt: Receipt) => this.#onReceipt(receipt),
      attention: (attention: Attention) => this.#onAttention(attention),
      replay: (replay: Replay) => this.#onReplay(replay),
    };
    this.#inbox = new Inbox(fleet, post, handlers, log);
    this.#connection = new Connection({
      ...deps,
      numbers: deps.connections,
      subscriptions: this.#inbox.subscriptions,
      handlers: {
        opened: () => this.#pump(),
        message: (topic, payload, retained) => this.#inbox.take(topic, payload, retained),
        lost: () => this.#onLost(),
        spent: (bytes, stream) => this.#onSpent(bytes, stream),
      },
    });
    this.#sender = new Sender({
      ...deps,
      publish: (payload, stream) => this.#connection.publish('data', payload, { qos: 0, retain: false, stream }),
    });
  }

  get #windows(): Windows {
    return this.#sender.windows;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#batchDueAt = this.#deps.clock.monotonic() + this.#deps.batchPeriodMs;
    this.#connection.start();
  }

  /** Says goodbye where it can. Nothing is lost by it: what was not receipted stays in the outbox. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelWake?.();
    this.#windows.releaseAll();
    await this.#connection.stop();
    this.#budget.keep();
  }

  get isConnected(): boolean {
    return this.#connection.isOpen;
  }

  /** Data made now can reach the server now. */
  get isOnline(): boolean {
    return this.isConnected && this.#server?.online === true;
  }

  get isAttended(): boolean {
    return this.isOnline && this.#deps.clock.monotonic() < this.#attendedUntil;
  }

  /** Tells that the outbox has new records. */
  recorded(urgent: boolean): void {
    if (urgent || this.isAttended) this.#flushing = true;
    this.#pump();
  }

  /** Gives to the outbox what must outlive the process: the bytes spent today. */
  keep(): void {
    this.#budget.keep();
  }

  status(): SessionStatus {
    return {
      connected: this.isConnected,
      serverOnline: this.isOnline,
      attended: this.isAttended,
      birth: this.#birth?.number,
      connects: this.#connection.connects,
      bytesSent: this.#connection.bytesSent,
      timeouts: this.#windows.timeouts,
      strayReceipts: this.#windows.stray,
      foreignReceipts: this.#foreignReceipts,
      malformed: this.#inbox.malformed,
      replays: this.#replays,
      replaysIgnored: this.#replaysIgnored,
      liveBytes: this.#windows.unreceiptedBytes('live'),
      historyBytes: this.#windows.unreceiptedBytes('history'),
      budgetUsed: this.#budget.usedPercent(),
      budgetHistoryStops: this.#budget.historyStops,
      budgetLiveStops: this.#budget.liveStops,
      historyWaits: this.#pace.waits,
      lastClosed: this.#connection.lastClosed,
    };
  }

  // --- connection ---

  #onLost(): void {
    this.#server = undefined;
    this.#attendedUntil = Number.NEGATIVE_INFINITY;
    this.#births.onDisconnected();
    this.#windows.releaseAll();
    this.#cancelWake?.();
  }

  #onSpent(bytes: number, stream: 'live' | 'history'): void {
    this.#budget.spend(bytes, stream);
    if (stream === 'history') this.#pace.spend(bytes, this.#deps.clock.monotonic());
  }

  // --- what comes back ---

  #onServer({ session, online, time }: ServerState, retained: boolean): void {
    const cameBack = online && this.#server?.online !== true;
    this.#server = { session, online };
    const alone = retained && this.#connection.connects === 1;
    if (online) this.#births.onServer(session, this.#deps.clock.monotonic(), alone);
    if (cameBack) this.#windows.releaseAll();
    if (online && !retained) this.#learnTime(time);
    this.#pump();
  }

  #onReceipt(receipt: Receipt): void {
    const now = this.#deps.clock.monotonic();
    if (receipt.time !== undefined) this.#learnTime(receipt.time);
    if (this.#isForeign(receipt)) return;
    if (this.#sender.settle(receipt, now, this.#deps.time.now() ?? 0)) {
      this.#births.onStored();
      this.#connection.proven();
    }
    if (receipt.birthNeeded === undefined) this.#births.onAnswer();
    else if (receipt.birthNeeded === this.#birth?.number) this.#births.onNeeded(now);
    // Many receipts may come at once: what they make room for goes in one turn, so that whatever else waits has its own.
    this.#retryAt = now;
    this.#sleep();
  }

  /** A receipt for what another gateway sent under this post's name: both hear all receipts of the name. */
  #isForeign({ epoch }: Receipt): boolean {
    if (epoch === undefined || this.#isOwn(epoch) || this.#windows.knows(epoch)) return false;
    this.#foreignReceipts += 1;
    if (this.#foreignReceipts === 1)
      this.#deps.log.warn(
        { code: 'LINK_TWO_GATEWAYS', epoch },
        'another gateway sends under this post’s name; what this one has is kept and sent all the same',
      );
    return true;
  }

  #onAttention({ forS }: Attention): void {
    const begins = !this.isAttended;
    this.#attendedUntil = this.#deps.clock.monotonic() + forS * 1000;
    if (!begins || !this.isAttended) return;
    this.#deps.takeSnapshot();
    this.#flushing = true;
    this.#pump();
  }

  #onReplay({ at, since, deadLetters = false }: Replay): void {
    const { outbox, log } = this.#deps;
    if (at <= (outbox.number('replayDone') ?? 0)) {
      this.#replaysIgnored += 1;
      return;
    }
    outbox.keepNumber('replayDone', at);
    const records = since === undefined ? 0 : outbox.replay(since);
    const retried = deadLetters ? outbox.retryDeadLetters() : 0;
    this.#replays += 1;
    log.info({ since, records, deadLetters: retried }, 'an operator had records sent again');
    this.#pump();
  }

  #learnTime(serverTime: number): void {
    if (this.#deps.time.now() === undefined) this.#deps.learnTime(serverTime);
  }

  // --- what goes out ---

  #pumping = false;

  /** Does everything that can be done now and sleeps until something is due. */
  #pump(): void {
    if (this.#stopped || this.#pumping) return;
    this.#pumping = true;
    try {
      if (this.isConnected) this.#work();
    } finally {
      this.#pumping = false;
    }
    this.#sleep();
  }

  #work(): void {
    const now = this.#deps.clock.monotonic();
    this.#retryAt = undefined;
    this.#startBatch(now);
    if (!this.isOnline) return;
    if (this.#windows.expire(now) > 0) this.#missReceipts();
    if (!this.isOnline) return;
    if (this.#births.isDue(now) && !this.#sendBirth(now)) this.#births.putOff(now + RETRY_MS);
    if (!this.#births.isOut(now) || this.#birth === undefined) return;
    const wallNow = this.#deps.time.now();
    // Every birth is answered with the server's time. Without an answer it goes again, less and less often.
    if (wallNow === undefined) this.#births.onNeeded(now);
    else this.#send(this.#birth, wallNow - 2 * this.#periodMs(), now);
  }

  #periodMs(): number {
    const { batchPeriodMs } = this.#deps;
    return this.#budget.isSpent() ? Math.max(batchPeriodMs, SAVING_PERIOD_MS) : batchPeriodMs;
  }

  #startBatch(now: number): void {
    if (now < this.#batchDueAt) return;
    const periodMs = this.#periodMs();
    this.#batchDueAt += Math.ceil((now - this.#batchDueAt + 1) / periodMs) * periodMs;
    this.#flushing = true;
  }

  #missReceipts(): void {
    this.#flushing = true;
    this.#connection.suspect(Math.max(this.#windows.failures('live'), this.#windows.failures('history')));
  }

  /** Live data first: all that fits. Then one payload of history, before whatever else waits has its turn again. */
  #send(birth: NumberedBirth, liveSince: number, now: number): void {
    let outcome: SendOutcome = 'sent';
    while (this.#flushing && outcome === 'sent') outcome = this.#sender.sendOne('live', birth, liveSince, now);
    if (outcome === 'empty') this.#flushing = false;
    if (!this.#flushing) {
      outcome = this.#sendHistory(birth, liveSince, now);
      if (outcome === 'sent') this.#retryAt = now;
    }
    if (outcome === 'busy') this.#retryAt = now + RETRY_MS;
  }

  #sendHistory(birth: NumberedBirth, liveSince: number, now: number): SendOutcome {
    if (this.#connection.bufferedBytes() > HISTORY_BUFFER_BYTES) return 'busy';
    if (!this.#budget.allowsHistory()) {
      // Looked at again with each batch.
      if (this.#sender.hasHistory(liveSince)) this.#budget.holdHistory();
      return 'full';
    }
    if (this.#pace.allows(now)) return this.#sender.sendOne('history', birth, liveSince, now);
    if (this.#sender.hasHistory(liveSince)) this.#retryAt = this.#pace.hold();
    return 'full';
  }

  #sendBirth(now: number): boolean {
    const birth = this.#deps.birth();
    if (!birth.fits) {
      const facts = { code: 'LINK_BIRTH_TOO_LARGE', bytes: birth.bytes.length };
      this.#deps.log.warn(facts, 'the post has too many metrics for one birth: nothing is sent');
      this.#births.onImpossible(now);
      return true;
    }
    if (!this.#connection.publish('birth', birth.bytes, { qos: 1, retain: true })) return false;
    this.#birth = birth;
    this.#windows.releaseAll();
    this.#births.onSent(this.#server?.session ?? '', now);
    this.#deps.takeSnapshot();
    this.#flushing = true;
    return true;
  }

  #sleep(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    if (!this.isConnected || this.#stopped) return;
    const now = this.#deps.clock.monotonic();
    const due = [this.#batchDueAt];
    if (this.isOnline) {
      due.push(this.#births.nextAt(now), this.#windows.nextTimeoutAt() ?? Number.POSITIVE_INFINITY);
      due.push(this.#retryAt ?? Number.POSITIVE_INFINITY);
    }
    const delayMs = Math.max(0, Math.min(...due) - now);
    this.#cancelWake = this.#deps.scheduler.after(delayMs, () => this.#pump());
  }
}
