// What equal windows say about a counter: how far it went on. A step belongs to the window in which it ends, so that windows
// side by side add up to the whole.
import { type CounterChain, EMPTY_CHAIN, followCounter } from './counter.js';
import { exactSum } from './exact-sum.js';
import { isMeasured } from './quality.js';
import { GAP_FACTOR } from './rollup.js';
import type { CounterWindow, RollupJob, SeriesColumns } from './series-rollup.js';
import { createWindowSums, followSpans, type WindowSums, windowAt } from './value-spans.js';

interface CounterSums {
  count: number;
  heldMs: number;
  /** Increases, and differences of readings that follow one another; they are added up exactly at the end. */
  readonly parts: number[];
  hasStep: boolean;
  estimated: boolean;
  first: number | null;
  last: number | null;
}

/** Windows of a job in which something is known, in order. */
export function counterWindows(columns: SeriesColumns, job: RollupJob): CounterWindow[] {
  const sums = createWindowSums<CounterSums>(() => ({
    count: 0,
    heldMs: 0,
    parts: [],
    hasStep: false,
    estimated: false,
    first: null,
    last: null,
  }));
  followSpans(columns, job, {
    point(window, place) {
      const ofWindow = sums.of(window);
      ofWindow.count += 1;
      ofWindow.last = columns.values[place] as number;
      ofWindow.first ??= ofWindow.last;
    },
    held(window, _place, ms) {
      sums.of(window).heldMs += ms;
    },
    run(window, first, end) {
      const ofWindow = sums.of(window);
      ofWindow.count += end - first;
      ofWindow.heldMs += (columns.times[end] as number) - (columns.times[first] as number);
      ofWindow.last = columns.values[end - 1] as number;
      ofWindow.first ??= columns.values[first] as number;
    },
  });
  countSteps(columns, job, sums);
  return sums.all().map(([window, ofWindow]) => windowOf(window, ofWindow, job));
}

function windowOf(window: number, sums: CounterSums, job: RollupJob): CounterWindow {
  const { from, to } = windowAt(job, window);
  const { count, estimated, first, hasStep, heldMs, last, parts } = sums;
  const increase = hasStep ? exactSum(parts) : null;
  return { kind: 'counter', from, to, count, coverage: heldMs / (to - from), increase, estimated, first, last };
}

/** Follows the readings one by one, and adds their steps to the windows in which they end. */
function countSteps(columns: SeriesColumns, job: RollupJob, sums: WindowSums<CounterSums>): void {
  const { codes, times, values } = columns;
  const steps = new CounterSteps(job, sums);
  for (let place = 0; place < times.length; place += 1) {
    const at = times[place] as number;
    if (at >= job.to) break;
    const value = values[place];
    if (typeof value === 'number' && isMeasured(codes[place] as number)) steps.take(value, at);
  }
  steps.end();
}

class CounterSteps {
  readonly #job: RollupJob;
  readonly #sums: WindowSums<CounterSums>;
  /** Neither a rate nor an event could say anything of a reading that went on. */
  readonly #isPlain: boolean;
  /** A larger one must be judged. */
  readonly #plainStepMax: number;
  readonly #gapMs: number;
  /** The reading that the next one is measured from, while nothing is in doubt; else it stands in the chain. */
  #value = 0;
  #at = 0;
  #chain: CounterChain | undefined = EMPTY_CHAIN;
  /** The window that the last reading was in; -1 before the job. */
  #window = -1;
  /** Where a run of plain steps within this window began. It is the difference of its ends. */
  #runFrom: number | undefined;

  constructor(job: RollupJob, sums: WindowSums<CounterSums>) {
    this.#job = job;
    this.#sums = sums;
    this.#isPlain = job.counter?.ratePerSMax === undefined && job.counter?.events === undefined;
    this.#plainStepMax = job.counter?.possible?.step ?? Number.POSITIVE_INFINITY;
    this.#gapMs = GAP_FACTOR * job.expectedEveryMs;
  }

  take(value: number, at: number): void {
    const { bucketMs, from } = this.#job;
    const window = at < from ? -1 : Math.floor((at - from) / bucketMs);
    if (window !== this.#window) this.#enter(window);
    // Ten times as much may be a point that moved.
    const isPlain =
      this.#isPlain && value >= this.#value && value < 9 * this.#value && value - this.#value <= this.#plainStepMax;
    if (isPlain && this.#chain === undefined) this.#goOn(value, at);
    else this.#judge(value, at);
  }

  #enter(window: number): void {
    this.end();
    this.#window = window;
  }

  /** Ends the window: what is in doubt now may be more. */
  end(): void {
    this.#endRun();
    if (this.#window >= 0 && this.#chain !== undefined && this.#chain.doubt !== null)
      this.#sums.of(this.#window).estimated = true;
  }

  #endRun(): void {
    if (this.#runFrom === undefined) return;
    this.#sums.of(this.#window).parts.push(this.#value, -this.#runFrom);
    this.#runFrom = undefined;
  }

  #goOn(value: number, at: number): void {
    if (this.#window >= 0) {
      this.#runFrom ??= this.#value;
      this.#step(this.#at, at, false);
    }
    this.#value = value;
    this.#at = at;
  }

  #step(from: number, at: number, estimated: boolean): void {
    const sums = this.#sums.of(this.#window);
    sums.hasStep = true;
    // The register counted on over a gap; how much of it belongs before the window nobody knows.
    const isBridged = at - from > this.#gapMs && from < this.#job.from + this.#window * this.#job.bucketMs;
    if (estimated || isBridged) sums.estimated = true;
  }

  #judge(value: number, at: number): void {
    this.#endRun();
    const before: CounterChain = this.#chain ?? {
      base: { value: this.#value, at: this.#at },
      quarantined: [],
      doubt: null,
      beforeReset: null,
    };
    const { chain, step } = followCounter(before, { value, at }, this.#job.counter ?? {});
    if (step !== null && before.base !== null && this.#window >= 0) {
      this.#step(before.base.at, at, step.estimated);
      this.#sums.of(this.#window).parts.push(step.increase);
    }
    const isClear = chain.base !== null && chain.doubt === null && chain.beforeReset === null;
    this.#chain = isClear ? undefined : chain;
    if (chain.base !== null) {
      this.#value = chain.base.value;
      this.#at = chain.base.at;
    }
  }
}
