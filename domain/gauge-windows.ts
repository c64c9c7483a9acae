// What equal windows say about a gauge.
import type { GaugeWindow, RollupJob, SeriesColumns } from './series-rollup.js';
import { followSpans, type SpanSink, windowAt } from './value-spans.js';

/** Windows of a job in which something is known, in order. */
export function gaugeWindows(columns: SeriesColumns, job: RollupJob): GaugeWindow[] {
  const sums = new GaugeSums(columns, Math.ceil((job.to - job.from) / job.bucketMs));
  followSpans(columns, job, sums);
  return sums.windows(job);
}

/** One number for each window and fact: a month of quarters need not be thousands of objects while it is summed up. */
class GaugeSums implements SpanSink {
  readonly #values: ArrayLike<number>;
  readonly #times: ArrayLike<number>;
  readonly #counts: Uint32Array;
  readonly #heldMs: Float64Array;
  readonly #weighted: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #first: Float64Array;
  readonly #last: Float64Array;

  constructor({ times, values }: SeriesColumns, windows: number) {
    this.#values = values as ArrayLike<number>;
    this.#times = times;
    this.#counts = new Uint32Array(windows);
    this.#heldMs = new Float64Array(windows);
    this.#weighted = new Float64Array(windows);
    this.#min = new Float64Array(windows).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(windows).fill(Number.NEGATIVE_INFINITY);
    this.#first = new Float64Array(windows);
    this.#last = new Float64Array(windows);
  }

  point(window: number): void {
    this.#counts[window] = (this.#counts[window] as number) + 1;
  }

  held(window: number, place: number, ms: number): void {
    const value = this.#values[place] as number;
    const heldMs = this.#heldMs[window] as number;
    if (heldMs === 0) this.#first[window] = value;
    this.#heldMs[window] = heldMs + ms;
    this.#weighted[window] = (this.#weighted[window] as number) + value * ms;
    if (value < (this.#min[window] as number)) this.#min[window] = value;
    if (value > (this.#max[window] as number)) this.#max[window] = value;
    this.#last[window] = value;
  }

  run(window: number, first: number, end: number): void {
    const [times, values] = [this.#times, this.#values];
    let [min, max] = [this.#min[window] as number, this.#max[window] as number];
    let weighted = this.#weighted[window] as number;
    let at = times[first] as number;
    for (let place = first; place < end; place += 1) {
      const value = values[place] as number;
      const next = times[place + 1] as number;
      weighted += value * (next - at);
      if (value < min) min = value;
      if (value > max) max = value;
      at = next;
    }
    if (this.#heldMs[window] === 0) this.#first[window] = values[first] as number;
    this.#heldMs[window] = (this.#heldMs[window] as number) + at - (times[first] as number);
    this.#counts[window] = (this.#counts[window] as number) + end - first;
    this.#weighted[window] = weighted;
    this.#min[window] = min;
    this.#max[window] = max;
    this.#last[window] = values[end - 1] as number;
  }

  windows(job: RollupJob): GaugeWindow[] {
    const windows: GaugeWindow[] = [];
    for (let i = 0; i < this.#counts.length; i += 1) {
      const count = this.#counts[i] as number;
      const heldMs = this.#heldMs[i] as number;
      if (count === 0 && heldMs === 0) continue;
      const { from, to } = windowAt(job, i);
      const known = heldMs > 0;
      const [min, max] = [this.#min[i] as number, this.#max[i] as number];
      windows.push({
        kind: 'gauge',
        from,
        to,
        count,
        coverage: heldMs / (to - from),
        min: known ? min : null,
        max: known ? max : null,
        // Rounding must not carry the mean of equal values past them.
        mean: known ? Math.min(max, Math.max(min, (this.#weighted[i] as number) / heldMs)) : null,
        first: known ? (this.#first[i] as number) : null,
        last: known ? (this.#last[i] as number) : null,
      });
    }
    return windows;
  }
}
