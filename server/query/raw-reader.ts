// Points of several series in pages that end at one time for all of them, so that one number leads to the next page.
import { failed, ok, type Result } from '#domain/result.js';
import type { Window } from '#domain/window.js';
import type { Point, SeriesName, Store, StoreFault } from '../ports.js';
import { DAY_MS } from './layout.js';

export interface RawPage {
  /** Of each series, by time: all points from the begin of the range until `end`. */
  readonly points: readonly (readonly Point[])[];
  /** Where the next page begins; the range's end on the last one. */
  readonly end: number;
}

/** A store is asked for so much at a time: what a page needs where points come each ten seconds, more where they are few. */
const SLICE_MS_MIN = 60_000;
const SLICE_MS_MAX = 8 * DAY_MS;
const POINT_MS = 10_000;

/** @param limit at most so many points of each series */
export async function readPage(
  store: Pick<Store, 'read'>,
  series: readonly SeriesName[],
  range: Window,
  limit: number,
): Promise<Result<RawPage, StoreFault>> {
  const pages: (readonly Point[])[] = [];
  let end = range.to;
  for (const name of series) {
    const read = await readSome(store, name, { from: range.from, to: end }, limit + 1);
    if (!read.ok) return read;
    pages.push(read.value);
    end = Math.min(end, read.value[limit]?.at ?? end);
  }
  return ok({ points: pages.map((points) => points.filter(({ at }) => at < end)), end });
}

/** The first `most` points, or some more. */
async function readSome(
  store: Pick<Store, 'read'>,
  name: SeriesName,
  { from, to }: Window,
  most: number,
): Promise<Result<Point[], StoreFault>> {
  const points: Point[] = [];
  let sliceMs = Math.max(SLICE_MS_MIN, Math.min(SLICE_MS_MAX, most * POINT_MS));
  for (let at = from; at < to && points.length < most; ) {
    const end = Math.min(to, at + sliceMs);
    const read = await store.read(name, at, end);
    if (!read.ok) return failed(read.fault);
    for (const point of read.value) points.push(point);
    if (read.value.length * 2 < most) sliceMs = Math.min(SLICE_MS_MAX, sliceMs * 2);
    at = end;
  }
  return ok(points);
}
