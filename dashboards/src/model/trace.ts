// What a live figure did since the page of its post was opened: a short line beside the number.
import type { Figure, PostSummary } from '#contract/view.js';
import type { FlowName } from '#domain/flow.js';

export interface TracePoint {
  readonly at: number;
  /** null: no value, which breaks the line. */
  readonly value: number | null;
}

export type Traces = Readonly<Partial<Record<FlowName, readonly TracePoint[]>>>;

/** A few minutes of a post that is attended; more would be a chart, and that stands below. */
const POINTS_MAX = 90;

/** The traces with the newest figures at their ends. A figure that was not renewed adds nothing. */
export function extendTraces(traces: Traces, flows: PostSummary['flows']): Traces {
  const next: Partial<Record<FlowName, readonly TracePoint[]>> = { ...traces };
  for (const [name, figure] of Object.entries(flows) as [FlowName, Figure][]) {
    const points = next[name] ?? [];
    const last = points[points.length - 1];
    if (last !== undefined && figure.at <= last.at) continue;
    const value = typeof figure.value === 'number' ? figure.value : null;
    next[name] = [...points.slice(1 - POINTS_MAX), { at: figure.at, value }];
  }
  return next;
}

/**
 * An SVG path through the points, `width` × `height` with `edge` left free around it. Lines break where a value is missing.
 * A line that hardly moves is drawn flat in the middle, so that noise does not look like a storm. Empty below two values.
 */
export function tracePath(points: readonly TracePoint[], width: number, height: number, edge = 1.5): string {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const first = points[0];
  const last = points[points.length - 1];
  if (values.length < 2 || first === undefined || last === undefined) return '';
  const low = Math.min(...values);
  const high = Math.max(...values);
  const middle = (low + high) / 2;
  const span = Math.max(high - low, Math.abs(middle) * 0.04, 1e-9);
  const x = (at: number): number => edge + ((at - first.at) / (last.at - first.at || 1)) * (width - 2 * edge);
  const y = (value: number): number => height / 2 - ((value - middle) / span) * (height - 2 * edge);
  let path = '';
  let isDrawing = false;
  for (const { at, value } of points) {
    if (value !== null) path += `${isDrawing ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    isDrawing = value !== null;
  }
  return path;
}
