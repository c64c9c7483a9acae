// What is written to InfluxDB and asked of it, as text and rows. One line per post, device and time: a field per metric, and
// `<metric>_q` with its reason code. A reading without value writes only `_q`; since `_q` is always written, it decides
// whether a field beside it counts.
import type { IPoint } from 'influx';
import { hasValue, reasonOf } from '#domain/quality.js';
import type { Point, SeriesName } from '../ports.js';
import type { ValueType } from './point-rules.js';

export const MEASUREMENT = 'telemetry';

export const QUALITY = '_q';

export interface Answer {
  readonly series?: readonly {
    readonly tags?: Readonly<Record<string, string>>;
    readonly values?: readonly (readonly unknown[])[];
  }[];
  readonly error?: string;
}

export function qualityField(metric: string): string {
  return `${metric}${QUALITY}`;
}

/** Points of one post, device and time share a line. */
export function linesOf(points: readonly Point[]): IPoint[] {
  const lines = new Map<
    string,
    { tags: { post: string; device: string }; fields: Record<string, unknown>; at: number }
  >();
  for (const { post, device, metric, at, value, code } of points) {
    const key = `${post}/${device}/${at}`;
    let line = lines.get(key);
    if (line === undefined) {
      line = { tags: { post, device }, fields: {}, at };
      lines.set(key, line);
    }
    if (value !== null) line.fields[metric] = value;
    line.fields[qualityField(metric)] = code;
  }
  return [...lines.values()].map(({ tags, fields, at }) => ({ measurement: MEASUREMENT, tags, fields, timestamp: at }));
}

/** The metric and the refused type of: `input field "x" on measurement "telemetry" is type string, already exists as …`. */
export function conflictIn(reason: string): { metric: string; type: ValueType } | undefined {
  const [, metric, type] = /input field \\?"(.+?)\\?" on measurement .* is type (\w+)/.exec(reason) ?? [];
  return metric === undefined ? undefined : { metric, type: type === 'string' ? 'text' : 'number' };
}

/** The client doubles a backslash before an apostrophe: refused and said is better than stored as something else. */
export function unwritableText({ value }: Point): 'STORE_TYPE' | undefined {
  return typeof value === 'string' && value.includes("\\'") ? 'STORE_TYPE' : undefined;
}

export function whereSeries({ post, device }: SeriesName): string {
  return `post = ${literal(post)} AND device = ${literal(device)}`;
}

export function newestOf(post: string, metric: string, hasField: boolean): string {
  const value = hasField ? `, ${field(metric)} AS v` : '';
  return `SELECT last(${field(qualityField(metric))}) AS q${value} FROM ${MEASUREMENT} WHERE post = ${literal(post)} GROUP BY device`;
}

export function field(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

/** Bounds beyond what InfluxDB's nanoseconds can say are drawn in. */
export function milliseconds(at: number): string {
  return `${Math.min(Math.max(Math.ceil(at), -9_223_372_036_854), 9_223_372_036_854)}ms`;
}

export function rowsOf(
  answer: Answer | undefined,
): { tags: Readonly<Record<string, string>>; values: readonly unknown[] }[] {
  return (answer?.series ?? []).flatMap(({ tags = {}, values = [] }) => values.map((row) => ({ tags, values: row })));
}

/** A point from [time, value, code]; none where the row is of other metrics. */
export function pointFrom(series: SeriesName, row: readonly unknown[]): Point[] {
  const [at, value, code] = row;
  if (typeof at !== 'number' || typeof code !== 'number') return [];
  const reason = reasonOf(code);
  const counts = reason !== undefined && hasValue(reason) && (typeof value === 'number' || typeof value === 'string');
  const { post, device, metric } = series;
  return [{ post, device, metric, at, value: counts ? value : null, code }];
}
