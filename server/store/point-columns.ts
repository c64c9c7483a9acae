import type { SeriesColumns } from '#domain/series-rollup.js';
import type { Point } from '../ports.js';

/** Points of one series, by time, as the domain rolls them up. */
export function columnsOf(points: readonly Point[]): SeriesColumns {
  return {
    times: points.map(({ at }) => at),
    values: points.map(({ value }) => value),
    codes: points.map(({ code }) => code),
  };
}
