// Keeps one connection to the broker: makes it, numbers it, notices its death, and makes the next.
import { encodeJson } from '#contract/session.js';
import { type PostChannel, postTopic } from '#contract/topic.js';
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import { leastNumberAt, type RisingNumber } from '../identity.js';
import type { Timekeeper } from '../record/timekeeper.js';
import { KEEPALIVE_MS, type Link, type LinkOptions, type OpenLink } from './link.js';
import type { Log } from './log.js';
import { reconnectDelayMs } from './reconnect.js';
import { CONNECT_WIRE_BYTES, PING_WIRE_BYTES, publishWireBytes } from './wire-bytes.js';

export interface ConnectionDeps {
  readonly fleet: string;
  readonly post: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  readonly openLink: OpenLink;
  readonly numbers: RisingNumber;
  readonly time: Timekeeper;
  readonly subscriptions: LinkOptions['subscriptions'];
  readonly handlers: ConnectionHandlers;
}

export interface ConnectionHandlers {
  opened(): void;
  message(topic: string, payload: Uint8Array, retained: boolean): void;
  /** It is over, for whatever cause but {@link Connection.stop}. Another one is being made. */
  lost(): void;
  /** So many bytes went over the wire, either way. */
  spent(bytes: number, stream: 'live' | 'history'): void;
}

/** A link that has neither opened nor failed by then is given up, whatever its own time-out does. */
export const CONNECT_MAX_MS = 45_000;
/** A connection that held so long was a good one: the next try is soon. */
const GOOD_LINK_MS = 60_000;
/** Time for any sign of life once receipts are missing. */
export const PROBE_MS = 30_000;
/** Where the link tells no signs of life but messages: silence over so many time-outs in a row is a dead link. */
const DEAD_LINK_TIMEOUTS = 2;
/** A broker that answers while no receipt comes: the store is down. Were it the connection after all, another one helps. */
const RENEW_MS = 3_600_000;

export class Connection {
  readonly #deps: ConnectionDeps;
  #stopped = true;
  #link: Link | undefined;
  #number = 0;
  #openedAt: number | undefined;
  #attempts = 0;
  #connects = 0;
  /** Last sign of life of the broker. */
  #heardAt = 0;
  #receiptAt = 0;
  #sentAt = 0;
  /** The link tells signs of life that are no messages. */
  #tellsSigns = false;
  #bytesSent = 0;
  #lastClosed: string | undefined;
  #cancelProbe: (() => void) | undefined;
  #cancelConnect: (() => void) | undefined;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined;
  }

  /** Connections made since the start. */
  get connects(): number {
    return this.#connects;
  }

  /** Topics and payloads. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  get lastClosed(): string | undefined {
    return this.#lastClosed;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  /** Says goodbye where it can. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelConnect?.();
    this.#cancelProbe?.();
    const link = this.#link;
    this.#sayState('offline');
    this.#link = undefined;
    this.#openedAt = undefined;
    await link?.close();
  }

  /** False when nothing can go now. */
  publish(
    channel: Extract<PostChannel, 'birth' | 'state' | 'data'>,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean; readonly stream?: 'live' | 'history' },
  ): boolean {
    const topic = postTopic(this.#deps.fleet, this.#deps.post, channel);
    const { qos, retain, stream = 'live' } = options;
    if (!this.isOpen || this.#link?.publish(topic, payload, { qos, retain }) !== true) return false;
    this.#countPings();
    this.#bytesSent += topic.length + payload.length;
    this.#deps.handlers.spent(publishWireBytes(topic, payload.length, qos), stream);
    return true;
  }

  bufferedBytes(): number {
    return this.#link?.bufferedBytes() ?? 0;
  }

  /** The server has stored something that came this way. */
  proven(): void {
    this.#receiptAt = this.#deps.clock.monotonic();
    this.#attempts = 0;
  }

  /**
   * Receipts are missing. A link that then gives no sign of life within {@link PROBE_MS} is dropped. With batches each minute, a
   * dead link is so noticed at most 127.5 s after its death: 60 s until something is sent, 30 s and a random quarter until its
   * receipt is missed (longer where receipts had been slow or missing before), 30 s for the sign.
   * @param timeouts in a row
   */
  suspect(timeouts: number): void {
    const now = this.#deps.clock.monotonic();
    if (this.#tellsSigns) this.#probe(now);
    else if (timeouts >= DEAD_LINK_TIMEOUTS && now - this.#heardAt > GOOD_LINK_MS)
      this.#drop('no receipts and no sign of life');
    if (timeouts >= DEAD_LINK_TIMEOUTS && this.isOpen && now - this.#receiptAt >= RENEW_MS)
      this.#renew('no receipts for an hour');
  }

  /** The retained state, said again, is answered by any living broker. */
  #probe(now: number): void {
    if (this.#cancelProbe !== undefined) return;
    this.#sayState('online');
    this.#cancelProbe = this.#deps.scheduler.after(PROBE_MS, () => {
      this.#cancelProbe = undefined;
      if (this.#heardAt <= now) this.#drop('no receipts and no sign of life');
    });
  }

  #connect(): void {
    const { fleet, post, time, numbers, openLink, subscriptions, scheduler } = this.#deps;
    this.#attempts += 1;
    this.#number = numbers.next(leastNumberAt(time.now()));
    const link = openLink({
      // It bears this connection's number: published late, it cannot mark a later one as dead.
      will: { topic: postTopic(fleet, post, 'state'), payload: this.#stateBytes('offline') },
      subscriptions,
      handlers: {
        connected: () => {
          if (this.#link === link) this.#onOpened();
        },
        message: (topic, payload, retained) => {
          if (this.#link === link) this.#onMessage(topic, payload, retained);
        },
        heard: () => {
          this.#tellsSigns = true;
          if (this.#link === link) this.#heardAt = this.#deps.clock.monotonic();
        },
        closed: (reason) => {
          if (this.#link === link) this.#onClosed(reason);
        },
      },
    });
    this.#link = link;
    this.#cancelConnect = scheduler.after(CONNECT_MAX_MS, () => this.#drop('no connection in time'));
  }

  #stateBytes(state: 'online' | 'offline'): Uint8Array {
    return encodeJson({ state, connection: this.#number });
  }

  #sayState(state: 'online' | 'offline'): void {
    this.publish('state', this.#stateBytes(state), { qos: 1, retain: true });
  }

  #onOpened(): void {
    const now = this.#deps.clock.monotonic();
    this.#cancelConnect?.();
    this.#openedAt = now;
    this.#heardAt = now;
    this.#receiptAt = now;
    this.#sentAt = now;
    this.#connects += 1;
    this.#deps.handlers.spent(CONNECT_WIRE_BYTES, 'live');
    this.#sayState('online');
    this.#deps.handlers.opened();
  }

  #onMessage(topic: string, payload: Uint8Array, retained: boolean): void {
    this.#heardAt = this.#deps.clock.monotonic();
    this.#deps.handlers.spent(publishWireBytes(topic, payload.length, 0), 'live');
    this.#deps.handlers.message(topic, payload, retained);
  }

  #drop(reason: string): void {
    this.#link?.abort();
    this.#onClosed(reason);
  }

  /** The broker lives: closed in order, no will says that the post is gone. */
  #renew(reason: string): void {
    void this.#link?.close();
    this.#onClosed(reason);
  }

  #onClosed(reason: string): void {
    const now = this.#deps.clock.monotonic();
    this.#cancelConnect?.();
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    if (this.#openedAt !== undefined && now - this.#openedAt >= GOOD_LINK_MS) this.#attempts = 0;
    if (reason !== this.#lastClosed) this.#deps.log.warn({ reason }, 'no connection to the broker');
    this.#lastClosed = reason;
    if (this.isOpen) this.#countPings();
    this.#link = undefined;
    this.#openedAt = undefined;
    if (!this.#stopped) {
      const delayMs = reconnectDelayMs(this.#attempts, this.#deps.random);
      this.#cancelConnect = this.#deps.scheduler.after(delayMs, () => this.#connect());
    }
    this.#deps.handlers.lost();
  }

  /** An idle link is pinged; the carrier does it unseen. */
  #countPings(): void {
    const now = this.#deps.clock.monotonic();
    const pings = Math.floor((now - this.#sentAt) / KEEPALIVE_MS);
    this.#sentAt = now;
    if (pings > 0) this.#deps.handlers.spent(pings * PING_WIRE_BYTES, 'live');
  }
}
