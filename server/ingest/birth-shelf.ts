// The last births of a post by their number, so that data is placed by the birth that it was made under and by no other.
import type { Birth, BirthMetric } from '#contract/session.js';

/** What of a metric decides where a sample goes. */
export type PlacedMetric = Pick<BirthMetric, 'device' | 'metric' | 'kind'>;

export type MetricsByIndex = ReadonlyMap<number, PlacedMetric>;

/** What is remembered of a birth. */
export interface Placing {
  /** The birth's number. */
  readonly number: number;
  /** Epoch of the gateway's start that told it. */
  readonly gateway: string;
  /** `undefined`: two births with this number told different things. Nothing can be placed by it; the next birth has another. */
  readonly metrics: MetricsByIndex | undefined;
}

export interface BirthShelf {
  /** Keeps a birth; true when something about placing has changed. */
  take(placing: Placing): boolean;
  /** Whose data this is; `undefined` for a number that is not known. */
  find(number: number): Placing | undefined;
  /** Oldest first. */
  all(): readonly Placing[];
}

/**
 * @param max births kept. The first to go are those after which the same start of the gateway told another.
 */
export function createBirthShelf(max: number, known: readonly Placing[] = []): BirthShelf {
  let kept: readonly Placing[] = known;
  return {
    take(placing) {
      const present = kept.find(({ number }) => number === placing.number);
      if (present === undefined) {
        kept = dropOldest([...kept, shareMetrics(placing, kept)], max);
        return true;
      }
      if (present.metrics === undefined || placing.metrics === undefined) return false;
      const isSame = haveSameMetrics(present.metrics, placing.metrics);
      if (isSame && present.gateway === placing.gateway) return false;
      const next = { ...placing, metrics: isSame ? present.metrics : undefined };
      kept = [...kept.filter((other) => other !== present), next];
      return true;
    },
    find: (number) => kept.find((placing) => placing.number === number),
    all: () => kept,
  };
}

/** What a birth says about places. The caller has checked that its indexes are unique. */
export function placingOf(birth: Birth): Placing & { readonly metrics: MetricsByIndex } {
  const metrics = birth.metrics.map(({ index, device, metric, kind }) => [index, { device, metric, kind }] as const);
  return { number: birth.birth, gateway: birth.gateway.epoch, metrics: new Map(metrics) };
}

/** Most births of a post differ in their number only: they share one map. */
function shareMetrics(placing: Placing, others: readonly Placing[]): Placing {
  const { metrics } = placing;
  if (metrics === undefined) return placing;
  const same = others.find((other) => other.metrics !== undefined && haveSameMetrics(other.metrics, metrics));
  return same === undefined ? placing : { ...placing, metrics: same.metrics };
}

function dropOldest(placings: readonly Placing[], max: number): readonly Placing[] {
  if (placings.length <= max) return placings;
  const superseded = placings.findIndex(({ gateway }, i) =>
    placings.slice(i + 1).some((later) => later.gateway === gateway),
  );
  const leaving = Math.max(0, superseded);
  return placings.filter((_, i) => i !== leaving);
}

function haveSameMetrics(one: MetricsByIndex, other: MetricsByIndex): boolean {
  if (one === other) return true;
  if (one.size !== other.size) return false;
  for (const [index, { device, metric, kind }] of one) {
    const found = other.get(index);
    if (found?.device !== device || found.metric !== metric || found.kind !== kind) return false;
  }
  return true;
}
