// The `Bus` over Modbus RTU, on a serial port or through a socket. One question on the wire at a time, silence before each,
// and after a time-out proof that the line answers the present and not the past.
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { SerialLine } from '../config.js';
import type { Bus, BusFault, BusRequest } from '../ports.js';
import { createBackOff } from './back-off.js';
import { type ByteLine, disconnected, type OpenLine } from './byte-line.js';
import { createLateAnswers } from './late-answers.js';
import { pause, realClock, realScheduler } from './real-time.js';
import { encodeQuestion, findAnswer, frameBytes, frameGapMs, sameShape, shapeOf, valuesOf } from './rtu-frame.js';
import { serialLine } from './serial-line.js';
import { type SocketOptions, socketLine } from './socket.js';
import { createTurns } from './turns.js';

export interface RtuBusOptions {
  readonly line: SerialLine;
  /** Time a device needs after the line was opened before the first request. */
  readonly connectDelayMs?: number;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

const BACK_OFF_FIRST_MS = 250;
const BACK_OFF_MAX_MS = 30_000;
const WAITING_MAX = 64;
/** After a time-out the line must have been still for so long before anything is asked. */
const GUARD_SILENCE_MS = 150;
/** A line that is never still has another master on it, or a broken driver. */
const GUARD_WAIT_MAX_MS = 1500;
/** Bytes in sufficient number that are no answer: what a frame may be short of before it is called garbled. */
const GARBLE_SILENCE_MS = 60;
const TIMEOUTS_BEFORE_REOPEN = 4;
/** Longest frame is 256 bytes; what is not a frame by then is noise. */
const BUFFER_MAX = 1024;

type Attempt = Result<readonly number[], BusFault>;

/** RTU on a serial port. */
export function createRtuBus(path: string, options: RtuBusOptions): Bus {
  return createRtuMaster(path, serialLine(path, options.line), options);
}

/** RTU frames through a socket, as serial servers in transparent mode carry them. */
export function createRtuOverTcpBus(socket: SocketOptions, options: RtuBusOptions): Bus {
  const line = socketLine(socket, options.scheduler ?? realScheduler);
  return createRtuMaster(`${socket.host}:${socket.port}`, line, options);
}

export function createRtuMaster(name: string, openLine: OpenLine, options: RtuBusOptions): Bus {
  const master = new RtuMaster(name, openLine, options);
  const turns = createTurns(WAITING_MAX);
  return {
    async read(request) {
      const turn = turns.take(() => master.read(request));
      return (
        turn ?? failed({ code: 'BUS_TIMEOUT', message: `${WAITING_MAX} requests are waiting for ${name} already` })
      );
    },
    async close() {
      await master.close();
      await turns.idle();
    },
  };
}

/** The life of one line. `read` is called once at a time. */
class RtuMaster {
  readonly #name: string;
  readonly #openLine: OpenLine;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #gapMs: number;
  readonly #connectDelayMs: number;
  readonly #backOff = createBackOff(BACK_OFF_FIRST_MS, BACK_OFF_MAX_MS);
  readonly #late = createLateAnswers();
  #line: ByteLine | undefined;
  #buffer = Buffer.alloc(0);
  /** Pieces of data heard, so that silence can be told without looking at a clock. */
  #chunks = 0;
  #activeAt = Number.NEGATIVE_INFINITY;
  #dirty = false;
  #answered = false;
  #timeoutsInRow = 0;
  #ended = false;
  #heard: () => void = () => undefined;
  #cut: (why: string) => void = () => undefined;

  constructor(name: string, openLine: OpenLine, options: RtuBusOptions) {
    this.#name = name;
    this.#openLine = openLine;
    this.#clock = options.clock ?? realClock;
    this.#scheduler = options.scheduler ?? realScheduler;
    this.#gapMs = frameGapMs(options.line);
    this.#connectDelayMs = options.connectDelayMs ?? 0;
  }

  /** After a time-out of another call this may take that of a probe more. */
  async read(request: BusRequest): Promise<Attempt> {
    if (this.#ended) return failed(disconnected('the bus is closed'));
    const fault = (this.#line === undefined ? await this.#open() : undefined) ?? (await this.#clear(request));
    if (fault !== undefined) return failed(fault);
    return this.#ask(request);
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#drop('the bus was closed');
  }

  async #open(): Promise<BusFault | undefined> {
    const waitMs = this.#backOff.remainingMs(this.#clock.monotonic());
    if (waitMs > 0) return disconnected(`${this.#name}: next attempt to open in ${Math.ceil(waitMs)} ms`);
    let line: ByteLine | undefined;
    let closed: string | undefined;
    // A line that we have dropped ourselves may still call; it is no longer ours.
    const present = () => line !== undefined && this.#line === line;
    const opened = await this.#openLine({
      data: (bytes) => {
        if (present()) this.#receive(bytes);
      },
      closed: (why) => {
        closed = why;
        if (present()) this.#lost(why);
      },
    });
    if (!opened.ok) {
      this.#backOff.failed(this.#clock.monotonic());
      return opened.fault;
    }
    line = opened.value;
    this.#line = line;
    this.#answered = false;
    if (closed !== undefined) this.#lost(closed);
    else if (this.#connectDelayMs > 0) await pause(this.#scheduler, this.#connectDelayMs);
    if (this.#ended) await this.#drop('the bus was closed');
    return present() ? undefined : disconnected(closed ?? 'the bus was closed');
  }

  #lost(why: string): void {
    // A peer that lets us in and hangs up at once (its one place is taken) is left alone like one that is not there.
    if (!this.#answered) this.#backOff.failed(this.#clock.monotonic());
    void this.#drop(why);
  }

  async #drop(why: string): Promise<void> {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = undefined;
    this.#buffer = Buffer.alloc(0);
    this.#cut(why);
    await line.destroy();
  }

  #receive(bytes: Uint8Array): void {
    this.#activeAt = this.#clock.monotonic();
    this.#chunks += 1;
    this.#buffer = Buffer.concat([this.#buffer, bytes]).subarray(-BUFFER_MAX);
    this.#heard();
  }

  /** After a time-out: waits for silence, takes in what comes late, and where the same shape is still owed, probes. */
  async #clear(request: BusRequest): Promise<BusFault | undefined> {
    if (!this.#dirty) return undefined;
    if (!(await this.#untilSilent(GUARD_SILENCE_MS, GUARD_WAIT_MAX_MS)))
      return { code: 'BUS_GARBLED', message: `${this.#name} is never silent: is there another master on the line?` };
    this.#takeLate();
    this.#dirty = false;
    const owed = () => this.#late.owed(this.#clock.monotonic());
    if (!owed().some((shape) => sameShape(shape, shapeOf(request)))) return undefined;
    const probe = this.#late.probeFor(request, this.#clock.monotonic());
    if (probe === undefined) {
      this.#dirty = true;
      return { code: 'BUS_TIMEOUT', message: `unit ${request.unit}: the answer to an earlier question may still come` };
    }
    const attempt = await this.#ask(probe);
    if (attempt.ok || attempt.fault.code === 'BUS_EXCEPTION') return undefined;
    return attempt.fault;
  }

  /** True once nothing has been heard for `silenceMs`; false when that did not happen within about `maxMs`. */
  async #untilSilent(silenceMs: number, maxMs: number): Promise<boolean> {
    for (let waitedMs = 0; waitedMs <= maxMs; waitedMs += silenceMs) {
      const chunks = this.#chunks;
      await pause(this.#scheduler, silenceMs);
      if (this.#chunks === chunks) return true;
    }
    return false;
  }

  #takeLate(): void {
    for (;;) {
      const shapes = this.#late.owed(this.#clock.monotonic());
      const found = findAnswer(this.#buffer, shapes);
      const shape = found && shapes[found.index];
      if (found === undefined || shape === undefined) break;
      this.#late.arrived(shape);
      this.#buffer = this.#buffer.subarray(found.end);
    }
    this.#buffer = Buffer.alloc(0);
  }

  async #ask(request: BusRequest): Promise<Attempt> {
    await this.#keepGap();
    const line = this.#line;
    if (line === undefined) return failed(disconnected(`${this.#name} was closed`));
    this.#buffer = Buffer.alloc(0);
    const attempt = await this.#exchange(line, request);
    this.#settle(request, attempt);
    return attempt;
  }

  /** The silence of 3.5 characters that ends a frame; without it a slave takes two questions for one broken frame. */
  async #keepGap(): Promise<void> {
    const sinceMs = this.#clock.monotonic() - this.#activeAt;
    if (sinceMs < this.#gapMs) await this.#untilSilent(this.#gapMs - sinceMs, GUARD_SILENCE_MS);
  }

  #exchange(line: ByteLine, request: BusRequest): Promise<Attempt> {
    return new Promise((resolve) => {
      let cancelGarble = () => {};
      const finish = (attempt: Attempt) => {
        cancelTimeout();
        cancelGarble();
        this.#heard = () => undefined;
        this.#cut = () => undefined;
        resolve(attempt);
      };
      const garbled = () => finish(failed(garbledFault(request, this.#buffer.length)));
      const cancelTimeout = this.#scheduler.after(request.timeoutMs, () => {
        if (this.#buffer.length > 0) garbled();
        else finish(failed(timeoutFault(request)));
      });
      this.#cut = (why) => finish(failed(disconnected(why)));
      this.#heard = () => {
        cancelGarble();
        const answer = this.#match(request);
        if (answer !== undefined) finish(answer);
        else if (this.#buffer.length >= frameBytes(shapeOf(request)))
          cancelGarble = this.#scheduler.after(GARBLE_SILENCE_MS, garbled);
      };
      void line.write(encodeQuestion(request)).then(() => {
        this.#activeAt = Math.max(this.#activeAt, this.#clock.monotonic());
      });
    });
  }

  /** The answer in the buffer, if it is there. What an earlier question is owed is taken out before. */
  #match(request: BusRequest): Attempt | undefined {
    for (;;) {
      const owed = this.#late.owed(this.#clock.monotonic());
      const shapes = [...owed, shapeOf(request)];
      const found = findAnswer(this.#buffer, shapes);
      if (found === undefined) return undefined;
      this.#buffer = this.#buffer.subarray(found.end);
      const late = owed[found.index];
      if (late !== undefined) {
        this.#late.arrived(late);
        continue;
      }
      if (found.answer.kind === 'values') return ok(valuesOf(request.table, request.count, found.answer.bytes));
      const { exception } = found.answer;
      return failed({
        code: 'BUS_EXCEPTION',
        exception,
        message: `unit ${request.unit} answered with exception ${exception}`,
      });
    }
  }

  #settle(request: BusRequest, attempt: Attempt): void {
    if (attempt.ok || attempt.fault.code === 'BUS_EXCEPTION') {
      this.#answered = true;
      this.#timeoutsInRow = 0;
      this.#backOff.succeeded();
      this.#late.settled(request);
      if (attempt.ok) this.#late.answeredWell(request);
      return;
    }
    this.#dirty = true;
    this.#late.giveUp(request, this.#clock.monotonic());
    // A serial server may keep the answer and hand it to the next connection.
    if (attempt.fault.code === 'BUS_DISCONNECTED') return;
    this.#timeoutsInRow += 1;
    if (this.#timeoutsInRow < TIMEOUTS_BEFORE_REOPEN) return;
    this.#timeoutsInRow = 0;
    void this.#drop(`${this.#name} has been silent for ${TIMEOUTS_BEFORE_REOPEN} requests`);
  }
}

function timeoutFault(request: BusRequest): BusFault {
  return { code: 'BUS_TIMEOUT', message: `unit ${request.unit} did not answer within ${request.timeoutMs} ms` };
}

function garbledFault(request: BusRequest, bytes: number): BusFault {
  return { code: 'BUS_GARBLED', message: `unit ${request.unit}: ${bytes} bytes that are no answer to the question` };
}
