// Points as lines. One line per post, device and time: a field per metric, and `<metric>_q` with its reason code. A reading
// without value writes only `_q`; since `_q` is always written, it decides whether a field beside it counts.
import type { IPoint } from 'influx';
import type { Point } from '../../ports.js';
import type { ValueType } from '../point-rules.js';

export const MEASUREMENT = 'telemetry';

export const QUALITY = '_q';

const qualityFields = new Map<string, string>();

/** The field beside the metric's own. */
export function qualityField(metric: string): string {
  const known = qualityFields.get(metric);
  if (known !== undefined) return known;
  const name = `${metric}${QUALITY}`;
  if (qualityFields.size < METRICS_REMEMBERED) qualityFields.set(metric, name);
  return name;
}

const METRICS_REMEMBERED = 10_000;

/**
 * An integer, as the line protocol writes it. Without a schema the client writes numbers as floats, texts in quotes, and what
 * else there is as it says of itself; a schema of all metrics would be walked through for every line.
 */
class IntegerField {
  readonly #text: string;
  constructor(value: number) {
    this.#text = `${value}i`;
  }
  toString(): string {
    return this.#text;
  }
}

const CODES = Array.from({ length: 256 }, (_, code) => new IntegerField(code));

/** Points of one post, device and time share a line. */
export function linesOf(points: readonly Point[]): IPoint[] {
  const lines = new Map<string, Line>();
  let last: { point: Point; line: Line } | undefined;
  for (const point of points) {
    const line = last !== undefined && isBeside(point, last.point) ? last.line : lineFor(point, lines);
    last = { point, line };
    const { code, metric, value } = point;
    if (value !== null) line.fields[metric] = value;
    line.fields[qualityField(metric)] = CODES[code] ?? new IntegerField(code);
  }
  return [...lines.values()];
}

type Line = IPoint & { readonly fields: Record<string, unknown> };

function isBeside(a: Point, b: Point): boolean {
  return a.at === b.at && a.device === b.device && a.post === b.post;
}

function lineFor(point: Point, lines: Map<string, Line>): Line {
  const key = lineOf(point);
  const known = lines.get(key);
  if (known !== undefined) return known;
  const { at, device, post } = point;
  const line = { measurement: MEASUREMENT, tags: { post, device }, fields: {}, timestamp: at };
  lines.set(key, line);
  return line;
}

/** The name of the line that a point is on. */
export function lineOf({ post, device, at }: Point): string {
  return `${post}/${device}/${at}`;
}

/** The metric and the refused type of: `input field "x" on measurement "telemetry" is type string, already exists as …`. */
export function conflictIn(reason: string): { metric: string; type: ValueType } | undefined {
  const [, metric, type] = /input field \\?"(.+?)\\?" on measurement .* is type (\w+)/.exec(reason) ?? [];
  return metric === undefined ? undefined : { metric, type: type === 'string' ? 'text' : 'number' };
}

/** How many lines of: `partial write: points beyond retention policy dropped=3`. */
export function tooOldIn(reason: string): number | undefined {
  const [, count] = /points beyond retention policy dropped=(\d+)/.exec(reason) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** The client doubles a backslash before an apostrophe: refused and said is better than stored as something else. */
export function unwritableText({ value }: Point): 'STORE_TYPE' | undefined {
  return typeof value === 'string' && value.includes("\\'") ? 'STORE_TYPE' : undefined;
}
