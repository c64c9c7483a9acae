// Rollups for a store in memory: the points are read, and worked out here.
import { isMeasured } from '#domain/quality.js';
import { ok, type Result } from '#domain/result.js';
import { lookBackMs, rollUpSeries, type SeriesRollup } from '#domain/series-rollup.js';
import type { Point, RollupQuestion, SeriesName, Store, StoreFault } from '#server/ports.js';
import { columnsOf } from '#server/store/point-columns.js';

/** So far back is looked for the point that says why nothing is known. */
const WHY_MS_MAX = 35 * 86_400_000;

/** Answers {@link Store.rollUp} by `read` and `lastBefore`, one question after the other. */
export async function rollUpByReading(
  store: Pick<Store, 'read' | 'lastBefore'>,
  questions: readonly RollupQuestion[],
): Promise<Result<readonly SeriesRollup[], StoreFault>> {
  const answers: SeriesRollup[] = [];
  for (const question of questions) {
    const from = question.from - lookBackMs(question);
    const before = await lastMeasuredBefore(store, question.series, from);
    if (!before.ok) return before;
    // Behind it there may be one that tells why nothing is known since.
    const whyFrom = Math.max((before.value?.at ?? 0) + 1, from - WHY_MS_MAX);
    const why = question.withGaps === true ? await store.read(question.series, whyFrom, from) : ok([]);
    if (!why.ok) return why;
    const read = await store.read(question.series, from, question.to);
    if (!read.ok) return read;
    const points = [...(before.value === undefined ? [] : [before.value]), ...why.value.slice(-1), ...read.value];
    answers.push(rollUpSeries(columnsOf(points), question));
  }
  return ok(answers);
}

/** The newest measured point before `at`: behind it there are only points without a value, or in doubt. */
async function lastMeasuredBefore(
  store: Pick<Store, 'lastBefore'>,
  series: SeriesName,
  at: number,
): Promise<Result<Point | undefined, StoreFault>> {
  for (let before = at; ; ) {
    const found = await store.lastBefore(series, before);
    if (!found.ok || found.value === undefined || isMeasured(found.value.code)) return found;
    before = found.value.at;
  }
}
