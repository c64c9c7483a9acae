// The one place that knows uPlot: draws a chart's data, its gaps and its band, and moves through it by mouse, touch and keys.
import uPlot from 'uplot';
import type { Unit } from '#domain/quantity.js';
import type { Texts } from '#texts/en.js';
import { DAY_MS, formatDay, formatDuration, formatNumber, formatTime } from '#texts/format.js';
import { type ChartData, causeWords } from '../model/history.js';
import { decimalsOfStep } from './axis.js';
import { addKeys, addTouch } from './navigate.js';

export interface PlotCursor {
  readonly index: number;
}

export interface PlotOptions {
  readonly zone: string;
  readonly texts: Texts;
  readonly onCursor: (cursor: PlotCursor | null) => void;
  readonly onZoom: (isZoomed: boolean) => void;
}

export interface Plot {
  update(data: ChartData): void;
  showAll(): void;
  destroy(): void;
}

const HEIGHT = 190;
/** A gap narrower than this is a hairline that says nothing. */
const GAP_MIN_PX = 3;
/** Wide enough for the label to lie; in a narrower gap it stands. */
const LABEL_LYING_PX = 90;
const LABEL_MIN_PX = 16;

/** Draws `data` into `host` and follows the host's width. The sizes of all charts on a page move together under one cursor. */
export function createPlot(host: HTMLElement, data: ChartData, options: PlotOptions): Plot {
  let current = data;
  const colours = coloursOf(host);
  const plot = new uPlot(
    {
      width: Math.max(200, host.clientWidth),
      height: HEIGHT,
      ms: 1,
      tzDate: (at) => uPlot.tzDate(new Date(at), options.zone),
      // Room for half a time label at the right edge, where no axis stands.
      padding: [10, unitsOf(data).length > 1 ? 4 : 20, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'post' }, drag: { x: true, y: false, dist: 8 }, points: { size: 7 }, y: false },
      scales: scalesOf(data),
      axes: axesOf(data, options, colours),
      series: seriesOf(data, colours),
      bands: [{ series: [3, 2], fill: colours.band }],
      hooks: {
        drawClear: [(chart) => drawGaps(chart, current, options.texts, colours)],
        setCursor: [
          (chart) => options.onCursor(typeof chart.cursor.idx === 'number' ? { index: chart.cursor.idx } : null),
        ],
        setScale: [
          (chart, key) => {
            if (key === 'x') options.onZoom(isZoomed(chart, current));
          },
        ],
      },
    },
    tableOf(data),
    host,
  );
  plot.root.setAttribute('role', 'group');
  plot.root.setAttribute('tabindex', '0');
  plot.root.setAttribute('aria-label', options.texts.chart[data.name]);
  const showAll = (): void => plot.setScale('x', { min: current.from, max: current.to });
  const removeKeys = addKeys(plot, () => [current.from, current.to], showAll);
  const removeTouch = addTouch(plot, () => [current.from, current.to]);
  const watcher = new ResizeObserver(() => plot.setSize({ width: Math.max(200, host.clientWidth), height: HEIGHT }));
  watcher.observe(host);
  return {
    update(next) {
      if (next === current) return;
      const wasZoomed = isZoomed(plot, current) && next.to - next.from === current.to - current.from;
      const { min, max } = plot.scales.x ?? {};
      current = next;
      plot.setData(tableOf(next), false);
      if (wasZoomed && typeof min === 'number' && typeof max === 'number') plot.setScale('x', { min, max });
      else showAll();
    },
    showAll,
    destroy() {
      watcher.disconnect();
      removeKeys();
      removeTouch();
      plot.destroy();
    },
  };
}

interface Colours {
  readonly line: string;
  readonly text: string;
  readonly card: string;
  readonly grid: string;
  readonly gap: string;
  readonly band: string;
  readonly sky: string;
  readonly series: readonly string[];
}

function coloursOf(host: HTMLElement): Colours {
  const style = getComputedStyle(host);
  const token = (name: string): string => style.getPropertyValue(name).trim() || '#777';
  return {
    line: token('--line'),
    text: token('--muted'),
    card: token('--card'),
    grid: token('--grid'),
    gap: token('--gap'),
    band: token('--band'),
    sky: token('--sky'),
    series: [token('--series-1'), token('--series-2'), token('--series-3')],
  };
}

function isZoomed(plot: uPlot, data: ChartData): boolean {
  const { min, max } = plot.scales.x ?? {};
  return typeof min === 'number' && typeof max === 'number' && (min > data.from || max < data.to);
}

/** Columns: time; mean, min and max of the first line; means of the others; the clear sky. */
function tableOf(data: ChartData): uPlot.AlignedData {
  const [first, ...others] = data.lines;
  const empty: (number | null)[] = data.at.map(() => null);
  const columns = [first?.mean ?? empty, first?.min ?? empty, first?.max ?? empty, ...others.map((line) => line.mean)];
  if (data.clearSky !== null) columns.push(data.clearSky);
  return [data.at, ...columns] as unknown as uPlot.AlignedData;
}

function seriesOf(data: ChartData, colours: Colours): uPlot.Series[] {
  const [first, ...others] = data.lines;
  const hidden = { scale: first?.unit ?? '1', points: { show: false } };
  const series: uPlot.Series[] = [
    {},
    { scale: first?.unit ?? '1', stroke: colours.series[0] ?? colours.line, width: 2, points: { show: false } },
    hidden,
    hidden,
    ...others.map((line, index) => ({
      scale: line.unit,
      stroke: colours.series[index + 1] ?? colours.line,
      width: 1.5,
      dash: index === 0 ? [7, 4] : [2, 3],
      points: { show: false },
    })),
  ];
  if (data.clearSky !== null)
    series.push({ scale: 'W', stroke: colours.sky, width: 1.5, dash: [3, 3], points: { show: false } });
  return series;
}

/** Units of the chart, the first on the left. */
function unitsOf(data: ChartData): Unit[] {
  return [...new Set(data.lines.map((line) => line.unit))];
}

function scalesOf(data: ChartData): uPlot.Scales {
  const scales: uPlot.Scales = { x: { time: true, min: data.from, max: data.to } };
  for (const unit of unitsOf(data))
    scales[unit] =
      unit === '%'
        ? { range: () => [0, 100] }
        : { range: (_plot, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, unit === 'W' ? 100 : 0.5) * 1.08] };
  return scales;
}

function axesOf(data: ChartData, options: PlotOptions, colours: Colours): uPlot.Axis[] {
  const common = { stroke: colours.text, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  const time: uPlot.Axis = {
    ...common,
    size: 26,
    space: 60,
    grid: { show: false },
    values: (_plot, splits, _axis, _space, step) => splits.map((at) => timeLabel(at, step, options)),
  };
  return [
    time,
    ...unitsOf(data).map(
      (unit, index): uPlot.Axis => ({
        ...common,
        scale: unit,
        side: index === 0 ? 3 : 1,
        size: 52,
        grid: { show: index === 0, stroke: colours.grid, width: 1 },
        values: (_plot, splits) => valueLabels(splits, unit, options.texts),
      }),
    ),
  ];
}

function timeLabel(at: number, stepMs: number, options: PlotOptions): string {
  const time = formatTime(at, options.zone);
  return stepMs >= DAY_MS || time === '00:00' ? formatDay(at, options.zone, options.texts) : time;
}

/** One prefix for the whole axis, told once at its upper end. */
function valueLabels(splits: readonly number[], unit: Unit, texts: Texts): string[] {
  const top = Math.max(...splits.map((value) => Math.abs(value)));
  const isKilo = unit === 'W' && top >= 1000;
  const step = splits.length > 1 ? Math.abs((splits[1] ?? 0) - (splits[0] ?? 0)) / (isKilo ? 1000 : 1) : 1;
  const decimals = decimalsOfStep(step);
  const word = isKilo ? texts.units.kW : texts.units[unit];
  return splits.map((value, index) => {
    const number = formatNumber(isKilo ? value / 1000 : value, decimals, texts);
    return index === splits.length - 1 ? `${number} ${word}` : number;
  });
}

/** Gaps of the first line, joined where they touch. */
function gapsOf(data: ChartData): [number, number][] {
  const joined: [number, number][] = [];
  for (const [from, to] of data.lines[0]?.gaps ?? []) {
    const last = joined[joined.length - 1];
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function drawGaps(plot: uPlot, data: ChartData, texts: Texts, colours: Colours): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const edgesOf = (from: number, to: number): [number, number] => [
    Math.max(bbox.left, plot.valToPos(from, 'x', true)),
    Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true)),
  ];
  for (const [from, to] of gapsOf(data)) {
    const [left, right] = edgesOf(from, to);
    if (right - left >= GAP_MIN_PX * ratio) hatch(ctx, left, right, bbox, ratio, colours);
  }
  for (const { from, to, reason } of data.lines[0]?.causes ?? []) {
    if (reason !== 'expired') continue;
    const [left, right] = edgesOf(from, to);
    ctx.fillStyle = colours.gap;
    ctx.globalAlpha = 0.4;
    ctx.fillRect(left, bbox.top, Math.max(0, right - left), bbox.height);
    ctx.globalAlpha = 1;
  }
  // Where several devices make one line, their gaps may overlap: the first one is named.
  let labelled = Number.NEGATIVE_INFINITY;
  for (const { from, to, reason } of data.lines[0]?.causes ?? []) {
    const [left, right] = edgesOf(from, to);
    if (left < labelled || right - left < LABEL_MIN_PX * ratio) continue;
    labelled = right;
    const short = texts.chart.noData(formatDuration(to - from, texts));
    label(ctx, [texts.chart.because(short, causeWords(reason, texts)), short], left, right, bbox, ratio, colours);
  }
  ctx.restore();
}

/** The first of `words` that fits; the last one is squeezed if it must be. */
function label(
  ctx: CanvasRenderingContext2D,
  words: readonly [string, string],
  left: number,
  right: number,
  bbox: uPlot.BBox,
  ratio: number,
  colours: Colours,
): void {
  const isLying = right - left >= LABEL_LYING_PX * ratio;
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.translate((left + right) / 2, isLying ? bbox.top + 12 * ratio : bbox.top + bbox.height / 2);
  if (!isLying) ctx.rotate(-Math.PI / 2);
  const room = (isLying ? right - left : bbox.height) - 4 * ratio;
  const text = words.find((candidate) => ctx.measureText(candidate).width <= room) ?? words[1];
  const width = Math.min(ctx.measureText(text).width, room);
  ctx.fillStyle = colours.card;
  ctx.fillRect(-width / 2 - 3 * ratio, -8 * ratio, width + 6 * ratio, 16 * ratio);
  ctx.fillStyle = colours.text;
  ctx.fillText(text, 0, 0, width);
  ctx.restore();
}

/** Slanted lines: a span without data must not look like a span of zero. */
function hatch(
  ctx: CanvasRenderingContext2D,
  left: number,
  right: number,
  bbox: uPlot.BBox,
  ratio: number,
  colours: Colours,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colours.gap;
  ctx.lineWidth = ratio;
  ctx.setLineDash([]);
  ctx.beginPath();
  const step = 7 * ratio;
  const { top, height } = bbox;
  for (let x = Math.floor((left - height) / step) * step; x < right; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}
