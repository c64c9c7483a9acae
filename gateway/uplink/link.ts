// What the uplink asks of a connection to the broker.
import type { UplinkCarrier } from '../ports.js';

/** An idle link is pinged so often. */
export const KEEPALIVE_MS = 90_000;

export interface LinkHandlers {
  connected(): void;
  /** `retained`: the broker kept it for us, it may be old. */
  message(topic: string, payload: Uint8Array, retained: boolean): void;
  /** Anything at all came from the broker, an acknowledgement or an answer to a ping too. A link may leave it out. */
  heard?(): void;
  /** Once, when a connection is lost or could not be made; not after `close` or `abort`. */
  closed(reason: string): void;
}

export interface LinkOptions {
  /** What the broker publishes, retained, when the connection is lost. */
  readonly will: { readonly topic: string; readonly payload: Uint8Array };
  readonly subscriptions: readonly { readonly topic: string; readonly qos: 0 | 1 }[];
  readonly handlers: LinkHandlers;
}

/** One connection, for one life: it does not come back by itself. */
export interface Link extends UplinkCarrier {
  /** Lets go in order, so that the will is not published. Resolves soon, whatever the peer does. */
  close(): Promise<void>;
  /** Drops the connection, as a dead link does. */
  abort(): void;
}

export type OpenLink = (options: LinkOptions) => Link;
