// People who draw water: separate events, as a tap or a bucket makes them, never a smooth flow.
import type { PostSpec } from './post-spec.js';
import { poisson, type RandomStream } from './random.js';
import { hourOf } from './weather.js';

/** Share of the mean by hour; the sum is 24. */
const BY_HOUR = [
  0.3, 0.25, 0.2, 0.2, 0.3, 0.8, 1.6, 1.9, 1.6, 1.2, 1.0, 1.1, 1.5, 1.3, 1.0, 0.9, 1.0, 1.3, 1.7, 1.7, 1.3, 0.9, 0.6,
  0.35,
];
const MEAN_LITRES = 7.5;

interface Draw {
  readonly leftL: number;
  readonly ratePerS: number;
}

export interface DrawsState {
  readonly open: readonly Draw[];
}

export const NOBODY_DRAWS: DrawsState = { open: [] };

/** Litres that are drawn during a step if the tank has them, and the draws that go on after it. */
export function stepDraws(
  spec: PostSpec,
  draws: DrawsState,
  at: number,
  dtS: number,
  random: RandomStream,
  peopleFactor = 1,
): { readonly draws: DrawsState; readonly litres: number } {
  const { persons, litresPerDay } = spec.people;
  const weight = BY_HOUR[Math.floor(hourOf(spec.site, at))] ?? 1;
  const open = draws.open.map((draw) => ({ ...draw, forS: dtS }));
  for (
    let count = poisson((persons * peopleFactor * litresPerDay * weight * dtS) / 86_400 / MEAN_LITRES, random);
    count > 0;
    count -= 1
  ) {
    const leftL = random.between(3, 12);
    open.push({ leftL, ratePerS: random.between(6, 12) / 60, forS: dtS * random.next() });
  }
  let litres = 0;
  const after: Draw[] = [];
  for (const { leftL, ratePerS, forS } of open) {
    const drawn = Math.min(leftL, ratePerS * forS);
    litres += drawn;
    if (leftL - drawn > 1e-9) after.push({ leftL: leftL - drawn, ratePerS });
  }
  return { draws: { open: after }, litres };
}
