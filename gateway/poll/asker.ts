// Puts questions to one device: with its time-out and pauses, and an account of what came.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Result } from '#domain/result.js';
import type { Profile, Table } from '#profiles/profile.js';
import { pause } from '../bus/real-time.js';
import type { Bus, BusFault } from '../ports.js';

export interface Question {
  readonly table: Table;
  readonly start: number;
  readonly count: number;
}

/** Requests since the start, by how they ended, and how long the last answer took. */
export interface AskerCounts {
  timeouts: number;
  exceptions: number;
  garbled: number;
  latencyMs: number | null;
}

export interface Asker {
  ask(question: Question): Promise<Result<readonly number[], BusFault>>;
  readonly counts: Readonly<AskerCounts>;
}

export interface AskerOptions {
  readonly bus: Bus;
  readonly profile: Profile;
  readonly unit: number;
  /** Where the profile has none. */
  readonly timeoutMs: number;
  readonly pauseMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** A converter says so for a device that is not there: path or target of the gateway unavailable. */
const ABSENT = new Set([10, 11]);

export function createAsker(options: AskerOptions): Asker {
  const { bus, profile, clock } = options;
  const { protocol } = profile;
  const counts: AskerCounts = { timeouts: 0, exceptions: 0, garbled: 0, latencyMs: null };
  let restedAt = Number.NEGATIVE_INFINITY;

  async function rest(): Promise<void> {
    const waitMs = options.pauseMs - (clock.monotonic() - restedAt);
    if (options.pauseMs > 0 && waitMs > 0) await pause(options.scheduler, Math.min(waitMs, options.pauseMs));
  }

  async function once(question: Question): Promise<Result<readonly number[], BusFault>> {
    await rest();
    const askedAt = clock.monotonic();
    const attempt = await bus.read({
      ...question,
      unit: options.unit,
      timeoutMs: protocol.timeoutMs ?? options.timeoutMs,
      ...(protocol.replyUnit !== undefined && { replyUnit: protocol.replyUnit }),
    });
    restedAt = clock.monotonic();
    if (attempt.ok) counts.latencyMs = restedAt - askedAt;
    return attempt.ok ? attempt : count(counts, attempt.fault);
  }

  return {
    counts,
    async ask(question) {
      const attempt = await once(question);
      // A frame damaged on the way says nothing about the device; a second try costs one frame.
      return !attempt.ok && attempt.fault.code === 'BUS_GARBLED' ? once(question) : attempt;
    },
  };
}

function count(counts: AskerCounts, fault: BusFault): Result<readonly number[], BusFault> {
  const absent = fault.code === 'BUS_EXCEPTION' && ABSENT.has(fault.exception ?? 0);
  const told: BusFault = absent
    ? {
        code: 'BUS_TIMEOUT',
        message: `the converter says that the device does not answer (exception ${fault.exception})`,
      }
    : fault;
  if (told.code === 'BUS_TIMEOUT') counts.timeouts += 1;
  else if (told.code === 'BUS_EXCEPTION') counts.exceptions += 1;
  else if (told.code === 'BUS_GARBLED') counts.garbled += 1;
  return { ok: false, fault: told };
}
