// One chart with everything that a picture alone does not say: facts in words, gaps, and the same as a table.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Texts } from '#texts/en.js';
import { DAY_MS, formatDateTime, formatDuration, formatShare, formatTime, formatValue } from '#texts/format.js';
import { useApp } from '../app.js';
import { type ChartData, type ChartLine, causeAt, causeWords, factsOf, missingOfAll } from '../model/history.js';
import { createPlot, type Plot, type PlotCursor } from './uplot.js';

const ROWS_MAX = 200;

export function ChartFigure({ data, zone }: { data: ChartData; zone: string }) {
  const { texts } = useApp();
  const asTable = useSignal(false);
  const { chart: words } = texts.value;
  const isEmpty = data.lines.every((line) => line.mean.every((value) => value === null));
  return (
    <figure class="chart">
      <figcaption>
        <h3>{words[data.name]}</h3>
        <button
          type="button"
          class="quiet"
          aria-pressed={asTable.value}
          onClick={() => {
            asTable.value = !asTable.value;
          }}
        >
          {asTable.value ? words.asChart : words.asTable}
        </button>
        <Facts data={data} />
      </figcaption>
      {asTable.value ? (
        <ChartTable data={data} zone={zone} />
      ) : isEmpty ? (
        <p class="waiting">{words.empty}</p>
      ) : (
        <Canvas data={data} zone={zone} />
      )}
      {!asTable.value && <Gaps data={data} zone={zone} />}
    </figure>
  );
}

/** Mean, extremes, newest value, share measured and gaps of every line. */
function Facts({ data }: { data: ChartData }) {
  const { texts } = useApp();
  const { chart: words } = texts.value;
  return (
    <ul class="facts">
      {data.lines.map((line, index) => (
        <li key={line.name}>
          <i class={`swatch s${index + 1}`} aria-hidden="true" />
          <LineFactsView line={line} />
        </li>
      ))}
      {data.clearSkyWh !== null && data.measuredWh !== null && (
        <li>
          <i class="swatch sky" aria-hidden="true" />
          {data.clearSkyWh > 0 && (
            <strong>{words.ofClearSky(formatShare(data.measuredWh / data.clearSkyWh, texts.value))}</strong>
          )}{' '}
          <span class="muted">
            {formatValue(data.measuredWh, 'Wh', texts.value)},{' '}
            {words.clearSkyEnergy(formatValue(data.clearSkyWh, 'Wh', texts.value))}
          </span>
        </li>
      )}
    </ul>
  );
}

function LineFactsView({ line }: { line: ChartLine }) {
  const { texts } = useApp();
  const { chart: words, flows } = texts.value;
  const { min, max, mean, last } = factsOf(line);
  const value = (number: number | null): string => formatValue(number, line.unit, texts.value);
  const parts = [
    ...(last === null ? [] : [words.between(value(min), value(max)), words.mean(value(mean))]),
    words.measured(formatShare(line.coverage, texts.value)),
    ...(line.gaps.length === 0 ? [] : [words.gaps(line.gaps.length)]),
    ...(line.isAggregated ? [words.aggregated] : []),
  ];
  return (
    <>
      {flows[line.name]}: {last !== null && <strong>{words.last(value(last))}</strong>}{' '}
      <span class="muted">{parts.join(', ')}</span>
    </>
  );
}

/** Why data is missing, and how much of it, for those who cannot point into the picture. */
function Gaps({ data, zone }: { data: ChartData; zone: string }) {
  const { texts } = useApp();
  const { chart: words, flows } = texts.value;
  const rows = missingOfAll(data.lines);
  if (rows.length === 0) return null;
  return (
    <ul class="facts gap-causes">
      {rows.map(({ names, reason, ms, times, from }) => (
        <li key={`${names} ${reason}`}>
          <i class={`swatch none${reason === 'expired' ? ' lost' : ''}`} aria-hidden="true" />
          {names.map((name) => flows[name]).join(', ')}:{' '}
          {words.because(words.noData(formatDuration(ms, texts.value)), causeWords(reason, texts.value))}{' '}
          <span class="muted">
            {times > 1
              ? `(${words.gaps(times)}, ${words.longest(formatDateTime(from, zone, texts.value))})`
              : `(${formatDateTime(from, zone, texts.value)})`}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Canvas({ data, zone }: { data: ChartData; zone: string }) {
  const app = useApp();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const cursor = useSignal<PlotCursor | null>(null);
  const isZoomed = useSignal(false);
  const latest = useRef(data);
  latest.current = data;

  // A plot is made anew when colours or words change; data alone is handed over.
  useSignalEffect(() => {
    app.theme.value;
    const texts = app.texts.value;
    const element = host.current;
    if (element === null) return;
    const made = createPlot(element, latest.current, {
      zone,
      texts,
      onCursor: (position) => {
        cursor.value = position;
      },
      onZoom: (zoomed) => {
        isZoomed.value = zoomed;
      },
    });
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  });
  useEffect(() => plot.current?.update(data), [data]);
  const { chart: words } = app.texts.value;
  return (
    <>
      <div class="plot" ref={host} />
      <div class="plot-foot">
        <p class="readout" aria-live="polite">
          {cursor.value === null ? (
            <span class="keys">{words.keys}</span>
          ) : (
            readout(data, cursor.value.index, zone, app.texts.value)
          )}
        </p>
        {isZoomed.value && (
          <button type="button" class="quiet" onClick={() => plot.current?.showAll()}>
            {words.zoomOut}
          </button>
        )}
      </div>
    </>
  );
}

/** What stands under the cursor, in words. */
function readout(data: ChartData, index: number, zone: string, texts: Texts): string {
  const at = data.at[index];
  if (at === undefined) return '';
  const values = data.lines.map((line) => {
    const mean = line.mean[index] ?? null;
    const range = rangeWords(line, index, texts);
    const cause = mean === null ? causeAt(line, at) : undefined;
    const why = cause === undefined ? '' : ` (${causeWords(cause.reason, texts)})`;
    return `${texts.flows[line.name]} ${formatValue(mean, line.unit, texts)}${range}${why}`;
  });
  const sky = data.clearSky?.[index];
  if (sky !== undefined && sky !== null) values.push(`${texts.chart.clearSky} ${formatValue(sky, 'W', texts)}`);
  const time = data.to - data.from > DAY_MS ? formatDateTime(at, zone, texts) : formatTime(at, zone);
  return `${time}: ${values.join(', ')}`;
}

function rangeWords(line: ChartLine, index: number, texts: Texts): string {
  const min = line.min[index] ?? null;
  const max = line.max[index] ?? null;
  if (min === null || max === null || min === max) return '';
  return ` (${formatValue(min, line.unit, texts)} … ${formatValue(max, line.unit, texts)})`;
}

function ChartTable({ data, zone }: { data: ChartData; zone: string }) {
  const { texts } = useApp();
  const { chart: words, flows } = texts.value;
  const step = Math.max(1, Math.ceil(data.at.length / ROWS_MAX));
  const rows = data.at.map((at, index) => ({ at, index })).filter(({ index }) => index % step === 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section class="table-scroll" tabIndex={0} aria-label={words[data.name]}>
      <table class="values">
        <thead>
          <tr>
            <th scope="col">{words.time}</th>
            {data.lines.map((line) => (
              <th scope="col" key={line.name}>
                {flows[line.name]}
              </th>
            ))}
            {data.clearSky !== null && <th scope="col">{words.clearSky}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, index }) => (
            <tr key={at}>
              <th scope="row">{formatDateTime(at, zone, texts.value)}</th>
              {data.lines.map((line) => (
                <td key={line.name}>{formatValue(line.mean[index] ?? null, line.unit, texts.value)}</td>
              ))}
              {data.clearSky !== null && <td>{formatValue(data.clearSky[index] ?? null, 'W', texts.value)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {data.lines.flatMap((line) =>
        line.causes.map(({ from, to, reason }) => (
          <p class="muted small" key={`${line.name}${from}`}>
            {flows[line.name]}:{' '}
            {words.because(words.noData(formatDuration(to - from, texts.value)), causeWords(reason, texts.value))} (
            {formatDateTime(from, zone, texts.value)})
          </p>
        )),
      )}
    </section>
  );
}
