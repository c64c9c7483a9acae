// The values that stores are measured with: 200 posts of 60 metrics each 10 s, mixed as devices mix them. Deterministic.
import type { Point } from '#server/ports.js';

export const POSTS = 200;
export const METRICS = 60;
export const PERIOD_MS = 10_000;
/** Rows of one flush; a row is all metrics of a post at one time. */
export const ROWS = 100;
export const FLUSH_VALUES = ROWS * METRICS;
/** Live data begins here; what is older is backfilled. */
export const LIVE_FROM = Date.UTC(2026, 0, 1);
export const DAY_MS = 86_400_000;

export const DEVICE = 'device';
export const postName = (post: number): string => `post-${String(post).padStart(3, '0')}`;
/** Outside the vocabulary, so that the first value decides the type. */
export const metricName = (metric: number): string => `bench.m${String(metric).padStart(2, '0')}`;

const TAU = 2 * Math.PI;

/**
 * A post's metric at a step of time: 10 counters, 20 values with two decimals, 15 with one, 7 floats of 32 bits, 4 small integers,
 * 3 switches, 1 state.
 */
export function madeValue(post: number, metric: number, step: number): number | string {
  const noise = hash(post * 60 + metric, step);
  const wave = Math.sin((TAU * step) / 8640 + post + metric);
  if (metric < 10) return 100_000 * (post + 1) + step * (3 + (metric % 5)) + Math.floor(noise * 3);
  if (metric < 30) return Math.round(23_000 + 900 * wave + 40 * noise) / 100;
  if (metric < 45) return Math.round(480 + 90 * wave + 8 * noise) / 10;
  if (metric < 52) return Math.fround(5000 + 3000 * wave + 20 * noise);
  if (metric < 56) return Math.floor(step / 300 + metric) % 6;
  if (metric < 59) return Math.floor(step / 900 + metric) % 2;
  return step % 2000 < 1500 ? 'running' : 'standby';
}

/** 0 ≤ hash < 1 */
function hash(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return ((h ^ (h >>> 13)) >>> 0) / 4_294_967_296;
}

export interface Row {
  readonly post: number;
  readonly step: number;
}

/** All posts in turns, from the first live moment on. */
export function liveRow(row: number): Row {
  return { post: row % POSTS, step: Math.floor(row / POSTS) };
}

/** Points of one flush that are filled anew for each: what a store is given costs no memory of its own. */
export class FlushPoints {
  readonly points: { -readonly [K in keyof Point]: Point[K] }[] = Array.from({ length: FLUSH_VALUES }, (_, i) => ({
    post: '',
    device: DEVICE,
    metric: metricName(i % METRICS),
    at: 0,
    value: 0,
    code: 0,
  }));

  fill(rows: readonly Row[], from: number): void {
    let next = 0;
    for (const { post, step } of rows) {
      const name = POST_NAMES[post] ?? '';
      const at = from + step * PERIOD_MS;
      for (let metric = 0; metric < METRICS; metric += 1) {
        const point = this.points[next];
        if (point === undefined) return;
        point.post = name;
        point.at = at;
        point.value = madeValue(post, metric, step);
        next += 1;
      }
    }
  }
}

const POST_NAMES = Array.from({ length: POSTS }, (_, post) => postName(post));

/** Rows of the flush with this number. */
export function rowsOfFlush(flush: number, rowOf: (row: number) => Row): Row[] {
  return Array.from({ length: ROWS }, (_, i) => rowOf(flush * ROWS + i));
}
