// A broker and a server in a few lines, on virtual time, that lose, double and delay what they are told to.
import { decodeData } from '#contract/data.js';
import { type Birth, encodeJson, parseBirth, type Receipt } from '#contract/session.js';
import { parsePostTopic, postTopic, serverTopic } from '#contract/topic.js';
import type { Random, Scheduler } from '#domain/clock.js';
import { codeOf } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { OutboxSample } from '#gateway/ports.js';
import { rangesOf } from '#gateway/uplink/id-ranges.js';
import type { Link, LinkOptions, OpenLink } from '#gateway/uplink/link.js';

export interface ReceivedData {
  readonly birth: number;
  readonly epoch: string;
  readonly historical: boolean;
  readonly records: readonly number[];
  readonly samples: number;
  readonly bytes: number;
  readonly at: number;
}

export interface CentreFaults {
  /** Shares of messages, 0..1. */
  loseData: number;
  loseReceipts: number;
  doubleData: number;
  doubleReceipts: number;
  latencyMs: number;
  /** Nothing is stored and nothing receipted. */
  storeDown: boolean;
  /** The server forgets every birth at once. */
  forgetBirths: boolean;
  /** The broker takes no connection. */
  unreachable: boolean;
  /** What is published vanishes and nothing comes back, although no socket closes. */
  halfDead: boolean;
  /** The broker tells what it acknowledges. */
  acknowledges: boolean;
  /** What the socket has not sent yet. */
  bufferedBytes: number;
  refuse: (sample: Omit<OutboxSample, 'reason'>) => string | undefined;
}

export const FLEET = 'pamir';
export const POST = 'kyzyl-art';

/** Name of a sample in the store, as the server has it. */
export function sampleName(device: string, metric: string, at: number): string {
  return `${device}/${metric}@${at}`;
}

export class FakeCentre {
  readonly faults: CentreFaults = {
    loseData: 0,
    loseReceipts: 0,
    doubleData: 0,
    doubleReceipts: 0,
    latencyMs: 50,
    storeDown: false,
    forgetBirths: false,
    unreachable: false,
    halfDead: false,
    acknowledges: false,
    bufferedBytes: 0,
    refuse: () => undefined,
  };
  /** Everything that posts published, in order. */
  readonly births: Birth[] = [];
  readonly states: { state: string; connection: number }[] = [];
  readonly data: ReceivedData[] = [];
  readonly receipts: Receipt[] = [];
  readonly stored = new Map<string, { readonly value: Value; readonly code: number }>();
  bytes = 0;
  birth: Birth | undefined;
  session = 'session-1';
  online = true;
  readonly #time: Scheduler & { now(): number };
  readonly #random: Random;
  readonly #links = new Map<FakeLink, LinkOptions>();

  constructor(time: Scheduler & { now(): number }, random: Random = () => 0.5) {
    this.#time = time;
    this.#random = random;
  }

  readonly open: OpenLink = (options) => {
    const link = new FakeLink(this);
    this.#later(() => {
      if (this.faults.halfDead) return;
      if (this.faults.unreachable) {
        options.handlers.closed('unreachable');
        return;
      }
      this.#links.set(link, options);
      options.handlers.connected();
      this.#toPost(link, serverTopic(FLEET), this.#serverState(), true);
    });
    return link;
  };

  #later(task: () => void): void {
    this.#time.after(this.faults.latencyMs, task);
  }

  /** One way of one connection: nothing overtakes what went before it. */
  #inOrder(way: { arrivesAt: number }, task: () => void): void {
    const now = this.#time.now();
    way.arrivesAt = Math.max(way.arrivesAt, now + this.faults.latencyMs);
    this.#time.after(way.arrivesAt - now, task);
  }

  #serverState(): Uint8Array {
    return encodeJson({ session: this.session, online: this.online, time: this.#time.now() });
  }

  #toPost(link: FakeLink, topic: string, payload: Uint8Array, retained = false): void {
    if (this.faults.halfDead) return;
    this.#inOrder(link.down, () => this.#links.get(link)?.handlers.message(topic, payload, retained));
  }

  #toAll(topic: string, payload: Uint8Array): void {
    for (const link of this.#links.keys()) this.#toPost(link, topic, payload);
  }

  /** The server ends. */
  stopServer(): void {
    this.online = false;
    this.#toAll(serverTopic(FLEET), this.#serverState());
  }

  /** A server begins. `forgetful`: it has not kept the birth. */
  startServer(session: string, forgetful = false): void {
    this.online = true;
    this.session = session;
    if (forgetful) this.birth = undefined;
    this.#toAll(serverTopic(FLEET), this.#serverState());
  }

  attend(forS: number): void {
    this.#toAll(postTopic(FLEET, POST, 'attention'), encodeJson({ forS }));
  }

  send(channel: 'receipt' | 'attention' | 'replay', payload: Uint8Array): void {
    this.#toAll(postTopic(FLEET, POST, channel), payload);
  }

  /** Cuts every connection. What was on its way is gone. */
  breakLinks(): void {
    for (const [link, options] of [...this.#links]) {
      this.drop(link);
      this.#take(options.will.topic, options.will.payload);
      options.handlers.closed('broken');
    }
  }

  isLinked(link: FakeLink): boolean {
    return this.#links.has(link);
  }

  drop(link: FakeLink): void {
    this.#links.delete(link);
  }

  carry(link: FakeLink, topic: string, payload: Uint8Array, qos: 0 | 1): void {
    if (this.faults.halfDead) return;
    this.bytes += payload.length;
    const heard = this.#links.get(link)?.handlers.heard;
    if (qos === 1 && this.faults.acknowledges) this.#inOrder(link.down, () => this.isLinked(link) && heard?.());
    const copies = topic.endsWith('/data') ? this.#copies(this.faults.loseData, this.faults.doubleData) : 1;
    for (let copy = 0; copy < copies; copy += 1)
      this.#inOrder(link.up, () => {
        if (this.isLinked(link) || link.isClosed) this.#take(topic, payload);
      });
  }

  #copies(lose: number, double: number): number {
    if (this.#random() < lose) return 0;
    return this.#random() < double ? 2 : 1;
  }

  #take(topic: string, payload: Uint8Array): void {
    const channel = parsePostTopic(topic)?.channel;
    if (channel === 'state') this.states.push(JSON.parse(Buffer.from(payload).toString()));
    if (channel === 'birth') this.#takeBirth(payload);
    if (channel === 'data') this.#takeData(payload);
  }

  #takeBirth(payload: Uint8Array): void {
    const birth = parseBirth(payload);
    if (!birth.ok) throw new Error(JSON.stringify(birth.fault));
    this.births.push(birth.value);
    if (!this.online) return;
    this.birth = this.faults.forgetBirths ? undefined : birth.value;
    this.#receipt({ stored: [], refused: [], time: this.#time.now() });
  }

  #takeData(bytes: Uint8Array): void {
    const decoded = decodeData(bytes);
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
    const { birth, epoch, historical, samples } = decoded.value;
    const records = [...new Set(samples.map(({ record }) => record))].sort((a, b) => a - b);
    this.data.push({
      birth,
      epoch,
      historical,
      records,
      samples: samples.length,
      bytes: bytes.length,
      at: this.#time.now(),
    });
    if (!this.online) return;
    const time = this.#time.now();
    if (this.birth?.birth !== birth) {
      this.#receipt({ stored: [], refused: [], birthNeeded: birth, time });
      return;
    }
    if (this.faults.storeDown) return;
    const refused = new Map<number, string>();
    for (const { record, index, at, value, code } of samples) {
      const metric = this.birth.metrics[index];
      if (metric?.index !== index) throw new Error(`no metric ${index}`);
      const refusal = this.faults.refuse({ device: metric.device, metric: metric.metric, at, value });
      if (refusal !== undefined) refused.set(record, refusal);
      else this.stored.set(sampleName(metric.device, metric.metric, at), { value, code });
    }
    const stored = rangesOf(records.filter((id) => !refused.has(id))).map(([first, last]): [number, number] => [
      first,
      last,
    ]);
    this.#receipt({ epoch, stored, refused: [...refused].map(([id, code]) => ({ id, code })), time });
  }

  #receipt(receipt: Receipt): void {
    const copies = this.#copies(this.faults.loseReceipts, this.faults.doubleReceipts);
    this.receipts.push(receipt);
    for (let copy = 0; copy < copies; copy += 1) this.send('receipt', encodeJson(receipt));
  }

  /** True when the sample is stored as it was. */
  has(sample: OutboxSample): boolean {
    const found = this.stored.get(sampleName(sample.device, sample.metric, sample.at));
    return found !== undefined && Object.is(found.value, sample.value) && found.code === codeOf(sample.reason);
  }
}

class FakeLink implements Link {
  readonly #centre: FakeCentre;
  readonly up = { arrivesAt: 0 };
  readonly down = { arrivesAt: 0 };

  constructor(centre: FakeCentre) {
    this.#centre = centre;
  }

  publish(topic: string, payload: Uint8Array, { qos }: { readonly qos: 0 | 1 }): boolean {
    if (!this.#centre.isLinked(this) || this.#centre.faults.bufferedBytes > 64 * 1024) return false;
    this.#centre.carry(this, topic, payload, qos);
    return true;
  }

  bufferedBytes(): number {
    return this.#centre.faults.bufferedBytes;
  }

  /** Closed in order: what was sent before still arrives. */
  isClosed = false;

  async close(): Promise<void> {
    this.isClosed = true;
    this.#centre.drop(this);
  }

  abort(): void {
    this.#centre.drop(this);
  }
}
