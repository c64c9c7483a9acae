// A broker on virtual time: retained messages, wills, latency, and the faults that a real link and a real broker have.
import type { Random, Scheduler } from '#domain/clock.js';
import type { Link, LinkOptions, OpenLink } from '#gateway/uplink/link.js';

export interface LinkFaults {
  /** Shares of QoS 0 messages that vanish, 0..1, as on a link that dies under them. */
  lossUp: number;
  lossDown: number;
  /** Share of data that is delivered twice, the second time a while later. */
  doubled: number;
  /** Longest extra delay of a message of QoS 0; with one, messages overtake each other. */
  delayMsMax: number;
  /** Nobody can connect. */
  isCut: boolean;
}

interface ServerSide {
  readonly hear: (topic: string, payload: Buffer, retained: boolean) => void;
  /** The broker is gone, and is back with nothing retained. */
  readonly lost?: (() => void) | undefined;
  readonly back?: (() => void) | undefined;
}

const LATENCY_MS = 40;
/** The second delivery of a doubled message. */
const DOUBLE_DELAY_MS = 20_000;
/** A client that has sent nothing for so long pings. */
const KEEPALIVE_MS = 90_000;
/** A ping without an answer ends a connection on the client's side; so long after its last sign a broker publishes its will. */
const PING_MS = 45_000;
/** What a socket takes of bytes that go nowhere, before a publish is turned down. */
const SOCKET_BYTES = 64 * 1024;

export class VirtualBroker {
  readonly faults: LinkFaults = { lossUp: 0, lossDown: 0, doubled: 0, delayMsMax: 0, isCut: false };
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #retained = new Map<string, Buffer>();
  readonly #links = new Set<PostLink>();
  #server: ServerSide | undefined;
  #isDown = false;
  #slowestMs = 0;
  /** Which start of the broker it is: what is on its way when it dies never arrives. */
  #run = 0;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** The server's side: hears births, states and data; retained ones at once. */
  attachServer(hear: ServerSide['hear'], more: Pick<ServerSide, 'lost' | 'back'> = {}): void {
    this.#server = { hear, ...more };
    if (!this.#isDown) this.#tellRetained();
  }

  #tellRetained(): void {
    for (const [topic, payload] of this.#retained) this.#later(() => this.#server?.hear(topic, payload, true));
  }

  detachServer(): void {
    this.#server = undefined;
  }

  /** False while the broker is down. */
  publishFromServer(topic: string, payload: Buffer, options: { qos: 0 | 1; retain: boolean }): boolean {
    if (this.#isDown) return false;
    if (options.retain) this.#retained.set(topic, payload);
    if (options.qos === 0 && this.#random() < this.faults.lossDown) return true;
    const times = options.qos === 0 && this.#random() < this.faults.doubled ? 2 : 1;
    for (const link of this.#links)
      if (link.wants(topic))
        for (let time = 0; time < times; time += 1)
          this.#later(() => link.deliver(topic, payload, false), this.#extraDelayMs(options.qos, time));
    return true;
  }

  readonly open: OpenLink = (options) => {
    const link = new PostLink(options, this);
    this.#later(
      () => {
        if (link.isOver) return;
        if (this.faults.isCut || this.#isDown) {
          link.cut('no route');
          return;
        }
        this.#links.add(link);
        options.handlers.connected();
        for (const [topic, payload] of this.#retained)
          if (link.wants(topic)) this.#later(() => link.deliver(topic, payload, true));
      },
      0,
      true,
    );
    return link;
  };

  /** Drops every connection; their wills are published. */
  cutAll(): void {
    for (const link of [...this.#links]) {
      this.forget(link, true);
      link.cut('cut');
    }
  }

  /** From now on nothing passes over the present connections, and neither side is told. New ones are as good as ever. */
  freezeAll(): void {
    for (const link of this.#links) {
      link.freeze(this.#scheduler);
      this.#scheduler.after(KEEPALIVE_MS + PING_MS, () => this.forget(link, true));
    }
  }

  /** Dies with all that it held in memory: connections, messages on their way, retained messages. */
  kill(): void {
    this.#isDown = true;
    this.#run += 1;
    this.#retained.clear();
    for (const link of [...this.#links]) {
      this.#links.delete(link);
      link.cut('the broker is gone');
    }
    this.#server?.lost?.();
  }

  restart(): void {
    this.#isDown = false;
    this.#server?.back?.();
  }

  fromPost(topic: string, payload: Buffer, options: { qos: 0 | 1; retain: boolean }): void {
    if (options.retain) this.#retained.set(topic, payload);
    if (options.qos === 0 && this.#random() < this.faults.lossUp) return;
    const times = options.qos === 0 && this.#random() < this.faults.doubled ? 2 : 1;
    for (let time = 0; time < times; time += 1)
      this.#later(() => this.#server?.hear(topic, payload, false), this.#extraDelayMs(options.qos, time));
  }

  /** The longest that a message has been on its way: so old may the time be that a server tells. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  #extraDelayMs(qos: 0 | 1, time: number): number {
    const delayMsMax = time * DOUBLE_DELAY_MS + (qos === 0 ? this.faults.delayMsMax : 0);
    const delayMs = delayMsMax === 0 ? 0 : delayMsMax * this.#random();
    this.#slowestMs = Math.max(this.#slowestMs, delayMs + 2 * LATENCY_MS);
    return delayMs;
  }

  forget(link: PostLink, withWill: boolean): void {
    if (!this.#links.delete(link) || !withWill) return;
    const { topic, payload } = link.options.will;
    this.fromPost(topic, Buffer.from(payload), { qos: 1, retain: true });
  }

  /** `alsoDead`: it happens even if the broker dies in the meantime. */
  #later(task: () => void, extraMs = 0, alsoDead = false): void {
    const run = this.#run;
    this.#scheduler.after(extraMs + LATENCY_MS * (0.5 + this.#random()), () => {
      if (alsoDead || run === this.#run) task();
    });
  }
}

class PostLink implements Link {
  isOver = false;
  isFrozen = false;
  #buffered = 0;
  #published = 0;

  constructor(
    readonly options: LinkOptions,
    private readonly broker: VirtualBroker,
  ) {}

  wants(topic: string): boolean {
    return this.options.subscriptions.some((subscription) => subscription.topic === topic);
  }

  deliver(topic: string, payload: Buffer, retained: boolean): void {
    if (!this.isOver && !this.isFrozen) this.options.handlers.message(topic, payload, retained);
  }

  cut(reason: string): void {
    if (this.isOver || this.isFrozen) return;
    this.isOver = true;
    this.options.handlers.closed(reason);
  }

  /** Nothing passes any more. A client that still sends does not ping, and has to notice by itself. */
  freeze(scheduler: Scheduler): void {
    this.isFrozen = true;
    const watch = (): void => {
      const before = this.#published;
      scheduler.after(KEEPALIVE_MS, () => {
        if (this.isOver) return;
        if (this.#published !== before) watch();
        else scheduler.after(PING_MS, () => this.#timeOut());
      });
    };
    watch();
  }

  #timeOut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.options.handlers.closed('no answer to a ping');
  }

  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): boolean {
    if (this.isOver || this.#buffered > SOCKET_BYTES) return false;
    this.#published += 1;
    if (this.isFrozen) this.#buffered += payload.length;
    else this.broker.fromPost(topic, Buffer.from(payload), options);
    return true;
  }

  bufferedBytes(): number {
    return this.#buffered;
  }

  async close(): Promise<void> {
    this.isOver = true;
    if (!this.isFrozen) this.broker.forget(this, false);
  }

  abort(): void {
    this.isOver = true;
    if (!this.isFrozen) this.broker.forget(this, true);
  }
}
