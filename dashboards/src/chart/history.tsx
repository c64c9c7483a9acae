// The charts of a post: one request, up to four figures, one cursor.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { SeriesResponse } from '#contract/http.js';
import { DAY_MS, formatTime } from '#texts/format.js';
import { useApp } from '../app.js';
import { type ApiFault, fetchSeries } from '../live/api.js';
import { type ChartName, chartData, chartsOf, SERIES_MAX, seriesWanted, speakersOf } from '../model/history.js';
import type { PostDetail } from '../model/live-state.js';
import { ChartFigure } from './chart-figure.js';

export interface HistoryProps {
  readonly detail: PostDetail;
  readonly zone: string;
  readonly isBackfilling: boolean;
}

const RANGES = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS } as const;
type RangeName = keyof typeof RANGES;

/** More than a phone has pixels for, fewer than would cost its owner money. */
const POINTS = 200;
const REFRESH_MS = { live: 5 * 60_000, saver: 15 * 60_000, satellite: 30 * 60_000 } as const;
/** While older data is arriving, whoever looks wants to see it arrive. */
const REFRESH_BACKFILLING_MS = 20_000;

export function History({ detail, zone, isBackfilling }: HistoryProps) {
  const { texts } = useApp();
  const range = useSignal<RangeName>('day');
  const speakers = useMemo(() => speakersOf(detail.devices, detail.metrics), [detail.devices, detail.metrics]);
  const wanted = useMemo(() => seriesWanted(speakers, SERIES_MAX), [speakers]);
  const { response, fault, reload } = useSeries(detail.post, wanted, RANGES[range.value], isBackfilling);
  if (wanted.length === 0) return null;
  return (
    <section class="history">
      <HistoryHead range={range} response={response} zone={zone} />
      {fault !== null && (
        <p class="problem" role="status">
          {texts.value.chart.failed} {fault.kind === 'refused' && fault.message}{' '}
          <button type="button" onClick={reload}>
            {texts.value.app.reload}
          </button>
        </p>
      )}
      {response === null && fault === null && <p class="waiting">{texts.value.chart.loading}</p>}
      {response !== null && (
        <div class="charts">
          {chartsOf(speakers).map((name: ChartName) => (
            <ChartFigure key={name} data={chartData(name, response, speakers)} zone={zone} />
          ))}
        </div>
      )}
    </section>
  );
}

function HistoryHead(props: { range: { value: RangeName }; response: SeriesResponse | null; zone: string }) {
  const { texts } = useApp();
  const { range, response, zone } = props;
  const { chart: words, time } = texts.value;
  return (
    <div class="history-head">
      <fieldset class="segments">
        <legend class="sr-only">{words.range}</legend>
        {(Object.keys(RANGES) as RangeName[]).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={range.value === name}
            onClick={() => {
              range.value = name;
            }}
          >
            {words.ranges[name]}
          </button>
        ))}
      </fieldset>
      <span class="muted small">
        {response !== null && `${words.updated(formatTime(response.to, zone))}, `}
        {time.inZone(zone)}
      </span>
    </div>
  );
}

interface SeriesState {
  readonly response: SeriesResponse | null;
  readonly fault: ApiFault | null;
  readonly reload: () => void;
}

/** Asks again every few minutes of the app's clock, and at once when the question changes. The last answer stays until the next. */
function useSeries(post: string, metrics: readonly string[], rangeMs: number, isBackfilling: boolean): SeriesState {
  const { fetcher, now, rate } = useApp();
  const response = useSignal<SeriesResponse | null>(null);
  const fault = useSignal<ApiFault | null>(null);
  const forced = useSignal(0);
  const question = useSignal('');
  const asked = `${post} ${metrics.join()} ${rangeMs}`;
  const asking = useSignal({ asked, post, metrics, rangeMs, isBackfilling });
  if (asking.peek().asked !== asked || asking.peek().isBackfilling !== isBackfilling)
    asking.value = { asked, post, metrics, rangeMs, isBackfilling };
  useSignalEffect(() => {
    const current = asking.value;
    const everyMs = current.isBackfilling ? REFRESH_BACKFILLING_MS : REFRESH_MS[rate.value];
    const key = `${current.asked} ${forced.value} ${Math.floor(now.value / everyMs)}`;
    if (question.peek() === key || current.metrics.length === 0) return;
    question.value = key;
    const to = Math.floor(now.peek());
    void fetchSeries(fetcher, { ...current, from: to - current.rangeMs, to, points: POINTS }).then((result) => {
      // An answer to an older question comes too late.
      if (question.peek() !== key) return;
      fault.value = result.ok ? null : result.fault;
      if (result.ok) response.value = result.value;
    });
  });
  return {
    response: response.value,
    fault: fault.value,
    reload() {
      forced.value += 1;
    },
  };
}
