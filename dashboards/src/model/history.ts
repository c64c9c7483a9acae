// The charts of a post: which series they need, and how the answer becomes lines, bands and gaps.
import type { GapCause, Series, SeriesResponse } from '#contract/http.js';
import type { DeviceView, MetricView } from '#contract/view.js';
import { chooseFlows, type FlowName } from '#domain/flow.js';
import type { Unit } from '#domain/quantity.js';
import type { Texts } from '#texts/en.js';
import { FLOW_UNITS } from './post-flow.js';

export type ChartName = 'energy' | 'battery' | 'power' | 'water';

/** What each chart draws, the first on the left axis. A tank’s level is drawn only where its fill is not known. */
export const CHARTS: Readonly<Record<ChartName, readonly FlowName[]>> = {
  energy: ['pvPower'],
  battery: ['batterySoc'],
  power: ['loadPower', 'gensetPower', 'pumpPower'],
  water: ['waterFlow', 'tankFill', 'tankLevel'],
};

/** A figure's name → the `device/metric` series behind it, and how several become one. */
export type Speakers = ReadonlyMap<FlowName, readonly string[]>;

/**
 * Which series the post's figures are made of. The choice is the domain's: a series speaks for a figure if the figure
 * changes with it.
 */
export function speakersOf(devices: readonly DeviceView[], metrics: readonly MetricView[]): Speakers {
  const known = new Set(metrics.map(({ device, metric }) => `${device}/${metric}`));
  const flowsWithout = (silenced: string | null) =>
    chooseFlows(devices, (device, metric) => {
      const name = `${device}/${metric}`;
      return known.has(name) ? { value: name === silenced ? 0 : 1, code: 0, at: 0 } : undefined;
    });
  const whole = flowsWithout(null);
  const speakers = new Map<FlowName, string[]>();
  for (const series of known) {
    const without = flowsWithout(series);
    for (const name of Object.keys(whole) as FlowName[]) {
      if (whole[name]?.value === without[name]?.value) continue;
      speakers.set(name, [...(speakers.get(name) ?? []), series]);
    }
  }
  if (speakers.has('tankFill')) speakers.delete('tankLevel');
  return speakers;
}

/** Charts that have something to draw, in their order. */
export function chartsOf(speakers: Speakers): ChartName[] {
  return (Object.keys(CHARTS) as ChartName[]).filter((chart) => CHARTS[chart].some((name) => speakers.has(name)));
}

/** `SERIES_MAX` of the contract, apart from its schemas; a test holds the two together. */
export const SERIES_MAX = 12;

/** All series that the charts need, each once. */
export function seriesWanted(speakers: Speakers, seriesMax: number): string[] {
  const wanted = new Set<string>();
  for (const names of Object.values(CHARTS))
    for (const name of names) for (const s of speakers.get(name) ?? []) wanted.add(s);
  return [...wanted].slice(0, seriesMax);
}

export interface ChartLine {
  readonly name: FlowName;
  readonly unit: Unit;
  /** null: a gap. As long as `at` of the chart. */
  readonly mean: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  /** 0..1; of several series the lowest. */
  readonly coverage: number;
  readonly gaps: readonly (readonly [number, number])[];
  /** The gaps, cut where their cause changes; of several series all of them, by time. */
  readonly causes: readonly GapCause[];
  /** Some samples are means of several, made when the post's outbox ran full. */
  readonly isAggregated: boolean;
}

export interface ChartData {
  readonly name: ChartName;
  readonly from: number;
  readonly to: number;
  /** Start of each bucket, epoch ms. */
  readonly at: readonly number[];
  readonly lines: readonly ChartLine[];
  /** W at each `at`; energy chart only. */
  readonly clearSky: readonly (number | null)[] | null;
  /** Wh under a clear sky, so far as the span was measured; energy chart only. */
  readonly clearSkyWh: number | null;
  readonly measuredWh: number | null;
}

/** The answer of the series API as the data of one chart. */
export function chartData(name: ChartName, response: SeriesResponse, speakers: Speakers): ChartData {
  const byName = new Map(response.series.map((series) => [`${series.device}/${series.metric}`, series]));
  const parts = CHARTS[name].flatMap((flow) => {
    const names = speakers.get(flow);
    const series = (names ?? []).flatMap((series) => byName.get(series) ?? []);
    return names === undefined || series.length < names.length ? [] : [{ flow, series }];
  });
  const at = timesOf(
    parts.flatMap(({ series }) => series),
    response,
  );
  const lines = parts.map(({ flow, series }) => lineOf(flow, series, at));
  const clearSky =
    name === 'energy' && response.clearSky !== undefined
      ? align(response.clearSky.at, response.clearSky.power, at)
      : null;
  const pv = lines[0];
  const sums = clearSky === null || pv === undefined ? null : energies(pv.mean, clearSky, response.bucketMs);
  return {
    name,
    from: response.from,
    to: response.to,
    at,
    lines,
    clearSky,
    clearSkyWh: sums === null ? null : sums.clearSkyWh,
    measuredWh: sums === null ? null : sums.measuredWh,
  };
}

/** Every bucket's start once; the clear-sky curve alone gives the times where no series has any. */
function timesOf(series: readonly Series[], response: SeriesResponse): number[] {
  const times = new Set<number>(response.clearSky?.at ?? []);
  for (const one of series) for (const at of one.at) times.add(at);
  return [...times].filter((at) => at >= response.from - response.bucketMs && at < response.to).sort((a, b) => a - b);
}

function align(
  at: readonly number[],
  values: readonly (number | null)[],
  wanted: readonly number[],
): (number | null)[] {
  const known = new Map(at.map((time, index) => [time, values[index] ?? null]));
  return wanted.map((time) => known.get(time) ?? null);
}

function lineOf(name: FlowName, series: readonly Series[], at: readonly number[]): ChartLine {
  const column = (key: 'mean' | 'min' | 'max'): (number | null)[][] => series.map((one) => align(one.at, one[key], at));
  // Of several batteries or tanks the lowest speaks, as on the fleet page; powers and flows add up.
  const isLowest = name === 'batterySoc' || name === 'tankFill' || name === 'tankLevel';
  const join = (columns: (number | null)[][]): (number | null)[] =>
    at.map((_, index) =>
      joined(
        columns.map((values) => values[index] ?? null),
        isLowest,
      ),
    );
  return {
    name,
    unit: FLOW_UNITS[name],
    mean: join(column('mean')),
    min: join(column('min')),
    max: join(column('max')),
    coverage: Math.min(...series.map((one) => one.coverage)),
    gaps: series.flatMap((one) => one.gaps).sort(([a], [b]) => a - b),
    causes: series.flatMap((one) => one.gapCauses).sort((a, b) => a.from - b.from),
    isAggregated: series.some((one) => (one.aggregated ?? 0) > 0),
  };
}

function joined(values: readonly (number | null)[], isLowest: boolean): number | null {
  let result: number | null = null;
  for (const value of values) {
    if (value === null) return null;
    result = result === null ? value : isLowest ? Math.min(result, value) : result + value;
  }
  return result;
}

/** Both energies over the same buckets: those that were measured. Comparing a gap with a full sky would blame the array. */
function energies(
  measured: readonly (number | null)[],
  clearSky: readonly (number | null)[],
  bucketMs: number,
): { measuredWh: number; clearSkyWh: number } {
  const hours = bucketMs / 3_600_000;
  let measuredWh = 0;
  let clearSkyWh = 0;
  measured.forEach((power, index) => {
    const sky = clearSky[index] ?? null;
    if (power === null || sky === null) return;
    measuredWh += power * hours;
    clearSkyWh += sky * hours;
  });
  return { measuredWh, clearSkyWh };
}

/** All time that is missing for one cause. */
export interface Missing {
  readonly reason: GapCause['reason'];
  readonly ms: number;
  readonly times: number;
  /** Start of the longest. */
  readonly from: number;
}

/** What is missing of a line, by cause, the longest first. */
export function missingOf({ causes }: Pick<ChartLine, 'causes'>): Missing[] {
  const found = new Map<GapCause['reason'], Missing & { readonly longestMs: number }>();
  for (const { from, to, reason } of causes) {
    const known = found.get(reason) ?? { reason, ms: 0, times: 0, from, longestMs: 0 };
    const isLongest = to - from > known.longestMs;
    found.set(reason, {
      reason,
      ms: known.ms + to - from,
      times: known.times + 1,
      from: isLongest ? from : known.from,
      longestMs: Math.max(known.longestMs, to - from),
    });
  }
  return [...found.values()].sort((a, b) => b.ms - a.ms).map(({ longestMs: _longest, ...missing }) => missing);
}

/** What is missing of a chart: of lines that miss the same, one entry. */
export function missingOfAll(lines: readonly ChartLine[]): (Missing & { readonly names: readonly FlowName[] })[] {
  const found = new Map<string, Missing & { readonly names: readonly FlowName[] }>();
  for (const line of lines)
    for (const missing of missingOf(line)) {
      const key = JSON.stringify(missing);
      found.set(key, { ...missing, names: [...(found.get(key)?.names ?? []), line.name] });
    }
  return [...found.values()];
}

/** Why a line has no value at this time; `undefined` where it has one. */
export function causeAt({ causes }: Pick<ChartLine, 'causes'>, at: number): GapCause | undefined {
  return causes.find(({ from, to }) => from <= at && at < to);
}

/** Why there is no value, in words. */
export function causeWords(reason: GapCause['reason'], texts: Texts): string {
  return reason === null ? texts.chart.nothingCame : texts.reasons[reason];
}

export interface LineFacts {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: number | null;
}

/** Extremes, mean and newest value of a line; all null where nothing was measured. */
export function factsOf(line: ChartLine): LineFacts {
  const means = line.mean.filter((value) => value !== null);
  const mins = line.min.filter((value) => value !== null);
  const maxs = line.max.filter((value) => value !== null);
  if (means.length === 0) return { min: null, max: null, mean: null, last: null };
  return {
    min: Math.min(...mins),
    max: Math.max(...maxs),
    mean: means.reduce((sum, value) => sum + value, 0) / means.length,
    last: means[means.length - 1] ?? null,
  };
}
