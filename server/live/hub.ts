// The live channel: who is connected, what each one looks at, and when each one gets its next message. Nothing queues for
// a slow browser: it asks for "everything since N" a little later.

import { parseJson } from '#contract/door.js';
import { HEARTBEAT_MS, type Hello, helloDoor, type LiveMessage, type LiveView } from '#contract/live.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import type { LiveBoard } from './board.js';

/** The part of a websocket that is used here. */
export interface LiveSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
  /** Asks the other end whether it is there. */
  ping(): void;
  /** Closes politely, with a code of RFC 6455. */
  close(code: number, reason: string): void;
  /** Drops the connection at once. */
  terminate(): void;
}

/** What the route does with a connection. */
export interface LiveConnection {
  receive(message: Uint8Array): void;
  /** The other end has answered a ping. */
  alive(): void;
  closed(): void;
}

export interface HubLimits {
  readonly clientsMax: number;
  /** Least time between two deltas, unless the browser asks for more. */
  readonly periodMs: number;
  /** A socket with more unsent bytes is left alone … */
  readonly bufferedHighBytes: number;
  /** … until it has less than this. */
  readonly bufferedLowBytes: number;
  /** … and cut when that takes longer. */
  readonly cloggedMsMax: number;
  /** Requests of one browser within ten seconds. */
  readonly requestsMax: number;
  readonly messageBytesMax: number;
}

export const HUB_LIMITS: HubLimits = {
  clientsMax: 200,
  periodMs: 250,
  bufferedHighBytes: 64 * 1024,
  bufferedLowBytes: 16 * 1024,
  cloggedMsMax: 60_000,
  requestsMax: 40,
  messageBytesMax: 4096,
};

/** How long a post is asked to send every poll, and when that is asked again. */
const ATTEND_S = 120;
const ATTEND_AGAIN_MS = 90_000;
const REQUEST_WINDOW_MS = 10_000;
/** A browser that has gone without a word (a phone out of reach) is asked for a sign of life, and cut when none comes. */
const PING_MS = 45_000;
const SILENT_MS_MAX = 110_000;
/** A connection that asks for nothing is closed. */
const HELLO_MS_MAX = 30_000;

export interface HubDeps {
  readonly board: LiveBoard;
  /** Names this run of the server; a browser that knows another one gets a snapshot. */
  readonly session: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly attend: (post: string, forS: number) => void;
  /** Where this server lets people break its simulated posts. */
  readonly playground?: string | undefined;
  readonly limits?: Partial<HubLimits>;
}

export interface LiveHub {
  /** Takes a new connection. `undefined` when there are too many: the socket is closed then. */
  connect(socket: LiveSocket): LiveConnection | undefined;
  counters(): Readonly<Record<string, number>>;
  /** Says goodbye to all browsers. */
  close(): void;
}

interface Client {
  readonly socket: LiveSocket;
  view: LiveView | undefined;
  since: number;
  periodMs: number;
  /** Monotonic times: of the last message, of the last one with changes, of the next one, of the last ping and sign of life. */
  sentAt: number;
  changesAt: number;
  dueAt: number;
  pingedAt: number;
  heardAt: number;
  cloggedAt: number | undefined;
  cancel: () => void;
  changed: boolean;
  wantsSnapshot: boolean;
  requests: number;
  requestsSince: number;
}

export function createLiveHub(deps: HubDeps): LiveHub {
  return new Hub(deps);
}

class Hub implements LiveHub {
  readonly #deps: HubDeps;
  readonly #limits: HubLimits;
  readonly #clients = new Set<Client>();
  readonly #watch: Watch;
  readonly #unsubscribe: () => void;
  readonly #counts = { liveClientsRefused: 0, liveClientsCut: 0, liveSendsSkipped: 0, liveMessagesRefused: 0 };

  constructor(deps: HubDeps) {
    this.#deps = deps;
    this.#limits = { ...HUB_LIMITS, ...deps.limits };
    this.#watch = createWatch(deps);
    this.#unsubscribe = deps.board.onChange((post) => this.#follow(post));
  }

  connect(socket: LiveSocket): LiveConnection | undefined {
    if (this.#clients.size >= this.#limits.clientsMax) {
      this.#counts.liveClientsRefused += 1;
      socket.close(1013, 'too many screens are open; try again later');
      return undefined;
    }
    const client = newClient(socket, this.#limits.periodMs, this.#deps.clock.monotonic());
    this.#clients.add(client);
    client.cancel = this.#deps.scheduler.after(HELLO_MS_MAX, () => this.#cut(client, 1008, 'nothing was asked for'));
    return {
      receive: (message) => this.#receive(client, message),
      alive: () => {
        client.heardAt = this.#deps.clock.monotonic();
      },
      closed: () => this.#drop(client),
    };
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, liveClients: this.#clients.size };
  }

  close(): void {
    this.#unsubscribe();
    for (const client of [...this.#clients]) {
      this.#drop(client);
      client.socket.close(1001, 'the server is stopping');
    }
  }

  #follow(post: string): void {
    for (const client of this.#clients) {
      if (client.changed || client.view === undefined) continue;
      if (client.view.page === 'post' && client.view.post !== post) continue;
      client.changed = true;
      this.#arm(client);
    }
  }

  /** Arms the client's one timer: when its period allows the next changes, at the latest for the heartbeat. */
  #arm(client: Client): void {
    const waits = client.cloggedAt !== undefined || client.changed || client.wantsSnapshot;
    const heartbeatAt = client.sentAt + HEARTBEAT_MS;
    const dueAt = waits ? Math.min(heartbeatAt, client.changesAt + client.periodMs) : heartbeatAt;
    if (dueAt === client.dueAt) return;
    client.cancel();
    client.dueAt = dueAt;
    client.cancel = this.#deps.scheduler.after(Math.max(0, dueAt - this.#deps.clock.monotonic()), () => {
      client.dueAt = Number.NaN;
      this.#serve(client);
    });
  }

  #serve(client: Client): void {
    const { view } = client;
    if (!this.#clients.has(client) || view === undefined) return;
    const now = this.#deps.clock.monotonic();
    if (now - client.heardAt > SILENT_MS_MAX || this.#isCloggedTooLong(client)) {
      this.#cut(client);
      return;
    }
    if (client.cloggedAt !== undefined) {
      this.#counts.liveSendsSkipped += 1;
      // Counted from now, so that the timer does not run hot while the socket is full.
      client.sentAt = now;
      client.changesAt = now;
    } else {
      this.#sendNext(client, view, now);
      this.#pingSometimes(client, now);
    }
    this.#arm(client);
  }

  #sendNext(client: Client, view: LiveView, now: number): void {
    if (client.wantsSnapshot || this.#deps.board.frameSeq(view) > client.since) this.#sendSnapshot(client, view);
    else if (client.changed && now - client.changesAt >= client.periodMs) this.#sendDelta(client, view);
    else this.#sendHeartbeat(client);
  }

  #pingSometimes(client: Client, now: number): void {
    if (now - client.pingedAt < PING_MS) return;
    client.pingedAt = now;
    client.socket.ping();
  }

  /** Looks at the socket's buffer, with hysteresis. True when it has been full for too long. */
  #isCloggedTooLong(client: Client): boolean {
    const now = this.#deps.clock.monotonic();
    const { bufferedHighBytes, bufferedLowBytes, cloggedMsMax } = this.#limits;
    const limit = client.cloggedAt === undefined ? bufferedHighBytes : bufferedLowBytes;
    if (client.socket.bufferedAmount <= limit) client.cloggedAt = undefined;
    else client.cloggedAt ??= now;
    return client.cloggedAt !== undefined && now - client.cloggedAt > cloggedMsMax;
  }

  /** Without a code the connection is dropped at once: the other end is not reading. */
  #cut(client: Client, code?: number, reason = ''): void {
    if (!this.#clients.has(client)) return;
    this.#counts.liveClientsCut += 1;
    this.#drop(client);
    if (code === undefined) client.socket.terminate();
    else client.socket.close(code, reason);
  }

  #sendSnapshot(client: Client, view: LiveView): void {
    const changes = this.#deps.board.changes(view, 0);
    const frame = view.page === 'post' ? this.#deps.board.frame(view.post) : { devices: [], metrics: [], facts: null };
    client.wantsSnapshot = false;
    this.#send(client, {
      t: 'snapshot',
      session: this.#deps.session,
      view,
      now: this.#deps.clock.now(),
      ...changes,
      ...frame,
      ...(this.#deps.playground !== undefined && { playground: this.#deps.playground }),
    });
    client.since = changes.seq;
  }

  #sendDelta(client: Client, view: LiveView): void {
    const changes = this.#deps.board.changes(view, client.since);
    this.#send(client, { t: 'delta', now: this.#deps.clock.now(), ...changes });
    client.since = changes.seq;
  }

  #sendHeartbeat(client: Client): void {
    const nothing = { seq: client.since, posts: [], alarms: [], values: [] };
    client.socket.send(JSON.stringify({ t: 'delta', now: this.#deps.clock.now(), ...nothing } satisfies LiveMessage));
    client.sentAt = this.#deps.clock.monotonic();
  }

  #send(client: Client, message: LiveMessage): void {
    client.changed = false;
    client.sentAt = this.#deps.clock.monotonic();
    client.changesAt = client.sentAt;
    client.socket.send(JSON.stringify(message));
  }

  #complain(client: Client, code: string, message: string): void {
    this.#counts.liveMessagesRefused += 1;
    client.socket.send(JSON.stringify({ t: 'error', code, message } satisfies LiveMessage));
  }

  #drop(client: Client): void {
    if (!this.#clients.delete(client)) return;
    client.cancel();
    this.#watch.leave(client.view);
  }

  #isFlooding(client: Client): boolean {
    const now = this.#deps.clock.monotonic();
    if (now - client.requestsSince > REQUEST_WINDOW_MS) {
      client.requests = 0;
      client.requestsSince = now;
    }
    client.requests += 1;
    return client.requests > this.#limits.requestsMax;
  }

  #receive(client: Client, message: Uint8Array): void {
    if (!this.#clients.has(client)) return;
    client.heardAt = this.#deps.clock.monotonic();
    if (this.#isFlooding(client)) {
      this.#cut(client, 1008, 'too many requests');
      return;
    }
    const hello = parseJson(helloDoor, message, this.#limits.messageBytesMax);
    if (!hello.ok) {
      const [fault] = hello.fault;
      this.#complain(client, 'LIVE_MESSAGE', `not a message of this channel: ${fault?.path} ${fault?.message}`);
    } else this.#turnTo(client, hello.value);
  }

  #turnTo(client: Client, hello: Hello): void {
    if (hello.view.page === 'post' && !this.#deps.board.knows(hello.view.post)) {
      this.#complain(client, 'LIVE_POST_UNKNOWN', `there is no post "${hello.view.post}"`);
      return;
    }
    this.#watch.enter(hello.view);
    this.#watch.leave(client.view);
    client.view = hello.view;
    client.periodMs = Math.max(this.#limits.periodMs, hello.periodMs ?? 0);
    const resumes =
      hello.session === this.#deps.session &&
      hello.since !== undefined &&
      hello.since > 0 &&
      hello.since <= this.#deps.board.seq() &&
      hello.since >= this.#deps.board.frameSeq(hello.view);
    client.since = resumes ? (hello.since ?? 0) : 0;
    client.wantsSnapshot = !resumes;
    client.changed = true;
    client.changesAt = Number.NEGATIVE_INFINITY;
    this.#serve(client);
  }
}

function newClient(socket: LiveSocket, periodMs: number, now: number): Client {
  return {
    socket,
    view: undefined,
    since: 0,
    periodMs,
    sentAt: now,
    changesAt: Number.NEGATIVE_INFINITY,
    dueAt: Number.NaN,
    pingedAt: now,
    heardAt: now,
    cloggedAt: undefined,
    cancel: () => {},
    changed: false,
    wantsSnapshot: false,
    requests: 0,
    requestsSince: now,
  };
}

interface Watch {
  enter(view: LiveView | undefined): void;
  leave(view: LiveView | undefined): void;
}

/** Keeps the posts attentive that somebody looks at. */
function createWatch(deps: Pick<HubDeps, 'attend' | 'scheduler'>): Watch {
  const watched = new Map<string, { viewers: number; cancel: () => void }>();

  function ask(post: string): () => void {
    deps.attend(post, ATTEND_S);
    return deps.scheduler.after(ATTEND_AGAIN_MS, () => {
      const entry = watched.get(post);
      if (entry !== undefined) entry.cancel = ask(post);
    });
  }

  return {
    enter(view: LiveView | undefined): void {
      if (view?.page !== 'post') return;
      const entry = watched.get(view.post);
      if (entry === undefined) watched.set(view.post, { viewers: 1, cancel: ask(view.post) });
      else entry.viewers += 1;
    },
    leave(view: LiveView | undefined): void {
      if (view?.page !== 'post') return;
      const entry = watched.get(view.post);
      if (entry === undefined) return;
      entry.viewers -= 1;
      if (entry.viewers > 0) return;
      entry.cancel();
      watched.delete(view.post);
    },
  };
}
