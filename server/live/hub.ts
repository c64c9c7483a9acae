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
  /** Closes politely, with a code of RFC 6455. */
  close(code: number, reason: string): void;
  /** Drops the connection at once. */
  terminate(): void;
}

/** What the route does with a connection. */
export interface LiveConnection {
  receive(message: Uint8Array): void;
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

export interface HubDeps {
  readonly board: LiveBoard;
  /** Names this run of the server; a browser that knows another one gets a snapshot. */
  readonly session: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly attend: (post: string, forS: number) => void;
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
  /** Monotonic times. */
  sentAt: number;
  dueAt: number;
  cloggedAt: number | undefined;
  cancel: () => void;
  changed: boolean;
  wantsSnapshot: boolean;
  requests: number;
  requestsSince: number;
}

export function createLiveHub(deps: HubDeps): LiveHub {
  const { board, clock, scheduler } = deps;
  const limits = { ...HUB_LIMITS, ...deps.limits };
  const clients = new Set<Client>();
  const watch = createWatch(deps);
  const counts = { liveClientsRefused: 0, liveClientsCut: 0, liveSendsSkipped: 0, liveMessagesRefused: 0 };

  /** Arms the client's one timer: soon when something changed, else at the next heartbeat. */
  function arm(client: Client): void {
    const waits = client.cloggedAt !== undefined || client.changed || client.wantsSnapshot;
    const dueAt = client.sentAt + (waits ? client.periodMs : HEARTBEAT_MS);
    if (dueAt === client.dueAt) return;
    client.cancel();
    client.dueAt = dueAt;
    client.cancel = scheduler.after(Math.max(0, dueAt - clock.monotonic()), () => {
      client.dueAt = Number.NaN;
      serve(client);
    });
  }

  function serve(client: Client): void {
    if (!clients.has(client) || client.view === undefined) return;
    if (isClogged(client)) {
      counts.liveSendsSkipped += 1;
      // Counted from now, so that the timer does not run hot while the socket is full.
      client.sentAt = clock.monotonic();
    } else if (client.wantsSnapshot || board.frameSeq(client.view) > client.since) sendSnapshot(client, client.view);
    else sendDelta(client, client.view);
    if (clients.has(client)) arm(client);
  }

  function isClogged(client: Client): boolean {
    const now = clock.monotonic();
    const limit = client.cloggedAt === undefined ? limits.bufferedHighBytes : limits.bufferedLowBytes;
    if (client.socket.bufferedAmount <= limit) {
      client.cloggedAt = undefined;
      return false;
    }
    client.cloggedAt ??= now;
    if (now - client.cloggedAt > limits.cloggedMsMax) {
      counts.liveClientsCut += 1;
      drop(client);
      client.socket.terminate();
    }
    return true;
  }

  function sendSnapshot(client: Client, view: LiveView): void {
    const changes = board.changes(view, 0);
    const frame = view.page === 'post' ? board.frame(view.post) : { devices: [], metrics: [], facts: null };
    client.wantsSnapshot = false;
    send(client, { t: 'snapshot', session: deps.session, view, now: clock.now(), ...changes, ...frame });
    client.since = changes.seq;
  }

  function sendDelta(client: Client, view: LiveView): void {
    const changes = client.changed
      ? board.changes(view, client.since)
      : { seq: client.since, posts: [], alarms: [], values: [] };
    send(client, { t: 'delta', now: clock.now(), ...changes });
    client.since = changes.seq;
  }

  function send(client: Client, message: LiveMessage): void {
    client.changed = false;
    client.sentAt = clock.monotonic();
    client.socket.send(JSON.stringify(message));
  }

  function complain(client: Client, code: string, message: string): void {
    counts.liveMessagesRefused += 1;
    client.socket.send(JSON.stringify({ t: 'error', code, message } satisfies LiveMessage));
  }

  function drop(client: Client): void {
    if (!clients.delete(client)) return;
    client.cancel();
    watch.leave(client.view);
  }

  function isFlooding(client: Client): boolean {
    const now = clock.monotonic();
    if (now - client.requestsSince > REQUEST_WINDOW_MS) {
      client.requests = 0;
      client.requestsSince = now;
    }
    client.requests += 1;
    return client.requests > limits.requestsMax;
  }

  function receive(client: Client, message: Uint8Array): void {
    if (!clients.has(client)) return;
    if (isFlooding(client)) {
      counts.liveClientsCut += 1;
      drop(client);
      client.socket.close(1008, 'too many requests');
      return;
    }
    const hello = parseJson(helloDoor, message, limits.messageBytesMax);
    if (!hello.ok) {
      const [fault] = hello.fault;
      complain(client, 'LIVE_MESSAGE', `not a message of this channel: ${fault?.path} ${fault?.message}`);
    } else turnTo(client, hello.value);
  }

  function turnTo(client: Client, hello: Hello): void {
    if (hello.view.page === 'post' && !board.knows(hello.view.post)) {
      complain(client, 'LIVE_POST_UNKNOWN', `there is no post "${hello.view.post}"`);
      return;
    }
    watch.enter(hello.view);
    watch.leave(client.view);
    client.view = hello.view;
    client.periodMs = Math.max(limits.periodMs, hello.periodMs ?? 0);
    const resumes =
      hello.session === deps.session &&
      hello.since !== undefined &&
      hello.since > 0 &&
      hello.since <= board.seq() &&
      hello.since >= board.frameSeq(hello.view);
    client.since = resumes ? (hello.since ?? 0) : 0;
    client.wantsSnapshot = !resumes;
    client.changed = true;
    serve(client);
  }

  const unsubscribe = board.onChange((post) => {
    for (const client of clients) {
      if (client.changed || client.view === undefined) continue;
      if (client.view.page === 'post' && client.view.post !== post) continue;
      client.changed = true;
      arm(client);
    }
  });

  return {
    connect(socket) {
      if (clients.size >= limits.clientsMax) {
        counts.liveClientsRefused += 1;
        socket.close(1013, 'too many screens are open; try again later');
        return undefined;
      }
      const client = newClient(socket, limits.periodMs, clock.monotonic());
      clients.add(client);
      return { receive: (message) => receive(client, message), closed: () => drop(client) };
    },
    counters: () => ({ ...counts, liveClients: clients.size }),
    close() {
      unsubscribe();
      for (const client of [...clients]) {
        drop(client);
        client.socket.close(1001, 'the server is stopping');
      }
    },
  };
}

function newClient(socket: LiveSocket, periodMs: number, now: number): Client {
  return {
    socket,
    view: undefined,
    since: 0,
    periodMs,
    sentAt: now,
    dueAt: Number.NaN,
    cloggedAt: undefined,
    cancel: () => {},
    changed: false,
    wantsSnapshot: false,
    requests: 0,
    requestsSince: now,
  };
}

/** Keeps the posts attentive that somebody looks at. */
function createWatch(deps: Pick<HubDeps, 'attend' | 'scheduler'>) {
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
