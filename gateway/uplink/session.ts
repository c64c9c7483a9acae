// The post's side of the wire: birth, state, data, receipts, snapshots. It decides what goes when; it owns no data, the outbox
// does, and a receipt alone frees it.

import { type Door, parseJson } from '#contract/door.js';
import { attentionDoor, encodeJson, receiptDoor, SESSION_BYTES_MAX, serverStateDoor } from '#contract/session.js';
import { postTopic, serverTopic } from '#contract/topic.js';
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import { leastNumberAt, type RisingNumber } from '../identity.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Timekeeper } from '../record/timekeeper.js';
import type { NumberedBirth } from './birth.js';
import { BirthPlan } from './birth-plan.js';
import type { Link, OpenLink } from './link.js';
import type { Log } from './log.js';
import { reconnectDelayMs } from './reconnect.js';
import { Sender, type SendOutcome } from './sender.js';
import type { Windows } from './windows.js';

export interface SessionDeps {
  readonly fleet: string;
  readonly post: string;
  readonly batchPeriodMs: number;
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
  /** Longest random delay before birth and snapshot, when a server starts under connected posts. */
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
  /** Messages that did not parse. */
  readonly malformed: number;
  readonly liveBytes: number;
  readonly historyBytes: number;
  readonly lastClosed: string | undefined;
}

/** History waits while so many bytes lie before the socket: live data shall not queue behind it. */
const HISTORY_BUFFER_BYTES = 4096;
const RETRY_MS = 500;
/** A connection that held so long was a good one: the next try is soon. */
const GOOD_LINK_MS = 60_000;
/** Silence over so many time-outs in a row is a dead link. */
const DEAD_LINK_TIMEOUTS = 2;

export class UplinkSession {
  readonly #deps: SessionDeps;
  readonly #sender: Sender;
  readonly #births: BirthPlan;
  #stopped = true;
  #link: Link | undefined;
  #connectedAt: number | undefined;
  #attempts = 0;
  #connects = 0;
  #server: { readonly session: string; readonly online: boolean } | undefined;
  #birth: NumberedBirth | undefined;
  #attendedUntil = Number.NEGATIVE_INFINITY;
  #flushing = false;
  #batchDueAt = 0;
  #retryAt: number | undefined;
  #heardAt = 0;
  #bytesSent = 0;
  #malformed = 0;
  #lastClosed: string | undefined;
  #cancelWake: (() => void) | undefined;
  #cancelReconnect: (() => void) | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#sender = new Sender({
      outbox: deps.outbox,
      sync: deps.sync,
      publish: (payload) => this.#publish('data', payload, { qos: 0, retain: false }),
      random: deps.random,
      log: deps.log,
    });
    this.#births = new BirthPlan(deps.random, deps.birthSpreadMs);
  }

  get #windows(): Windows {
    return this.#sender.windows;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#batchDueAt = this.#deps.clock.monotonic() + this.#deps.batchPeriodMs;
    this.#connect();
  }

  /** Says goodbye where it can. Nothing is lost by it: what was not receipted stays in the outbox. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelWake?.();
    this.#cancelReconnect?.();
    const link = this.#link;
    if (this.isConnected) this.#publish('state', this.#stateBytes('offline'), { qos: 1, retain: true });
    this.#link = undefined;
    this.#connectedAt = undefined;
    this.#windows.releaseAll();
    await link?.close();
  }

  get isConnected(): boolean {
    return this.#connectedAt !== undefined;
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

  status(): SessionStatus {
    return {
      connected: this.isConnected,
      serverOnline: this.isOnline,
      attended: this.isAttended,
      birth: this.#birth?.number,
      connects: this.#connects,
      bytesSent: this.#bytesSent,
      timeouts: this.#windows.timeouts,
      strayReceipts: this.#windows.stray,
      malformed: this.#malformed,
      liveBytes: this.#windows.unreceiptedBytes('live'),
      historyBytes: this.#windows.unreceiptedBytes('history'),
      lastClosed: this.#lastClosed,
    };
  }

  // --- connection ---

  #connectionNumber = 0;

  #connect(): void {
    const { fleet, post, time, connections, openLink } = this.#deps;
    this.#attempts += 1;
    this.#connectionNumber = connections.next(leastNumberAt(time.now()));
    const link = openLink({
      will: { topic: postTopic(fleet, post, 'state'), payload: this.#stateBytes('offline') },
      subscriptions: [
        { topic: serverTopic(fleet), qos: 1 },
        { topic: postTopic(fleet, post, 'receipt'), qos: 0 },
        { topic: postTopic(fleet, post, 'attention'), qos: 0 },
      ],
      handlers: {
        connected: () => {
          if (this.#link === link) this.#onConnected();
        },
        message: (topic, payload, retained) => {
          if (this.#link === link) this.#onMessage(topic, payload, retained);
        },
        closed: (reason) => {
          if (this.#link === link) this.#onClosed(reason);
        },
      },
    });
    this.#link = link;
  }

  #stateBytes(state: 'online' | 'offline'): Uint8Array {
    return encodeJson({ state, connection: this.#connectionNumber });
  }

  #onConnected(): void {
    const now = this.#deps.clock.monotonic();
    this.#connectedAt = now;
    this.#heardAt = now;
    this.#connects += 1;
    this.#publish('state', this.#stateBytes('online'), { qos: 1, retain: true });
    this.#pump();
  }

  #onClosed(reason: string): void {
    const now = this.#deps.clock.monotonic();
    if (this.#connectedAt !== undefined && now - this.#connectedAt >= GOOD_LINK_MS) this.#attempts = 0;
    if (reason !== this.#lastClosed) this.#deps.log.warn({ reason }, 'no connection to the broker');
    this.#lastClosed = reason;
    this.#link = undefined;
    this.#connectedAt = undefined;
    this.#server = undefined;
    this.#attendedUntil = Number.NEGATIVE_INFINITY;
    this.#births.onDisconnected();
    this.#windows.releaseAll();
    this.#cancelWake?.();
    if (this.#stopped) return;
    const delayMs = reconnectDelayMs(this.#attempts, this.#deps.random);
    this.#cancelReconnect = this.#deps.scheduler.after(delayMs, () => this.#connect());
  }

  #dropLink(reason: string): void {
    this.#link?.abort();
    this.#onClosed(reason);
  }

  #publish(
    channel: 'birth' | 'state' | 'data',
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): boolean {
    const topic = postTopic(this.#deps.fleet, this.#deps.post, channel);
    if (this.#link?.publish(topic, payload, options) !== true) return false;
    this.#bytesSent += topic.length + payload.length;
    return true;
  }

  // --- what comes back ---

  #onMessage(topic: string, payload: Uint8Array, retained: boolean): void {
    const { fleet, post } = this.#deps;
    this.#heardAt = this.#deps.clock.monotonic();
    if (topic === serverTopic(fleet)) this.#onServer(payload, retained);
    else if (topic === postTopic(fleet, post, 'receipt')) this.#onReceipt(payload);
    else if (topic === postTopic(fleet, post, 'attention')) this.#onAttention(payload);
  }

  #onServer(payload: Uint8Array, retained: boolean): void {
    const state = this.#parse(serverStateDoor, payload);
    if (state === undefined) return;
    const { session, online, time } = state;
    const cameBack = online && this.#server?.online !== true;
    this.#server = { session, online };
    if (online) this.#births.onServer(session, this.#deps.clock.monotonic(), retained);
    if (cameBack) this.#windows.releaseAll();
    if (online && !retained) this.#learnTime(time);
    this.#pump();
  }

  #onReceipt(payload: Uint8Array): void {
    const receipt = this.#parse(receiptDoor, payload);
    if (receipt === undefined) return;
    const now = this.#deps.clock.monotonic();
    this.#learnTime(receipt.time);
    if (this.#sender.settle(receipt, now)) {
      this.#births.onStored();
      this.#attempts = 0;
    }
    if (receipt.birthNeeded === undefined) this.#births.onAnswer();
    else if (receipt.birthNeeded === this.#birth?.number) this.#births.onNeeded(now);
    this.#pump();
  }

  #onAttention(payload: Uint8Array): void {
    const attention = this.#parse(attentionDoor, payload);
    if (attention === undefined) return;
    const begins = !this.isAttended;
    this.#attendedUntil = this.#deps.clock.monotonic() + attention.forS * 1000;
    if (!begins || !this.isAttended) return;
    this.#deps.takeSnapshot();
    this.#flushing = true;
    this.#pump();
  }

  #learnTime(serverTime: number): void {
    if (this.#deps.time.now() === undefined) this.#deps.learnTime(serverTime);
  }

  #parse<T>(door: Door<T>, payload: Uint8Array): T | undefined {
    const parsed = parseJson(door, payload, SESSION_BYTES_MAX);
    if (parsed.ok) return parsed.value;
    this.#malformed += 1;
    this.#deps.log.warn({ faults: parsed.fault.slice(0, 3) }, 'a message from the server does not parse');
    return undefined;
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
    if (this.#windows.expire(now) > 0 && this.#isDead()) {
      this.#dropLink('no receipts and no sign of life');
      return;
    }
    if (this.#births.isDue(now) && !this.#sendBirth(now)) this.#births.putOff(now + RETRY_MS);
    if (!this.#births.isOut(now) || this.#birth === undefined) return;
    const wallNow = this.#deps.time.now();
    // Every birth is answered with the server's time. Without an answer it goes again, less and less often.
    if (wallNow === undefined) this.#births.onNeeded(now);
    else this.#send(this.#birth, wallNow - 2 * this.#deps.batchPeriodMs, now);
  }

  #startBatch(now: number): void {
    const { batchPeriodMs } = this.#deps;
    if (now < this.#batchDueAt) return;
    this.#batchDueAt += Math.ceil((now - this.#batchDueAt + 1) / batchPeriodMs) * batchPeriodMs;
    this.#flushing = true;
  }

  /** Live data first: all that fits. Then one payload of history, before whatever else waits has its turn again. */
  #send(birth: NumberedBirth, liveSince: number, now: number): void {
    let outcome: SendOutcome = 'sent';
    while (this.#flushing && outcome === 'sent') outcome = this.#sender.sendOne('live', birth, liveSince, now);
    if (outcome === 'empty') this.#flushing = false;
    if (!this.#flushing) {
      const idle = (this.#link?.bufferedBytes() ?? 0) <= HISTORY_BUFFER_BYTES;
      outcome = idle ? this.#sender.sendOne('history', birth, liveSince, now) : 'busy';
      if (outcome === 'sent') this.#retryAt = now;
    }
    if (outcome === 'busy') this.#retryAt = now + RETRY_MS;
  }

  #isDead(): boolean {
    const failures = Math.max(this.#windows.failures('live'), this.#windows.failures('history'));
    return failures >= DEAD_LINK_TIMEOUTS && this.#deps.clock.monotonic() - this.#heardAt > GOOD_LINK_MS;
  }

  #sendBirth(now: number): boolean {
    const birth = this.#deps.birth();
    if (!birth.fits) {
      const facts = { code: 'LINK_BIRTH_TOO_LARGE', bytes: birth.bytes.length };
      this.#deps.log.warn(facts, 'the post has too many metrics for one birth: nothing is sent');
      this.#births.onImpossible(now);
      return true;
    }
    if (!this.#publish('birth', birth.bytes, { qos: 1, retain: true })) return false;
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
