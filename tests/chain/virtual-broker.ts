// A broker on virtual time: retained messages, wills, latency, and the faults that a real link has.
import type { Random, Scheduler } from '#domain/clock.js';
import type { Link, LinkOptions, OpenLink } from '#gateway/uplink/link.js';

export interface LinkFaults {
  /** Shares of QoS 0 messages that vanish, 0..1, as on a link that dies under them. */
  lossUp: number;
  lossDown: number;
  /** Share of data that is delivered twice. */
  doubled: number;
  /** Nobody can connect. */
  isCut: boolean;
}

type Hear = (topic: string, payload: Buffer, retained: boolean) => void;

const LATENCY_MS = 40;

export class VirtualBroker {
  readonly faults: LinkFaults = { lossUp: 0, lossDown: 0, doubled: 0, isCut: false };
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #retained = new Map<string, Buffer>();
  readonly #links = new Set<PostLink>();
  #server: Hear | undefined;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** The server's side: hears births, states and data; retained ones at once. */
  attachServer(hear: Hear): void {
    this.#server = hear;
    for (const [topic, payload] of this.#retained) this.#later(() => this.#server?.(topic, payload, true));
  }

  detachServer(): void {
    this.#server = undefined;
  }

  publishFromServer(topic: string, payload: Buffer, options: { qos: 0 | 1; retain: boolean }): boolean {
    if (options.retain) this.#retained.set(topic, payload);
    if (options.qos === 0 && this.#random() < this.faults.lossDown) return true;
    for (const link of this.#links) if (link.wants(topic)) this.#later(() => link.deliver(topic, payload, false));
    return true;
  }

  readonly open: OpenLink = (options) => {
    const link = new PostLink(options, this);
    this.#later(() => {
      if (link.isOver) return;
      if (this.faults.isCut) {
        link.cut('no route');
        return;
      }
      this.#links.add(link);
      options.handlers.connected();
      for (const [topic, payload] of this.#retained)
        if (link.wants(topic)) this.#later(() => link.deliver(topic, payload, true));
    });
    return link;
  };

  /** Drops every connection; their wills are published. */
  cutAll(): void {
    for (const link of [...this.#links]) {
      this.forget(link, true);
      link.cut('cut');
    }
  }

  fromPost(topic: string, payload: Buffer, options: { qos: 0 | 1; retain: boolean }): void {
    if (options.retain) this.#retained.set(topic, payload);
    if (options.qos === 0 && this.#random() < this.faults.lossUp) return;
    const times = options.qos === 0 && this.#random() < this.faults.doubled ? 2 : 1;
    for (let time = 0; time < times; time += 1) this.#later(() => this.#server?.(topic, payload, false));
  }

  forget(link: PostLink, withWill: boolean): void {
    if (!this.#links.delete(link) || !withWill) return;
    const { topic, payload } = link.options.will;
    this.fromPost(topic, Buffer.from(payload), { qos: 1, retain: true });
  }

  #later(task: () => void): void {
    this.#scheduler.after(LATENCY_MS * (0.5 + this.#random()), task);
  }
}

class PostLink implements Link {
  isOver = false;

  constructor(
    readonly options: LinkOptions,
    private readonly broker: VirtualBroker,
  ) {}

  wants(topic: string): boolean {
    return this.options.subscriptions.some((subscription) => subscription.topic === topic);
  }

  deliver(topic: string, payload: Buffer, retained: boolean): void {
    if (!this.isOver) this.options.handlers.message(topic, payload, retained);
  }

  cut(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.options.handlers.closed(reason);
  }

  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): boolean {
    if (this.isOver) return false;
    this.broker.fromPost(topic, Buffer.from(payload), options);
    return true;
  }

  bufferedBytes(): number {
    return 0;
  }

  async close(): Promise<void> {
    this.isOver = true;
    this.broker.forget(this, false);
  }

  abort(): void {
    this.isOver = true;
    this.broker.forget(this, true);
  }
}
