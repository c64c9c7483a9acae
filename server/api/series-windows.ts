// A long chart of a gauge, from windows.
import type { Series } from '#contract/http.js';
import type { BirthMetric } from '#contract/session.js';
import type { Window } from '#domain/window.js';
import { reasonOfGap } from '../query/columns.js';
import type { Layout } from '../query/layout.js';
import type { ApiDeps } from './deps.js';
import { orUnavailable } from './problem.js';
import { emptySeries, pushCause, pushGap } from './series-points.js';

/** Which of its samples are means of several the windows do not tell. */
export async function readSeriesWindows(
  { charts }: Pick<ApiDeps, 'charts'>,
  post: string,
  metric: BirthMetric,
  layout: Layout,
  range: Window,
): Promise<Series> {
  const series = emptySeries(metric);
  const read = orUnavailable(await charts.read({ post, device: metric.device, metric: metric.metric }, layout, range));
  const { frames = [], gaps = [], whole, windows = [] } = read ?? {};
  for (const [index, { from }] of frames.entries()) {
    const window = windows[index];
    const known = window?.kind === 'gauge' ? window : { mean: null, min: null, max: null };
    series.at.push(from);
    series.mean.push(known.mean);
    series.min.push(known.min);
    series.max.push(known.max);
  }
  for (const { code = null, from, to } of gaps) {
    pushGap(series.gaps, [from, to]);
    pushCause(series.gapCauses, { from, to, reason: reasonOfGap(code) });
  }
  return { ...series, coverage: whole?.coverage ?? 0 };
}
