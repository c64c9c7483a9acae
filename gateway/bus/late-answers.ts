// Questions that were given up and may still be answered. RTU has no transaction number, so a late answer can only be told
// from the next one's by its shape; while one of the same shape may come, the same question must not be put.
import type { BusRequest } from '../ports.js';
import { type Shape, sameShape, shapeOf } from './rtu-frame.js';

interface Owed {
  readonly shape: Shape;
  readonly at: number;
}

export interface LateAnswers {
  /** Shapes that may still come, oldest first. Slaves answer in the order they were asked. */
  owed(at: number): readonly Shape[];
  giveUp(request: BusRequest, at: number): void;
  /** An answer of this shape came: it and all that the same unit owed before it are settled. */
  arrived(shape: Shape): void;
  /** A question was answered: slaves answer in order, so its unit owes nothing older. */
  settled(request: BusRequest): void;
  /** Remembers a question that a device has answered well, to be put again as a probe. */
  answeredWell(request: BusRequest): void;
  /**
   * A question of another shape than anything owed and than the request itself, which the device is known to take: one
   * that it has answered before, else a part of the request. `undefined` where there is none.
   */
  probeFor(request: BusRequest, at: number): BusRequest | undefined;
}

/** After so long a device does not answer any more. */
const OWED_MS = 5000;
const OWED_MAX = 32;
const GOOD_QUESTIONS_PER_UNIT = 4;
const UNITS_MAX = 256;

export function createLateAnswers(): LateAnswers {
  let debts: Owed[] = [];
  const good = new Map<number, BusRequest[]>();
  const owed = (at: number) => {
    debts = debts.filter((debt) => at - debt.at < OWED_MS);
    return debts.map((debt) => debt.shape);
  };
  return {
    owed,
    giveUp(request, at) {
      debts = [...debts, { shape: shapeOf(request), at }].slice(-OWED_MAX);
    },
    arrived(shape) {
      const index = debts.findIndex((debt) => sameShape(debt.shape, shape));
      debts = debts.filter((debt, position) => position > index || debt.shape.unit !== shape.unit);
    },
    settled(request) {
      const { unit } = shapeOf(request);
      debts = debts.filter((debt) => debt.shape.unit !== unit);
    },
    answeredWell(request) {
      const known = good.get(request.unit) ?? [];
      const others = known.filter((other) => !sameShape(shapeOf(other), shapeOf(request)));
      if (known.length === 0 && good.size >= UNITS_MAX) return;
      good.set(request.unit, [request, ...others].slice(0, GOOD_QUESTIONS_PER_UNIT));
    },
    probeFor(request, at) {
      const taken = [...owed(at), shapeOf(request)];
      const distinct = (probe: BusRequest) => !taken.some((shape) => sameShape(shape, shapeOf(probe)));
      const before = (good.get(request.unit) ?? []).map((question) => ({ ...question, timeoutMs: request.timeoutMs }));
      return [...before, ...partsOf(request)].find(distinct);
    },
  };
}

/** The request's beginning in other lengths: whole pairs first, because some devices refuse odd counts. */
function partsOf(request: BusRequest): BusRequest[] {
  const shorter = Array.from({ length: request.count - 1 }, (_, index) => request.count - 1 - index);
  const evenFirst = [...shorter.filter((count) => count % 2 === 0), ...shorter.filter((count) => count % 2 === 1)];
  return evenFirst.map((count) => ({ ...request, count }));
}
