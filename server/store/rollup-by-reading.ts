// Rollups for a store that cannot work them out where its points are: the points are read, and worked out here.
import { failed, ok, type Result } from '#domain/result.js';
import { lookBackMs, rollUpSeries, type SeriesColumns, type SeriesRollup } from '#domain/series-rollup.js';
import type { Point, RollupQuestion, Store, StoreFault } from '../ports.js';

/** Answers {@link Store.rollUp} by `read` and `lastBefore`, one question after the other. */
export async function rollUpByReading(
  store: Pick<Store, 'read' | 'lastBefore'>,
  questions: readonly RollupQuestion[],
): Promise<Result<readonly SeriesRollup[], StoreFault>> {
  const answers: SeriesRollup[] = [];
  for (const question of questions) {
    const from = question.from - lookBackMs(question);
    const before = await store.lastBefore(question.series, from);
    if (!before.ok) return failed(before.fault);
    const read = await store.read(question.series, from, question.to);
    if (!read.ok) return failed(read.fault);
    const points = before.value === undefined ? read.value : [before.value, ...read.value];
    answers.push(rollUpSeries(columnsOf(points), question));
  }
  return ok(answers);
}

export function columnsOf(points: readonly Point[]): SeriesColumns {
  return {
    times: points.map(({ at }) => at),
    values: points.map(({ value }) => value),
    codes: points.map(({ code }) => code),
  };
}
