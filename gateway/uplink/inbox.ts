// The door for what the server says to the post.
import { type Door, parseJson } from '#contract/door.js';
import {
  type Attention,
  attentionDoor,
  type Receipt,
  type Replay,
  receiptDoor,
  replayDoor,
  SESSION_BYTES_MAX,
  type ServerState,
  serverStateDoor,
} from '#contract/session.js';
import { postTopic, serverTopic } from '#contract/topic.js';
import type { LinkOptions } from './link.js';
import type { Log } from './log.js';

export interface InboxHandlers {
  server(state: ServerState, retained: boolean): void;
  receipt(receipt: Receipt): void;
  attention(attention: Attention): void;
  replay(replay: Replay): void;
}

export class Inbox {
  readonly subscriptions: LinkOptions['subscriptions'];
  readonly #takers: ReadonlyMap<string, (payload: Uint8Array, retained: boolean) => void>;
  readonly #log: Log;
  #malformed = 0;

  constructor(fleet: string, post: string, handlers: InboxHandlers, log: Log) {
    this.#log = log;
    const server = serverTopic(fleet);
    const receipt = postTopic(fleet, post, 'receipt');
    const attention = postTopic(fleet, post, 'attention');
    const replay = postTopic(fleet, post, 'replay');
    this.subscriptions = [
      { topic: server, qos: 1 },
      { topic: receipt, qos: 0 },
      { topic: attention, qos: 0 },
      { topic: replay, qos: 1 },
    ];
    this.#takers = new Map([
      [server, this.#taker(serverStateDoor, (state, retained) => handlers.server(state, retained))],
      [receipt, this.#taker(receiptDoor, (message) => handlers.receipt(message))],
      [attention, this.#taker(attentionDoor, (message) => handlers.attention(message))],
      [replay, this.#taker(replayDoor, (message) => handlers.replay(message))],
    ]);
  }

  /** Messages that did not parse. */
  get malformed(): number {
    return this.#malformed;
  }

  take(topic: string, payload: Uint8Array, retained: boolean): void {
    this.#takers.get(topic)?.(payload, retained);
  }

  #taker<T>(door: Door<T>, handle: (message: T, retained: boolean) => void) {
    return (payload: Uint8Array, retained: boolean): void => {
      const parsed = parseJson(door, payload, SESSION_BYTES_MAX);
      if (parsed.ok) {
        handle(parsed.value, retained);
        return;
      }
      this.#malformed += 1;
      this.#log.warn({ faults: parsed.fault.slice(0, 3) }, 'a message from the server does not parse');
    };
  }
}
