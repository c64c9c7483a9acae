// What a device has taught us about its own requests: lengths it cannot do, addresses it refuses, blocks that are ill.
import type { Reason } from '#domain/quality.js';
import type { Profile, Register } from '#profiles/profile.js';
import { addressStepOf } from '../decode/word-image.js';
import { bundlesOf, type PlanOptions, type ReadBlock } from './plan.js';

/** A refused register is asked for again after so long: firmware is updated, and exceptions can be mistaken. */
const REFUSED_AGAIN_MS = 3_600_000;
/** A block that fails among others that answer is asked for again after its failures' square in polls, at most this. */
const ILL_AGAIN_MAX_MS = 300_000;
/** One lost frame is noise; two of the same block, while others answer, are a length that the device cannot do. */
const TIMEOUTS_BEFORE_HALVING = 2;

/** True before `until`. A clock that was set back must not make a wait of minutes one of years. */
export function isWaiting(at: number, until: number, waitMaxMs: number): boolean {
  return at < until && until - at <= waitMaxMs;
}

interface Illness {
  readonly failures: number;
  readonly againAt: number;
  readonly reason: Reason;
}

export interface Learnt {
  /** Rises with every lesson, so that plans made before can be thrown away. */
  readonly version: number;
  readonly plan: Pick<PlanOptions, 'refused' | 'cuts'> & { readonly maxRegisters: number };
  /** Why this register is not asked for now; `undefined` where it may be. */
  refusal(register: Register, at: number): Reason | undefined;
  /** Why this block is left alone at this poll; `undefined` where it is asked for. */
  illness(block: ReadBlock, at: number): Reason | undefined;
  answered(block: ReadBlock): void;
  /** The block did not come while others did. */
  failed(block: ReadBlock, reason: Reason, at: number, pollPeriodMs: number): void;
  /**
   * The device refuses this block (exception 2, or 3 for its length). Returns true when the block has been cut in two and
   * is worth asking for again at once; false when it was a single one and is now known as refused.
   */
  refuses(block: ReadBlock, exception: number, at: number): boolean;
}

export function createLearnt(profile: Profile): Learnt {
  const refusedAddresses = new Set<string>();
  const refusedUntil = new Map<Register, number>();
  const cuts = new Set<string>();
  const illnesses = new Map<string, Illness>();
  const step = addressStepOf(profile);
  let maxRegisters = profile.protocol.maxRegisters;
  let version = 0;

  function halve(count: number): void {
    maxRegisters = Math.max(1, Math.min(maxRegisters, count >> 1));
    version += 1;
  }

  function forgetRefusal(register: Register): void {
    refusedUntil.delete(register);
    for (const address of wordsOf(profile, register)) refusedAddresses.delete(address);
    version += 1;
  }

  return {
    get version() {
      return version;
    },
    get plan() {
      return { refused: refusedAddresses, cuts, maxRegisters };
    },
    refusal(register, at) {
      const until = refusedUntil.get(register);
      if (until === undefined) return undefined;
      if (isWaiting(at, until, REFUSED_AGAIN_MS)) return 'exception';
      forgetRefusal(register);
      return undefined;
    },
    illness(block, at) {
      const known = illnesses.get(keyOf(block));
      return known !== undefined && isWaiting(at, known.againAt, ILL_AGAIN_MAX_MS) ? known.reason : undefined;
    },
    answered(block) {
      illnesses.delete(keyOf(block));
    },
    failed(block, reason, at, pollPeriodMs) {
      const failures = (illnesses.get(keyOf(block))?.failures ?? 0) + 1;
      if (
        reason === 'timeout' &&
        failures >= TIMEOUTS_BEFORE_HALVING &&
        bundlesOf(profile, block.registers).length > 1
      ) {
        illnesses.delete(keyOf(block));
        halve(block.count);
        return;
      }
      const waitMs = failures < 2 ? 0 : Math.min(ILL_AGAIN_MAX_MS, pollPeriodMs * failures ** 2);
      illnesses.set(keyOf(block), { failures, againAt: at + waitMs, reason });
    },
    refuses(block, exception, at) {
      const bundles = bundlesOf(profile, block.registers).sort((a, b) => a.from - b.from);
      // Exception 1 is about the function, so no part of the block fares better.
      if (bundles.length > 1 && exception !== 1) {
        if (exception === 3) halve(block.count);
        else cuts.add(`${block.table}:${widestGap(bundles) * step}`);
        version += 1;
        return true;
      }
      for (const register of block.registers) {
        refusedUntil.set(register, at + REFUSED_AGAIN_MS);
        for (const address of wordsOf(profile, register)) refusedAddresses.add(address);
      }
      version += 1;
      return false;
    },
  };
}

function keyOf(block: ReadBlock): string {
  return `${block.table}:${block.start}:${block.count}`;
}

function wordsOf(profile: Profile, register: Register): string[] {
  const step = addressStepOf(profile);
  return bundlesOf(profile, [register]).flatMap(({ table, from, to }) =>
    Array.from({ length: to - from + 1 }, (_, index) => `${table}:${(from + index) * step}`),
  );
}

/** Where to cut: at the widest gap, which is the likeliest thing to be refused, else in the middle. */
function widestGap(bundles: readonly { readonly from: number; readonly to: number }[]): number {
  const gaps = bundles.slice(1).map((bundle, index) => ({
    at: bundle.from,
    width: bundle.from - Math.max(...bundles.slice(0, index + 1).map(({ to }) => to)) - 1,
  }));
  const widest = Math.max(...gaps.map(({ width }) => width));
  const candidates = gaps.filter(({ width }) => width === Math.max(widest, 0));
  return (candidates[candidates.length >> 1] ?? gaps[gaps.length >> 1])?.at ?? 0;
}
