// Compares what the devices gave with what the store has, one by one.
import { codeOf, REASONS } from '#domain/quality.js';
import type { Point } from '#server/ports.js';
import { mayBeLeftOut, type RuleOf } from './exception-claim.js';
import { type Ledger, type Produced, type Sample, timeOf } from './ledger.js';

export interface Tally {
  produced: number;
  stored: number;
  missing: number;
  duplicated: number;
  altered: number;
  /** Taken by a power cut before they were on the disk. */
  unwritten: number;
  /** Replaced by a mean, because a full outbox needed room. */
  aggregated: number;
  /** Left a full outbox unsent, and are shown as such. */
  expired: number;
}

export interface Verdict {
  readonly tally: Tally;
  /** What differs, one line each. */
  readonly differences: readonly Difference[];
}

export interface Difference {
  readonly text: string;
  /** True time that it is about, as far as known. */
  readonly at: number | undefined;
}

export interface VerdictFacts {
  readonly full: boolean;
  readonly ruleOf: RuleOf;
  readonly writeDelayMs: number;
  readonly batchPeriodMs: number;
  /** Samples that the outboxes say have expired, and that means stand for. */
  readonly expiredSamples: number;
  readonly aggregatedSamples: number;
}

type Fate = 'stored' | 'altered' | 'missing' | 'unwritten' | 'aggregated' | 'expired';

export const NO_TALLY: Tally = {
  produced: 0,
  stored: 0,
  missing: 0,
  duplicated: 0,
  altered: 0,
  unwritten: 0,
  aggregated: 0,
  expired: 0,
};

/** A sample that would meet another one of its device moves on by milliseconds. */
const SHIFT_MAX_MS = 20;
/** Between the sync of the disk and the power cut time may pass that belongs to neither. */
const CUT_SLACK_MS = 50;
const MINUTE_MS = 60_000;
const AGGREGATED = REASONS.aggregated.code;
const EXPIRED = REASONS.expired.code;

/** @param points of the devices of the drilled post, in any order */
export function judge(ledger: Ledger, points: readonly Point[], facts: VerdictFacts): Verdict {
  return new Judge(facts).judge(ledger, points);
}

interface Series {
  readonly readings: Produced[];
  readonly points: Point[];
}

class Judge {
  readonly #facts: VerdictFacts;
  readonly #tally: Tally = { ...NO_TALLY };
  readonly #differences: Difference[] = [];
  readonly #fates = new Map<Produced, Fate>();
  #expiredSamples = 0;

  constructor(facts: VerdictFacts) {
    this.#facts = facts;
  }

  judge(ledger: Ledger, points: readonly Point[]): Verdict {
    for (const text of ledger.invented) this.#tell('altered', text, undefined);
    for (const text of ledger.mistimed) this.#tell('altered', text, undefined);
    for (const [name, series] of seriesOf(ledger.produced, points)) this.#judgeSeries(name, series);
    for (const reading of ledger.produced) this.#count(reading);
    // A mean that expired takes along those that it stood for.
    if (this.#expiredSamples > this.#facts.expiredSamples + this.#facts.aggregatedSamples)
      this.#tell(
        'missing',
        `${this.#expiredSamples} samples are shown as expired, the outbox counts ${this.#facts.expiredSamples}`,
        undefined,
      );
    return { tally: this.#tally, differences: this.#differences };
  }

  #tell(kind: 'missing' | 'duplicated' | 'altered', text: string, at: number | undefined): void {
    this.#tally[kind] += 1;
    this.#differences.push({ text: `${kind}: ${text}`, at });
  }

  /** What became of every sample of one metric of one device. */
  #judgeSeries(name: string, { readings, points }: Series): void {
    const free = new Map(points.map((point) => [point.at, point]));
    const taken = new Map<number, Produced>();
    const lost: Produced[] = [];
    for (const reading of readings) {
      if (reading.sample === undefined) continue;
      const fate = this.#meet(reading, reading.sample, free, taken);
      if (fate === undefined) lost.push(reading);
      else this.#fates.set(reading, fate);
    }
    this.#explain(lost, free, taken);
    const missing = lost.filter((reading) => !this.#fates.has(reading));
    const times = new Set(readings.flatMap(({ sample }) => (sample === undefined ? [] : (timeOf(sample) ?? []))));
    const foreign = [...free.values()].filter((point) => !taken.has(point.at) && !isMarkBehind(point, times));
    for (const reading of missing) this.#fates.set(reading, 'missing');
    // A sample that is gone and a point that nobody made are one sample under another time.
    for (const point of foreign) {
      const moved = missing.pop();
      if (moved !== undefined) this.#fates.set(moved, 'altered');
      const place = `${name} at ${point.at} = ${String(point.value)} (code ${point.code})`;
      if (moved === undefined) this.#tell('duplicated', `${place}: a point that no device gave`, point.at);
    }
  }

  /** Finds the sample's point; `undefined` where there is none. */
  #meet(
    reading: Produced,
    sample: Sample,
    points: ReadonlyMap<number, Point>,
    taken: Map<number, Produced>,
  ): Fate | undefined {
    const at = timeOf(sample);
    if (at === undefined) return undefined;
    const point = sample.boot === undefined ? points.get(at) : this.#nearest(at, points, taken);
    if (point === undefined) return undefined;
    const other = taken.get(point.at);
    taken.set(point.at, reading);
    if (point.code === EXPIRED) {
      this.#expiredSamples += 1;
      return 'expired';
    }
    if (point.value !== reading.value || point.code !== codeOf(reading.reason)) {
      // A mean may stand at the time of one of those that it is made of.
      if (point.code === AGGREGATED) taken.delete(point.at);
      return point.code === AGGREGATED || other !== undefined ? undefined : 'altered';
    }
    if (other !== undefined && other !== reading && !sameValue(other, reading)) this.#fates.set(other, 'altered');
    return this.#isTimely(reading, point.at) ? 'stored' : 'altered';
  }

  /** A record of unknown time moves as a whole, by a few milliseconds at most, when its time is learnt. */
  #nearest(at: number, points: ReadonlyMap<number, Point>, taken: ReadonlyMap<number, Produced>): Point | undefined {
    for (let shift = 0; shift <= SHIFT_MAX_MS; shift += 1)
      if (!taken.has(at + shift) && points.has(at + shift)) return points.get(at + shift);
    return undefined;
  }

  #isTimely(reading: Produced, at: number): boolean {
    const { clockAt, trueAt } = reading;
    if (clockAt === undefined) return Math.abs(at - trueAt) <= MINUTE_MS;
    return at >= clockAt && at <= clockAt + SHIFT_MAX_MS;
  }

  /** Samples without a point of their own: taken by a power cut, in a mean, or expired. */
  #explain(lost: readonly Produced[], points: ReadonlyMap<number, Point>, taken: Map<number, Produced>): void {
    this.#explainMeans(lost, points, taken);
    // The mark may stand behind those that were sent and never arrived; how many are gone is counted.
    const marks = [...points.values()].filter(({ code }) => code === EXPIRED);
    for (const reading of lost) {
      const { sample } = reading;
      if (sample === undefined || this.#fates.has(reading)) continue;
      const at = timeOf(sample);
      if (this.#wasUnwritten(sample)) this.#fates.set(reading, 'unwritten');
      else if (at !== undefined && marks.length > 0) {
        this.#fates.set(reading, 'expired');
        this.#expiredSamples += 1;
      }
    }
  }

  #wasUnwritten({ isSafe, takenAt, produced: { life } }: Sample): boolean {
    if (isSafe || takenAt === undefined || life.cutAt === undefined) return false;
    return life.cutAt - takenAt <= this.#facts.writeDelayMs + CUT_SLACK_MS;
  }

  /** Each mean stands at the time of the last of those that it is made of; they are those of its minute, since the mean before, that have no point. */
  #explainMeans(lost: readonly Produced[], points: ReadonlyMap<number, Point>, taken: Map<number, Produced>): void {
    const gone = lost
      .flatMap((reading) => {
        const at = reading.sample === undefined ? undefined : timeOf(reading.sample);
        return at === undefined ? [] : [{ at, reading }];
      })
      .sort((a, b) => a.at - b.at);
    const stands = [...points.keys()].sort((a, b) => a - b);
    let before = Number.NEGATIVE_INFINITY;
    for (const [place, { at, reading }] of gone.entries()) {
      const mean = points.get(at);
      if (mean?.code !== AGGREGATED) continue;
      taken.set(at, reading);
      const after = stands.find((other) => other > at) ?? Number.POSITIVE_INFINITY;
      const originals = gone
        .slice(0, place + 1)
        .filter((other) => other.at > before && minuteOf(other.at) === minuteOf(at));
      before = at;
      // The first of a minute may have expired before the others came together.
      const first = originals.findIndex((_, from) => isMeanOf(mean.value, originals.slice(from), after));
      for (const original of originals.slice(Math.max(0, first)))
        this.#fates.set(original.reading, first < 0 ? 'altered' : 'aggregated');
    }
  }

  /** A reading counts as stored when its sample is, or when it lies within the deadband of the last sample that is. */
  #count(reading: Produced): void {
    this.#tally.produced += 1;
    const { sample, reference, device, metric, value, reason } = reading;
    const text = `${device}/${metric} = ${String(value)} (${reason}), life ${reading.life.number}`;
    const at = reading.trueAt;
    if (sample === undefined) {
      const fate = reference === undefined ? undefined : this.#fates.get(reference);
      const leftOut =
        !this.#facts.full &&
        reference !== undefined &&
        mayBeLeftOut(this.#facts.ruleOf(device, metric), reference, reading, this.#facts.batchPeriodMs);
      if (!leftOut) this.#tell('missing', `${text}: it had to become a sample and did not`, at);
      else if (fate === 'missing' || fate === 'altered' || fate === undefined)
        this.#tell('missing', `${text}: it was left out for a sample that is ${fate ?? 'nowhere'}`, at);
      else this.#tally[fate] += 1;
      return;
    }
    const fate = this.#fates.get(reading) ?? 'missing';
    if (fate === 'missing' || fate === 'altered') this.#tell(fate, `${text}: ${historyOf(sample)}`, at);
    else this.#tally[fate] += 1;
  }
}

/** Where the first that expired had been sent, and may be in the store, its mark stands a moment behind it. */
function isMarkBehind({ at, code }: Point, times: ReadonlySet<number>): boolean {
  if (code !== EXPIRED) return false;
  for (let shift = 0; shift <= SHIFT_MAX_MS; shift += 1) if (times.has(at - shift)) return true;
  return false;
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS);
}

/** The mean over time: each value counts until the next one, the last until the next sample or the end of its minute. */
function isMeanOf(
  mean: Point['value'],
  originals: readonly { readonly at: number; readonly reading: Produced }[],
  next: number,
): boolean {
  const values = originals.map(({ reading }) => reading.value);
  const last = originals.at(-1);
  if (typeof mean !== 'number' || last === undefined || values.some((value) => typeof value !== 'number')) return false;
  if (originals.some(({ reading }) => reading.reason !== 'good')) return false;
  const end = (minuteOf(last.at) + 1) * MINUTE_MS;
  return [end, Math.min(end, next)].some((until) => {
    const spans = originals.map(({ at }, i) => (originals[i + 1]?.at ?? until) - at);
    const sum = originals.reduce((all, { reading }, i) => all + Number(reading.value) * (spans[i] ?? 0), 0);
    const whole = spans.reduce((all, span) => all + span, 0);
    return Math.abs(mean - sum / whole) <= 1e-9 * Math.max(1, Math.abs(mean));
  });
}

function sameValue(one: Produced, other: Produced): boolean {
  return one.value === other.value && one.reason === other.reason;
}

function historyOf(sample: Sample): string {
  const at = timeOf(sample);
  const time = at === undefined ? `${sample.at} of boot ${sample.boot}` : String(at);
  if (sample.takenAt === undefined) return `drafted for ${time}, never taken by the outbox`;
  return `sample at ${time}, taken at ${sample.takenAt}, ${sample.isSafe ? 'on the disk' : 'not synced'}`;
}

function seriesOf(readings: readonly Produced[], points: readonly Point[]): Map<string, Series> {
  const all = new Map<string, Series>();
  const of = (name: string): Series => {
    let series = all.get(name);
    if (series === undefined) {
      series = { readings: [], points: [] };
      all.set(name, series);
    }
    return series;
  };
  for (const reading of readings) of(`${reading.device}/${reading.metric}`).readings.push(reading);
  for (const point of points) of(`${point.device}/${point.metric}`).points.push(point);
  return all;
}
