// From readings to records: which readings become samples, and whether they can wait for the batch.
import { isSample, isUrgent, type RecordingRule } from '#domain/exception-rule.js';
import type { Reading } from '#domain/reading.js';
import type { RecordDraft } from '../outbox/outbox.js';
import type { OutboxSample, PollResult } from '../ports.js';
import { cleanReading } from './clean-reading.js';

/** What was polled now, and what is brought in from the past. They never disturb each other's state. */
export type RecordingStream = 'present' | 'past';

export interface RecorderOptions {
  /** Rules by device and metric. A reading without a rule is not recorded; it is counted. */
  readonly rules: ReadonlyMap<string, ReadonlyMap<string, RecordingRule>>;
  readonly batchPeriodMs: number;
  /** Every reading is a sample. */
  readonly full: boolean;
  /** True when the outbox has samples of this device at exactly this time. */
  readonly isTaken: (device: string, at: number) => boolean;
}

export interface RecordingContext {
  readonly stream: RecordingStream;
  /** Somebody attends: every reading is a sample. */
  readonly attended: boolean;
  /** There is no connection to the server. */
  readonly offline: boolean;
  /** Set while the time is unknown: all times are of this boot's monotonic clock. */
  readonly boot?: string;
}

export interface Recording {
  readonly drafts: readonly RecordDraft[];
  /** Some sample cannot wait for the batch. */
  readonly urgent: boolean;
}

interface MetricState {
  /** Last recorded sample. */
  sample?: Reading;
  /** Last reading, recorded or not. */
  reading?: Reading;
}

/** A record has at most so many samples, so that any record fits into a payload. */
export const RECORD_SAMPLES_MAX = 1000;

/** Keeps what the exception rule must remember. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #states: Record<RecordingStream, Map<string, Map<string, MetricState>>> = {
    present: new Map(),
    past: new Map(),
  };
  #undeclared = 0;
  /** The present stream is in monotonic time. */
  #untimed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Readings that no rule is declared for. */
  get undeclared(): number {
    return this.#undeclared;
  }

  /** Judges what was polled. The drafts are to be appended at once: their times count as taken from then on. */
  take(results: readonly PollResult[], context: RecordingContext): Recording {
    const drafts: RecordDraft[] = [];
    const takenHere = new Map<string, Set<number>>();
    let urgent = false;
    if (context.stream === 'present') this.#untimed = context.boot !== undefined;
    for (const result of results) {
      const readings = this.#withFreeTimes(result, takenHere);
      const judged = this.#judge(result.device, readings, context);
      urgent ||= judged.urgent;
      const times = takenHere.get(result.device) ?? new Set();
      takenHere.set(result.device, times);
      for (const { at } of judged.samples) times.add(at);
      drafts.push(...draftsOf(judged.samples, Math.max(0, Math.round(result.at)), context));
    }
    return { drafts, urgent: urgent && context.stream === 'present' };
  }

  /** The last readings of all metrics, with their own source times. */
  snapshot(at: number, context: Pick<RecordingContext, 'offline' | 'boot'>): readonly RecordDraft[] {
    const samples: OutboxSample[] = [];
    for (const [device, metrics] of this.#states.present)
      for (const state of metrics.values()) {
        if (state.reading === undefined) continue;
        state.sample = state.reading;
        samples.push({ device, ...state.reading });
      }
    return draftsOf(samples, at, context);
  }

  /** The time is known: what is remembered in monotonic time, if anything is, moves by the offset. */
  learnTime(offsetMs: number): void {
    if (!this.#untimed) return;
    this.#untimed = false;
    const moved = (reading: Reading): Reading => ({ ...reading, at: reading.at + Math.round(offsetMs) });
    for (const metrics of this.#states.present.values())
      for (const state of metrics.values()) {
        if (state.sample !== undefined) state.sample = moved(state.sample);
        if (state.reading !== undefined) state.reading = moved(state.reading);
      }
  }

  /** After a backward step of the clock a poll may meet the time of an earlier one: it moves by a millisecond. */
  #withFreeTimes(
    { device, readings: raw }: PollResult,
    takenHere: ReadonlyMap<string, ReadonlySet<number>>,
  ): readonly Reading[] {
    let readings = raw.map(cleanReading);
    const isTaken = (at: number) => takenHere.get(device)?.has(at) === true || this.#options.isTaken(device, at);
    while ([...new Set(readings.map((reading) => reading.at))].some(isTaken))
      readings = readings.map((reading) => ({ ...reading, at: reading.at + 1 }));
    return readings;
  }

  #judge(device: string, readings: readonly Reading[], context: RecordingContext) {
    const rules = this.#options.rules.get(device);
    const samples: OutboxSample[] = [];
    let urgent = false;
    for (const reading of readings) {
      const rule = rules?.get(reading.metric);
      if (rule === undefined) {
        this.#undeclared += 1;
        continue;
      }
      const state = this.#stateOf(context.stream, device, reading.metric);
      const last = state.sample;
      state.reading = reading;
      const full = this.#options.full || context.attended;
      if (!isSample(rule, last, reading, { full, counterDue: this.#isNewBatch(last, reading) })) continue;
      urgent ||= isUrgent(rule, last, reading);
      state.sample = reading;
      samples.push({ device, ...reading });
    }
    return { samples, urgent };
  }

  #isNewBatch(last: Reading | undefined, reading: Reading): boolean {
    const batchOf = (at: number) => Math.floor(at / this.#options.batchPeriodMs);
    return last === undefined || batchOf(last.at) !== batchOf(reading.at);
  }

  #stateOf(stream: RecordingStream, device: string, metric: string): MetricState {
    const devices = this.#states[stream];
    let metrics = devices.get(device);
    if (metrics === undefined) {
      metrics = new Map();
      devices.set(device, metrics);
    }
    let state = metrics.get(metric);
    if (state === undefined) {
      state = {};
      metrics.set(metric, state);
    }
    return state;
  }
}

/** As many records as the samples need. */
export function draftsOf(
  samples: readonly OutboxSample[],
  at: number,
  context: { readonly offline: boolean; readonly boot?: string; readonly stream?: RecordingStream },
): RecordDraft[] {
  const drafts: RecordDraft[] = [];
  for (let from = 0; from < samples.length; from += RECORD_SAMPLES_MAX)
    drafts.push({
      samples: samples.slice(from, from + RECORD_SAMPLES_MAX),
      offline: context.offline || context.stream === 'past',
      at: Math.round(at),
      ...(context.boot === undefined ? {} : { boot: context.boot }),
    });
  return drafts;
}
