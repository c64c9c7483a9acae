// Points as lines. One line per post, device and time: a field per metric, and `<metric>_q` with its reason code. A reading
// without value writes only `_q`; since `_q` is always written, it decides whether a field beside it counts.
import { escape as escaped, type IPoint } from 'influx';
import type { Point } from '../../ports.js';
import type { ValueType } from '../point-rules.js';

export const MEASUREMENT = 'telemetry';

export const QUALITY = '_q';

const METRICS_REMEMBERED = 10_000;

/** A metric's names on a line, escaped. */
interface FieldNames {
  readonly value: string;
  readonly quality: string;
  /** What follows a good value. */
  readonly good: string;
}

const names = new Map<string, FieldNames>();

function namesOf(metric: string): FieldNames {
  const known = names.get(metric);
  if (known !== undefined) return known;
  const quality = escaped.tag(qualityField(metric));
  const fresh = { value: escaped.tag(metric), quality, good: `,${quality}=0i` };
  if (names.size < METRICS_REMEMBERED) names.set(metric, fresh);
  return fresh;
}

/** The field beside the metric's own. */
export function qualityField(metric: string): string {
  return `${metric}${QUALITY}`;
}

/**
 * All fields of a line, for the client one field that says itself how it is written: without a schema it takes each apart, sorts
 * and escapes it anew, and a schema of all metrics would be walked through for every line.
 */
class FieldSet {
  readonly #points = new Map<string, Point>();

  /** Of two points at one time the last one is written. */
  add(point: Point): void {
    this.#points.set(point.metric, point);
  }

  /** The name of the first field. */
  get name(): string {
    const [first] = this.#points.values();
    return first?.value === null ? qualityField(first.metric) : (first?.metric ?? '');
  }

  /** The value of the first field, and whole fields behind it. */
  toString(): string {
    let text = '';
    for (const { code, metric, value } of this.#points.values()) {
      const { good, quality, value: name } = namesOf(metric);
      if (value !== null) {
        if (text !== '') text += `,${name}=`;
        text += typeof value === 'number' ? value : escaped.quoted(value);
        text += code === 0 ? good : `,${quality}=${code}i`;
      } else text += text === '' ? `${code}i` : `,${quality}=${code}i`;
    }
    return text;
  }
}

/** Points of one post, device and time share a line. */
export function linesOf(points: readonly Point[]): IPoint[] {
  const lines = new Map<string, Line>();
  let last: { point: Point; line: Line } | undefined;
  for (const point of points) {
    const line = last !== undefined && isBeside(point, last.point) ? last.line : lineFor(point, lines);
    last = { point, line };
    line.fields.add(point);
  }
  return Array.from(lines.values(), ({ fields, head: { at, device, post } }) => ({
    measurement: MEASUREMENT,
    tags: { post, device },
    fields: { [fields.name]: fields },
    timestamp: at,
  }));
}

interface Line {
  readonly head: Point;
  readonly fields: FieldSet;
}

function isBeside(a: Point, b: Point): boolean {
  return a.at === b.at && a.device === b.device && a.post === b.post;
}

function lineFor(point: Point, lines: Map<string, Line>): Line {
  const key = lineOf(point);
  const known = lines.get(key);
  if (known !== undefined) return known;
  const line = { head: point, fields: new FieldSet() };
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
