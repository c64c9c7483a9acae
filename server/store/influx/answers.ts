// InfluxQL, its literals, and what comes back.
import { hasValue, reasonOf } from '#domain/quality.js';
import type { Point, SeriesName } from '../../ports.js';

export interface Answer {
  readonly series?: readonly {
    readonly tags?: Readonly<Record<string, string>>;
    readonly values?: readonly (readonly unknown[])[];
  }[];
  readonly error?: string;
}

export interface Row {
  readonly tags: Readonly<Record<string, string>>;
  readonly values: readonly unknown[];
}

/** An identifier in quotes. */
export function field(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** A text in quotes. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

/** A measurement, of this retention policy or of the database's own. */
export function sourceOf(measurement: string, policy: string | undefined): string {
  return policy === undefined ? field(measurement) : `${field(policy)}.${field(measurement)}`;
}

/** Bounds beyond what InfluxDB's nanoseconds can say are drawn in. */
export function milliseconds(at: number): string {
  return `${Math.min(Math.max(Math.ceil(at), -9_223_372_036_854), 9_223_372_036_854)}ms`;
}

export function whereDevice({ post, device }: Omit<SeriesName, 'metric'>): string {
  return `post = ${literal(post)} AND device = ${literal(device)}`;
}

export function rowsOf(answer: Answer | undefined): Row[] {
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
