// The ingest's connection to the broker. MQTT.js carries bytes and owns no data: no offline queue, no stored session.
import { randomBytes } from 'node:crypto';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { DATA_BYTES_MAX } from '#contract/data.js';
import { parseJson } from '#contract/door.js';
import { encodeJson, serverStateDoor } from '#contract/session.js';
import { parsePostTopic, postTopicFilters, serverTopic } from '#contract/topic.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { createPacketGuard, type LongPacket } from '../broker/packet-guard.js';
import type { Log } from './log.js';

export interface SubscriberDeps {
  readonly fleet: string;
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly receive: (topic: string, payload: Buffer, retained: boolean) => void;
  /** Called when the connection is gone. */
  readonly lost: () => void;
}

export interface Subscriber {
  /** Resolves at the first connection with its subscriptions. Goes on trying until stopped. */
  readonly ready: Promise<void>;
  connected(): boolean;
  /** QoS 0; false when there is no connection, or when its socket does not take more. */
  send(topic: string, payload: Buffer): boolean;
  /** QoS 1, for the few messages that are not sent again by themselves; false as above. */
  sendSurely(topic: string, payload: Buffer): boolean;
  counters(): Readonly<Record<string, number>>;
  /** Tells the posts that the server is gone, and leaves. */
  stop(): Promise<void>;
}

const RECONNECT_MS = 1000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 30;
const FAREWELL_MS = 1000;
/** Receipts that a stuck socket may hold. */
const SOCKET_BYTES_MAX = 4 * 1024 * 1024;

/** Largest packet that is taken from a broker: the largest payload of the contract, with its topic. */
const PACKET_BYTES_MAX = DATA_BYTES_MAX + 1024;
/** First byte of a PUBLISH, and of one that the broker keeps. */
const PUBLISH = 0x30;
const RETAINED_FLAG = 0x01;

/** Client id of the server of a fleet: a second server, or a second start, takes the connection over and no will of the first outlives it. */
export function serverClientId(fleet: string): string {
  return `server-${fleet}`;
}

export function createSubscriber(deps: SubscriberDeps): Subscriber {
  return new MqttSubscriber(deps);
}

class MqttSubscriber implements Subscriber {
  readonly ready: Promise<void>;
  readonly #deps: SubscriberDeps;
  readonly #client: MqttClient;
  /** New at every start: posts that see a new one send birth and snapshot. */
  readonly #session = randomBytes(8).toString('hex');
  #subscribed = false;
  #stopping = false;
  #lastError = '';
  /** Topics of kept messages that are larger than any of ours. */
  readonly #tooLarge = new Set<string>();
  readonly #counters = {
    brokerConnects: 0,
    brokerErrors: 0,
    sendsRefused: 0,
    packetsTooLarge: 0,
    retainedForgotten: 0,
  };

  constructor(deps: SubscriberDeps) {
    this.#deps = deps;
    this.#client = connect(deps.url, this.#options());
    // Nothing larger than the answer to CONNECT has come yet.
    this.#client.on('connect', () => this.#guardStream());
    this.ready = new Promise((resolve) => {
      this.#client.on('connect', () => void this.#greet().then((greeted) => greeted && resolve()));
    });
    this.#client.on('message', (topic, payload, packet) => this.#hear(topic, payload, packet.retain));
    this.#client.on('error', (error) => this.#complain(error));
    this.#client.on('close', () => {
      if (this.#subscribed && !this.#stopping) {
        this.#deps.log.warn({ url: this.#deps.url }, 'The connection to the broker is gone; trying again');
        this.#deps.lost();
      }
      this.#subscribed = false;
    });
  }

  #options(): IClientOptions {
    const { fleet, username, password } = this.#deps;
    return {
      clientId: serverClientId(fleet),
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: RECONNECT_MS,
      queueQoSZero: false,
      resubscribe: false,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      will: { topic: serverTopic(fleet), payload: this.#stateMessage(false), qos: 1, retain: true },
    };
  }

  #stateMessage(online: boolean): Buffer {
    return encodeJson({ session: this.#session, online, time: this.#deps.clock.now() });
  }

  /** A broker without a limit hands on whatever a client sends: it is cut off before the packet is gathered in memory. */
  #guardStream(): void {
    const { stream } = this.#client;
    const accepts = createPacketGuard(PACKET_BYTES_MAX, (packet) => this.#refuse(packet));
    stream.on('data', (chunk: Buffer) => {
      if (!stream.destroyed && !accepts(chunk)) stream.destroy();
    });
  }

  #refuse({ first, start }: LongPacket): void {
    this.#counters.packetsTooLarge += 1;
    const topic = (first & 0xf0) === PUBLISH ? topicAt(start) : undefined;
    this.#deps.log.warn(
      { code: 'INGEST_PACKET_TOO_LARGE', topic },
      'The broker handed on a message larger than any of ours; set its limit (message_size_limit)',
    );
    const address = topic === undefined ? undefined : parsePostTopic(topic);
    // One that the broker keeps would come again, and cut the connection again, for ever.
    if (topic !== undefined && address?.fleet === this.#deps.fleet && (first & RETAINED_FLAG) !== 0)
      this.#tooLarge.add(topic);
  }

  async #forgetTooLarge(): Promise<void> {
    for (const topic of [...this.#tooLarge]) {
      await this.#client.publishAsync(topic, '', { qos: 1, retain: true });
      this.#tooLarge.delete(topic);
      this.#counters.retainedForgotten += 1;
    }
  }

  /** Subscribes first: a post that hears that the server is there may send at once. */
  async #greet(): Promise<boolean> {
    const { fleet, log, url } = this.#deps;
    try {
      await this.#forgetTooLarge();
      const grants = await this.#client.subscribeAsync([...postTopicFilters(fleet), serverTopic(fleet)], { qos: 1 });
      const denied = grants.find(({ qos }) => qos > 2);
      if (denied !== undefined) throw new Error(`the broker refuses ${denied.topic}`);
      await this.#publishState(true);
      this.#subscribed = true;
      this.#counters.brokerConnects += 1;
      this.#lastError = '';
      log.info({ url }, 'Connected to the broker');
      return true;
    } catch (error) {
      this.#complain(error);
      // Without its subscriptions the connection is worth nothing: begin again.
      this.#client.stream.destroy();
      return false;
    }
  }

  async #publishState(online: boolean): Promise<void> {
    await this.#client.publishAsync(serverTopic(this.#deps.fleet), this.#stateMessage(online), {
      qos: 1,
      retain: true,
    });
  }

  #hear(topic: string, payload: Buffer, retained: boolean): void {
    if (topic === serverTopic(this.#deps.fleet)) this.#hearServer(payload, retained);
    else this.#deps.receive(topic, payload, retained);
  }

  /** A late will, of this server's earlier connection or of an earlier start, must not leave the posts waiting. */
  #hearServer(payload: Buffer, retained: boolean): void {
    const read = parseJson(serverStateDoor, payload, 1024);
    if (retained || this.#stopping || !this.#subscribed || (read.ok && read.value.online)) return;
    this.#publishState(true).catch((error: unknown) => this.#complain(error));
  }

  #complain(error: unknown): void {
    this.#counters.brokerErrors += 1;
    const { code, message } = error as NodeJS.ErrnoException;
    const text = message || code || String(error);
    if (text === this.#lastError || this.#stopping) return;
    this.#lastError = text;
    this.#deps.log.warn(
      { code: 'INGEST_BROKER_UNREACHABLE' },
      `The broker at ${this.#deps.url} cannot be reached (${text}); trying again`,
    );
  }

  connected(): boolean {
    return this.#subscribed && this.#client.connected;
  }

  send(topic: string, payload: Buffer): boolean {
    return this.#send(topic, payload, 0);
  }

  sendSurely(topic: string, payload: Buffer): boolean {
    return this.#send(topic, payload, 1);
  }

  #send(topic: string, payload: Buffer, qos: 0 | 1): boolean {
    const { stream } = this.#client;
    if (!this.#client.connected || (stream?.writableLength ?? 0) > SOCKET_BYTES_MAX) {
      this.#counters.sendsRefused += 1;
      return false;
    }
    // A failure to send shows itself as the end of the connection.
    this.#client.publish(topic, payload, { qos }, () => undefined);
    return true;
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#client.connected) {
      const told = this.#publishState(false).catch(() => undefined);
      // Over a connection that is stuck the will says the same, later.
      let cancel = (): void => undefined;
      const waited = new Promise<void>((resolve) => {
        cancel = this.#deps.scheduler.after(FAREWELL_MS, resolve);
      });
      await Promise.race([told, waited]);
      cancel();
    }
    await this.#client.endAsync(true);
  }
}

/** The topic with which a PUBLISH begins (MQTT 3.1.1, section 3.3.2.1); `undefined` where it is not whole. */
function topicAt(bytes: Uint8Array): string | undefined {
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if (bytes.length < 2 + length || length === 0) return undefined;
  return Buffer.from(bytes.subarray(2, 2 + length)).toString('utf8');
}
