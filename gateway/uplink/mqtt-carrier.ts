// MQTT.js as a carrier of bytes. It owns no data: no queue, no store, no reconnecting of its own, nobody waits for its callbacks.
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { KEEPALIVE_MS, type Link, type LinkOptions, type OpenLink } from './link.js';

export interface MqttCarrierOptions {
  /** `mqtt://host:port` or `mqtts://…`. */
  readonly url: string;
  readonly fleet: string;
  readonly post: string;
  /** Of this start of the gateway. */
  readonly epoch: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM text of the certificate authority. */
  readonly ca?: string;
  readonly patience?: CarrierPatience;
}

export interface CarrierPatience {
  /** From the first packet to the broker's consent. */
  readonly connectMs: number;
  /** A connection without its subscriptions would never hear of receipts. */
  readonly subscribeMs: number;
  /** An idle connection is pinged so often; one and a half of it without an answer is the end. */
  readonly keepaliveS: number;
}

const PATIENCE: CarrierPatience = { connectMs: 30_000, subscribeMs: 30_000, keepaliveS: KEEPALIVE_MS / 1000 };

/** With more than this before the socket, a publish is turned down. */
export const SOCKET_BUFFER_BYTES = 64 * 1024;
/** Time for the last words when a link is closed. */
const CLOSE_MS = 1_000;

/** Connects to a broker of MQTT 3.1.1. What goes wrong is told by `closed`; it never throws. */
export function mqttCarrier(options: MqttCarrierOptions): OpenLink {
  return (link) => new MqttLink(options, link);
}

const ignore = (): void => {};

class MqttLink implements Link {
  readonly #client: MqttClient | undefined;
  #over = false;
  #lastError: string | undefined;
  #cancelSubscribe = ignore;

  constructor(options: MqttCarrierOptions, link: LinkOptions) {
    try {
      this.#client = connect(options.url, clientOptions(options, link));
      this.#listen(this.#client, link, (options.patience ?? PATIENCE).subscribeMs);
    } catch (error) {
      queueMicrotask(() => this.#end(link, (error as Error).message));
    }
  }

  #listen(client: MqttClient, link: LinkOptions, subscribeMs: number): void {
    client.on('error', (error) => {
      this.#lastError = error.message || String((error as NodeJS.ErrnoException).code ?? error);
    });
    client.on('packetreceive', () => link.handlers.heard?.());
    client.on('connect', () => {
      (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
      const topics = Object.fromEntries(link.subscriptions.map(({ topic, qos }) => [topic, { qos }]));
      const timer = setTimeout(() => this.#end(link, 'the broker does not answer the subscription'), subscribeMs);
      this.#cancelSubscribe = () => clearTimeout(timer);
      client.subscribe(topics, (error, _granted, answer) => {
        if (error === null) clearTimeout(timer);
        else if (answer !== undefined) this.#end(link, 'the broker refuses the subscription');
        // Without an answer the connection ends, and tells itself why.
      });
      if (!this.#over) link.handlers.connected();
    });
    client.handleMessage = (packet, done) => {
      if (!this.#over)
        link.handlers.message(packet.topic, Buffer.from(packet.payload as Buffer | string), packet.retain === true);
      done();
    };
    client.on('close', () => this.#end(link, this.#lastError ?? 'the broker closed the connection'));
  }

  #end(link: LinkOptions, reason: string): void {
    if (this.#over) return;
    this.abort();
    link.handlers.closed(reason);
  }

  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): boolean {
    const client = this.#client;
    if (this.#over || client?.connected !== true || this.bufferedBytes() > SOCKET_BUFFER_BYTES) return false;
    client.publish(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.length), options, ignore);
    return true;
  }

  bufferedBytes(): number {
    return this.#client?.stream?.writableLength ?? 0;
  }

  close(): Promise<void> {
    this.#over = true;
    this.#cancelSubscribe();
    const client = this.#client;
    if (client === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        client.end(true);
        resolve();
      }, CLOSE_MS);
      client.end(false, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  abort(): void {
    this.#over = true;
    this.#cancelSubscribe();
    this.#client?.end(true);
  }
}

function clientOptions(options: MqttCarrierOptions, link: LinkOptions): IClientOptions {
  return {
    protocolVersion: 4,
    // A broker lets only one in by a name. With the epoch in it, two gateways of one post do not throw each other out for ever:
    // the server hears both, stores what both have, and says that there are two.
    clientId: `post-${options.fleet}-${options.post}.${options.epoch.slice(0, 8)}`,
    clean: true,
    keepalive: (options.patience ?? PATIENCE).keepaliveS,
    reschedulePings: true,
    connectTimeout: (options.patience ?? PATIENCE).connectMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: link.will.topic, payload: Buffer.from(link.will.payload), qos: 1, retain: true },
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
}
