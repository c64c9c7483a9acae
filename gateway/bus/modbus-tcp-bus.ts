// The `Bus` over Modbus TCP. The library carries requests and checks transaction, unit, function and length; we own the
// socket, the queue, the timer and the reconnect, because its promises can stay pending for ever.
import type { Socket } from 'node:net';
import modbusSerial from 'modbus-serial';
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Bus, BusFault, BusRequest } from '../ports.js';
import { createBackOff } from './back-off.js';
import { disconnected } from './byte-line.js';
import { followMbap } from './mbap.js';
import { pause, realClock, realScheduler } from './real-time.js';
import { openSocket, type SocketOptions } from './socket.js';
import { createTurns } from './turns.js';

export interface ModbusTcpBusOptions extends SocketOptions {
  /** Time a device needs after a connect before the first request. */
  readonly connectDelayMs?: number;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

const ModbusClient = modbusSerial.default;
type ModbusClient = InstanceType<typeof ModbusClient>;

const BACK_OFF_FIRST_MS = 250;
const BACK_OFF_MAX_MS = 30_000;
/** A half-dead socket shows itself only by silence; one dead unit behind a converter must not look like it too soon. */
const TIMEOUTS_BEFORE_RECONNECT = 4;
/** One poller asks one question at a time; more than this waiting means that answers come slower than questions. */
const WAITING_MAX = 64;

interface Connection {
  readonly socket: Socket;
  readonly client: ModbusClient;
  /** Settles the running call when the connection is cut. */
  cut: ((fault: BusFault) => void) | undefined;
  closed: BusFault | undefined;
  /** Unit that may answer the running request in place of the one asked. */
  expected: { readonly unit: number; readonly replyUnit: number } | undefined;
  answered: boolean;
}

type Attempt = Result<readonly number[], BusFault>;

/** A bus to one Modbus TCP peer. Connects when first asked, and again, with back-off, when the connection is lost. */
export function createModbusTcpBus(options: ModbusTcpBusOptions): Bus {
  const clock = options.clock ?? realClock;
  const scheduler = options.scheduler ?? realScheduler;
  const peer = `${options.host}:${options.port}`;
  const turns = createTurns(WAITING_MAX);
  const backOff = createBackOff(BACK_OFF_FIRST_MS, BACK_OFF_MAX_MS);
  let connection: Connection | undefined;
  let timeoutsInRow = 0;
  let ended = false;

  function drop(dropped: Connection, fault: BusFault): void {
    if (dropped.closed !== undefined) return;
    dropped.closed = fault;
    if (connection === dropped) connection = undefined;
    // Cancels the library's timers as well; what it still promised never settles, which `ask` does not wait for.
    dropped.client.destroy(() => undefined);
    dropped.socket.destroy();
    dropped.cut?.(fault);
  }

  function lost(gone: Connection, fault: BusFault): void {
    if (gone.closed !== undefined) return;
    // A peer that lets us in and hangs up at once (its one place is taken) is left alone like one that is not there.
    if (!gone.answered) backOff.failed(clock.monotonic());
    drop(gone, fault);
  }

  async function open(): Promise<Result<Connection, BusFault>> {
    const waitMs = backOff.remainingMs(clock.monotonic());
    if (waitMs > 0) return failed(disconnected(`${peer}: next attempt to connect in ${Math.ceil(waitMs)} ms`));
    const opened = await openSocket(options, scheduler);
    if (!opened.ok) {
      backOff.failed(clock.monotonic());
      return opened;
    }
    const fresh = await linkClient(opened.value, { lost, garbled: drop }, peer);
    if (fresh.closed !== undefined) return failed(fresh.closed);
    connection = fresh;
    if (options.connectDelayMs) await pause(scheduler, options.connectDelayMs);
    if (ended) drop(fresh, disconnected('the bus was closed'));
    return fresh.closed === undefined ? ok(fresh) : failed(fresh.closed);
  }

  async function perform(request: BusRequest): Promise<Attempt> {
    if (ended) return failed(disconnected('the bus is closed'));
    const opened = connection === undefined ? await open() : ok(connection);
    if (!opened.ok) return opened;
    const used = opened.value;
    const attempt = await ask(used, request, scheduler);
    settle(used, attempt);
    return attempt;
  }

  function settle(used: Connection, attempt: Attempt): void {
    timeoutsInRow = !attempt.ok && attempt.fault.code === 'BUS_TIMEOUT' ? timeoutsInRow + 1 : 0;
    if (attempt.ok || attempt.fault.code === 'BUS_EXCEPTION') {
      used.answered = true;
      backOff.succeeded();
    } else if (attempt.fault.code === 'BUS_GARBLED') drop(used, attempt.fault);
    if (timeoutsInRow < TIMEOUTS_BEFORE_RECONNECT) return;
    timeoutsInRow = 0;
    drop(used, disconnected(`${peer} has been silent for ${TIMEOUTS_BEFORE_RECONNECT} requests`));
  }

  return {
    async read(request) {
      const turn = turns.take(() => perform(request));
      return (
        turn ?? failed({ code: 'BUS_TIMEOUT', message: `${WAITING_MAX} requests are waiting for ${peer} already` })
      );
    },
    async close() {
      ended = true;
      if (connection !== undefined) drop(connection, disconnected('the bus was closed'));
      await turns.idle();
    },
  };
}

interface Ends {
  readonly lost: (connection: Connection, fault: BusFault) => void;
  readonly garbled: (connection: Connection, fault: BusFault) => void;
}

async function linkClient(socket: Socket, ends: Ends, peer: string): Promise<Connection> {
  const client = new ModbusClient();
  const fresh: Connection = { socket, client, cut: undefined, closed: undefined, expected: undefined, answered: false };
  socket.on('error', (error) => ends.lost(fresh, disconnected(`${peer}: ${error.message}`)));
  socket.on('close', () => ends.lost(fresh, disconnected(`${peer} closed the connection`)));
  const follower = followMbap((unit) => (unit === fresh.expected?.replyUnit ? fresh.expected.unit : unit));
  // Before the library's own listener, so that nonsense ends the connection before it fills a buffer.
  socket.prependListener('data', (bytes: Buffer) => {
    const fault = follower.follow(bytes);
    if (fault !== undefined)
      ends.garbled(fresh, { code: 'BUS_GARBLED', message: `${peer}: an answer that is none: ${fault}` });
  });
  // Errors of the socket are handled above; the library's echo of them must not become an unhandled event.
  client.on('error', () => undefined);
  try {
    await client.linkTCP(socket, { port: socket.remotePort ?? 0 });
  } catch {
    ends.lost(fresh, disconnected(`${peer} closed the connection`));
  }
  return fresh;
}

/** One request, raced with our own timer and with the end of the connection. */
function ask(used: Connection, request: BusRequest, scheduler: Scheduler): Promise<Attempt> {
  return new Promise((resolve) => {
    let settled = false;
    const finish = (attempt: Attempt) => {
      // A call that we gave up may still end inside the library, when the next one is already running.
      if (settled) return;
      settled = true;
      cancel();
      used.cut = undefined;
      used.expected = undefined;
      resolve(attempt);
    };
    const cancel = scheduler.after(request.timeoutMs, () =>
      finish(
        failed({ code: 'BUS_TIMEOUT', message: `unit ${request.unit} did not answer within ${request.timeoutMs} ms` }),
      ),
    );
    used.cut = (fault) => finish(failed(fault));
    if (request.replyUnit !== undefined) used.expected = { unit: request.unit, replyUnit: request.replyUnit };
    send(used.client, request).then(
      (words) => finish(checkCount(request, words)),
      (error: unknown) => finish(failed(faultOf(request, error))),
    );
  });
}

/** `setID` is shared state that is read when the call is made: no `await` may come between the two. */
function send(client: ModbusClient, request: BusRequest): Promise<readonly number[]> {
  client.setID(request.unit);
  // Frees the library's own record of a call that we have given up; ours fires first.
  client.setTimeout(request.timeoutMs + 50);
  const bits = (answer: { data: boolean[] }) => answer.data.slice(0, request.count).map(Number);
  switch (request.table) {
    case 'holding':
      return client.readHoldingRegisters(request.start, request.count).then(({ data }) => data);
    case 'input':
      return client.readInputRegisters(request.start, request.count).then(({ data }) => data);
    case 'coil':
      return client.readCoils(request.start, request.count).then(bits);
    case 'discrete':
      return client.readDiscreteInputs(request.start, request.count).then(bits);
  }
}

function checkCount(request: BusRequest, words: readonly number[]): Attempt {
  if (words.length === request.count) return ok(words);
  return failed({ code: 'BUS_GARBLED', message: `asked for ${request.count} values, got ${words.length}` });
}

function faultOf(request: BusRequest, error: unknown): BusFault {
  const { modbusCode, message, name } = error as { modbusCode?: number; message?: string; name?: string };
  if (modbusCode !== undefined)
    return {
      code: 'BUS_EXCEPTION',
      exception: modbusCode,
      message: `unit ${request.unit} answered with exception ${modbusCode}`,
    };
  if (name === 'TransactionTimedOutError')
    return { code: 'BUS_TIMEOUT', message: `unit ${request.unit} did not answer within ${request.timeoutMs} ms` };
  if (name === 'PortNotOpenError') return disconnected('the connection was lost');
  return { code: 'BUS_GARBLED', message: `unit ${request.unit}: ${message ?? 'an answer that is none'}` };
}
