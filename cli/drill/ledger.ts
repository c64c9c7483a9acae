// What the drill knows by itself: every reading that the devices gave, at which time by which clock, and what became of it on
// the post. It looks at what goes into recorder and outbox and what comes out, never at what they think.
import type { Reason } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { RecordDraft } from '#gateway/outbox/outbox.js';
import type { PollResult } from '#gateway/ports.js';

/** One reading of a device, from the moment that the reader handed it over. */
export interface Produced {
  readonly device: string;
  readonly metric: string;
  readonly value: Value;
  readonly reason: Reason;
  /** When it was taken, by a clock that is always right, epoch ms. */
  readonly trueAt: number;
  /** When it was taken by the gateway's own clock; `undefined` while that knew no time. */
  readonly clockAt: number | undefined;
  readonly life: Life;
  /** The last reading of this metric that had become a sample before, in this life. */
  readonly reference: Produced | undefined;
  /** The sample that it became. */
  sample?: Sample;
}

export interface Sample {
  readonly produced: Produced;
  /** As it was drafted: epoch ms, or of the boot's monotonic clock. */
  readonly at: number;
  readonly boot: string | undefined;
  /** True time at which the outbox took it; `undefined` while it has not. */
  takenAt?: number;
  /** The outbox said afterwards that everything is safe from a power cut. */
  isSafe: boolean;
  /** What the gateway added once it knew the time. */
  offsetMs?: number;
}

/** One start of a gateway, to its end. */
export interface Life {
  readonly number: number;
  readonly card: Card;
  readonly latest: Map<string, { reading: Produced; sampled: Produced | undefined }>;
  readonly unsafe: Set<Sample>;
  readonly drafted: Map<RecordDraft, readonly Sample[]>;
  /** Set by a power cut: true time of it. */
  cutAt?: number;
}

/** A flash card: what outlives a life. A cloned one has its own. */
export interface Card {
  readonly name: string;
  /** Samples without a time, by boot. */
  readonly untimed: Map<string, Set<Sample>>;
}

export class Ledger {
  readonly produced: Produced[] = [];
  /** Drafts that agree with nothing that a device gave. */
  readonly invented: string[] = [];
  /** Times given to samples that lay far from the truth. */
  readonly mistimed: string[] = [];
  #lives = 0;

  newCard(name: string): Card {
    return { name, untimed: new Map() };
  }

  newLife(card: Card): Life {
    this.#lives += 1;
    return { number: this.#lives, card, latest: new Map(), unsafe: new Set(), drafted: new Map() };
  }

  /**
   * The reader gave these. `truthMs` and `clockMs` are to be added to the times of the readings for the true time and for the
   * time by the gateway's clock.
   */
  took(life: Life, results: readonly PollResult[], truthMs: number, clockMs: number | undefined): void {
    for (const { device, readings } of results)
      for (const { metric, value, reason, at } of readings) {
        const key = `${device}/${metric}`;
        const before = life.latest.get(key);
        const reading: Produced = {
          device,
          metric,
          // Minus zero is zero.
          value: value === 0 ? 0 : value,
          reason,
          trueAt: at + truthMs,
          clockAt: clockMs === undefined ? undefined : Math.round(at + clockMs),
          life,
          reference: before?.sampled,
        };
        life.latest.set(key, { reading, sampled: before?.sampled });
        this.produced.push(reading);
      }
  }

  /** The gateway asks the outbox to take these; what a full disk does not take it brings again. */
  drafted(life: Life, drafts: readonly RecordDraft[]): void {
    for (const draft of drafts)
      if (!life.drafted.has(draft))
        life.drafted.set(
          draft,
          draft.samples.flatMap((sample) => this.#sampleOf(life, draft, sample)),
        );
  }

  #sampleOf(life: Life, draft: RecordDraft, drafted: RecordDraft['samples'][number]): Sample[] {
    const { device, metric, value, reason, at } = drafted;
    const key = `${device}/${metric}`;
    const latest = life.latest.get(key);
    // What the gateway says of itself comes from no device.
    if (device === GATEWAY) return [];
    if (latest === undefined || latest.reading.value !== value || latest.reading.reason !== reason) {
      this.invented.push(`${key} = ${String(value)} (${reason}) at ${at}: no device said so`);
      return [];
    }
    const { reading } = latest;
    const sample: Sample = { produced: reading, at, boot: draft.boot, isSafe: false };
    const before = reading.sample;
    // The same reading again, in a snapshot. Under another time it would be a point that belongs to nothing.
    if (before?.takenAt !== undefined) return [];
    reading.sample = sample;
    life.latest.set(key, { reading, sampled: reading });
    return [sample];
  }

  /** The outbox has taken these. */
  kept(life: Life, drafts: readonly RecordDraft[], trueNow: number): void {
    for (const draft of drafts) {
      for (const sample of life.drafted.get(draft) ?? []) {
        sample.takenAt = trueNow;
        life.unsafe.add(sample);
        if (sample.boot !== undefined) untimedOf(life.card, sample.boot).add(sample);
      }
      life.drafted.delete(draft);
    }
  }

  /** The outbox says that all it has taken is safe. */
  synced(life: Life): void {
    for (const sample of life.unsafe) sample.isSafe = true;
    life.unsafe.clear();
  }

  /**
   * The outbox has given the records of this boot their time.
   * @param errorMsMax how wrong it may be: a server's word is as old as it was on its way
   */
  timed(card: Card, boot: string, offsetMs: number, errorMsMax: number): void {
    for (const sample of untimedOf(card, boot)) {
      sample.offsetMs = offsetMs;
      const { device, metric, trueAt } = sample.produced;
      const offMs = Math.abs(sample.at + offsetMs - trueAt);
      if (offMs > errorMsMax) this.mistimed.push(`${device}/${metric} at ${trueAt}: ${Math.round(offMs)} ms off`);
    }
    card.untimed.delete(boot);
  }
}

export const GATEWAY = 'gateway';
function untimedOf(card: Card, boot: string): Set<Sample> {
  let samples = card.untimed.get(boot);
  if (samples === undefined) {
    samples = new Set();
    card.untimed.set(boot, samples);
  }
  return samples;
}

/** Epoch ms; `undefined` while the time is not known. */
export function timeOf(sample: Sample): number | undefined {
  if (sample.boot === undefined) return sample.at;
  return sample.offsetMs === undefined ? undefined : sample.at + Math.round(sample.offsetMs);
}
