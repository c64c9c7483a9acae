// The browser's end of the live channel: keeps one socket open, says truly how it stands, and asks after every break only
// for what changed. Sockets, time and randomness are arguments, so that a test can live through a day of bad links.
import type { Delta, Hello, LiveError, LiveMessage, LiveView, Snapshot } from '#contract/live.js';
import type { Clock, Random, Scheduler } from '#domain/clock.js';

export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  /** Called once, for a refused connection too. */
  closed(): void;
}

export interface Socket {
  send(text: string): void;
  /** Closing is final; no event comes after it. */
  close(): void;
}

/** Begins to connect. Never throws: what cannot connect calls `closed` later. */
export type SocketFactory = (events: SocketEvents) => Socket;

/**
 * `connecting`: a socket is being opened, or no answer has come yet. `live`: messages come. `waiting`: broken, tried again
 * at `retryAt`. `paused`: nobody looks.
 */
export type LinkPhase = 'connecting' | 'live' | 'waiting' | 'paused';

export interface LinkStatus {
  readonly phase: LinkPhase;
  /** Local wall-clock time of the last message; null before the first. */
  readonly heardAt: number | null;
  /** Local wall-clock time of the next try, while `waiting`. */
  readonly retryAt: number | null;
  /** Characters received since the page was opened, before compression on the wire. */
  readonly received: number;
  /** Server's clock less ours, from the newest message. */
  readonly clockOffsetMs: number;
  /** What the server could not serve of the present view; null when all is well. */
  readonly problem: LiveError | null;
}

export interface LinkOptions {
  readonly connect: SocketFactory;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** A message, empty or not, comes at least so often. */
  readonly heartbeatMs: number;
  readonly onMessage: (message: Snapshot | Delta) => void;
  readonly onStatus: (status: LinkStatus) => void;
}

export interface Link {
  /** Shows another view; the connection stays. */
  show(view: LiveView): void;
  /** Least time between two messages. */
  setPeriod(periodMs: number): void;
  pause(): void;
  resume(): void;
  /** Ends a wait: somebody asked, or the phone found its network again. */
  tryNow(): void;
  close(): void;
}

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** A phone's network can swallow a connection without a word. */
const CONNECT_TIMEOUT_MS = 20_000;

/** How long to wait before try number `failures`: doubled each time, up to a minute, and never the same for two browsers. */
export function retryDelayMs(failures: number, random: Random): number {
  const whole = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(whole / 2 + random() * (whole / 2));
}

/** What `view` already holds, so that only changes need to come. */
interface Resume {
  readonly session: string;
  seq: number;
}

export function openLink(options: LinkOptions, firstView: LiveView, firstPeriodMs: number): Link {
  const { clock, scheduler } = options;
  let view = firstView;
  let periodMs = firstPeriodMs;
  let socket: Socket | undefined;
  /** Rises with every socket; events of an older one are not ours any more. */
  let generation = 0;
  let isOpen = false;
  let resume: Resume | undefined;
  let failures = 0;
  let stopTimer: () => void = () => {};
  let status: LinkStatus = {
    phase: 'connecting',
    heardAt: null,
    retryAt: null,
    received: 0,
    clockOffsetMs: 0,
    problem: null,
  };

  const tell = (change: Partial<LinkStatus>): void => {
    status = { ...status, ...change };
    options.onStatus(status);
  };

  function startTimer(delayMs: number, task: () => void): void {
    stopTimer();
    stopTimer = scheduler.after(delayMs, task);
  }

  function dropSocket(): void {
    generation += 1;
    isOpen = false;
    socket?.close();
    socket = undefined;
    stopTimer();
  }

  function connect(): void {
    dropSocket();
    const mine = generation;
    const ifMine = (task: () => void) => () => {
      if (mine === generation) task();
    };
    tell({ phase: 'connecting', retryAt: null });
    startTimer(CONNECT_TIMEOUT_MS, breakOff);
    socket = options.connect({
      opened: ifMine(() => {
        isOpen = true;
        sayHello();
      }),
      received: (text) => ifMine(() => receive(text))(),
      closed: ifMine(breakOff),
    });
  }

  function breakOff(): void {
    dropSocket();
    const delayMs = retryDelayMs(failures, options.random);
    failures += 1;
    tell({ phase: 'waiting', retryAt: clock.now() + delayMs });
    startTimer(delayMs, connect);
  }

  function sayHello(): void {
    const hello: Hello = {
      t: 'hello',
      view,
      periodMs,
      ...(resume !== undefined && { session: resume.session, since: resume.seq }),
    };
    socket?.send(JSON.stringify(hello));
    watch();
  }

  /** Silence for twice the promised time means that the link is gone, whatever the socket believes. */
  function watch(): void {
    startTimer(2 * Math.max(options.heartbeatMs, periodMs), breakOff);
  }

  function receive(text: string): void {
    const now = clock.now();
    const received = status.received + text.length;
    const message = readMessage(text);
    if (message === undefined) {
      tell({ received });
      breakOff();
      return;
    }
    if (message.t === 'error') {
      // A post may be unknown now and report a minute later.
      startTimer(options.heartbeatMs, sayHello);
      tell({ heardAt: now, received, problem: message, phase: 'live' });
      return;
    }
    if (message.t === 'snapshot') {
      if (!isSameView(message.view, view)) return;
      resume = { session: message.session, seq: message.seq };
    } else if (resume === undefined) return;
    else resume.seq = message.seq;
    watch();
    failures = 0;
    options.onMessage(message);
    tell({ phase: 'live', heardAt: now, received, clockOffsetMs: message.now - now, problem: null });
  }

  connect();
  return {
    show(next) {
      if (isSameView(next, view)) return;
      view = next;
      resume = undefined;
      if (status.problem !== null) tell({ problem: null });
      if (isOpen) sayHello();
    },
    setPeriod(next) {
      if (next === periodMs) return;
      periodMs = next;
      if (isOpen) sayHello();
    },
    pause() {
      if (status.phase === 'paused') return;
      dropSocket();
      tell({ phase: 'paused', retryAt: null });
    },
    resume() {
      if (status.phase !== 'paused') return;
      failures = 0;
      connect();
    },
    tryNow() {
      if (status.phase !== 'waiting') return;
      connect();
    },
    close: dropSocket,
  };
}

export function isSameView(one: LiveView, other: LiveView): boolean {
  if (one.page !== other.page) return false;
  return one.page !== 'post' || other.page !== 'post' || one.post === other.post;
}

/** The server is our own and of the same build; what is checked is that the text is whole and of a kind that is known. */
function readMessage(text: string): LiveMessage | undefined {
  try {
    const message = JSON.parse(text) as LiveMessage;
    return message.t === 'snapshot' || message.t === 'delta' || message.t === 'error' ? message : undefined;
  } catch {
    return undefined;
  }
}
