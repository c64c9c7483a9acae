// What the post consumes without its pump: a base that follows the day, and appliances that come and go.
import type { PostSpec } from './post-spec.js';
import { type RandomStream, wander } from './random.js';
import { dayOf, hourOf, seasonOf } from './weather.js';

/** Share of the mean by hour: night watch, breakfast, an evening with light, television and heating. */
const BY_HOUR = [
  0.72, 0.7, 0.68, 0.68, 0.7, 0.82, 1.02, 1.14, 1.1, 1.0, 0.96, 0.96, 1.04, 1.02, 0.96, 0.94, 0.98, 1.12, 1.36, 1.5,
  1.46, 1.3, 1.06, 0.78,
];
const MEAN_ON_S = 240;

export interface LoadState {
  /** Wandering part, of unit variance. */
  readonly drift: number;
  /** Seconds that each running appliance still has. */
  readonly appliancesS: readonly number[];
  /** Power asked for, W, without the pump. */
  readonly wantedW: number;
}

export const QUIET_LOAD: LoadState = { drift: 0, appliancesS: [], wantedW: 0 };

export function stepLoad(spec: PostSpec, load: LoadState, at: number, dtS: number, random: RandomStream): LoadState {
  const drift = wander(load.drift, dtS, 120, random);
  const byHour = atHour(BY_HOUR, hourOf(spec.site, at)) * bySeason(spec, at);
  const expected = (spec.load.appliancesPerDay * byHour * dtS) / 86_400;
  const running = load.appliancesS.map((left) => left - dtS).filter((left) => left > 0);
  // More than one start in a step is too rare to matter and would make the step's length visible.
  if (random.next() < 1 - Math.exp(-expected)) running.push(MEAN_ON_S * random.between(0.4, 1.6));
  const baseW = Math.max(0, spec.load.meanW * byHour * (1 + 0.06 * drift));
  return { drift, appliancesS: running, wantedW: baseW + running.length * spec.load.applianceW };
}

/** More in the cold months, and at the end of the week. */
function bySeason({ load, site }: PostSpec, at: number): number {
  // Day 0 of the epoch was a Thursday.
  const weekday = (((dayOf(site, at) + 4) % 7) + 7) % 7;
  const weekend = weekday === 0 || weekday === 6 ? 1 + load.weekendShare : 1 - 0.4 * load.weekendShare;
  return weekend * (1 - load.winterShare * seasonOf(site, at));
}

/** A curve of 24 hourly values, read between the middles of its hours. */
export function atHour(curve: readonly number[], hour: number): number {
  const position = hour - 0.5;
  const low = Math.floor(position);
  const share = position - low;
  const value = (index: number): number => curve[(index + curve.length) % curve.length] ?? 0;
  return value(low) * (1 - share) + value(low + 1) * share;
}
