// Remembers what an outbox has confirmed, and finds out what of it is there.
import { METRICS } from '#domain/metric.js';
import type { Outbox, RecordDraft } from '#gateway/outbox/outbox.js';
import type { OutboxRecord } from '#gateway/ports.js';

export const NOON = Date.UTC(2026, 0, 15, 12);
const DEVICE = 'meter';
const GAUGES = [...METRICS.values()].filter(({ kind }) => kind === 'gauge').slice(0, 20);

/** The n-th record: a second's gauges, of values that no other has, and a counter. */
export function draftOf(n: number): RecordDraft {
  const at = NOON + n * 1000;
  const gauges = GAUGES.map(({ id }, i) => ({
    device: DEVICE,
    metric: id,
    value: Math.sin(n * 50 + i),
    reason: 'good' as const,
    at,
  }));
  return {
    samples: [{ device: DEVICE, metric: 'load.energy', value: n, reason: 'good', at }, ...gauges],
    offline: true,
    at,
  };
}

export interface Account {
  /** Samples that were confirmed, whose receipt never came, and that are not there. */
  readonly missing: number;
  /** Samples that are there and are not as they were given. What an append has refused may be there, whole. */
  readonly wrong: readonly string[];
}

export class OutboxWitness {
  /** Names of samples that were confirmed and not receipted. */
  readonly #waiting = new Set<string>();
  readonly #records: { readonly epoch: string; readonly id: number; readonly draft: RecordDraft }[] = [];
  #next = 0;

  /** Appends so many drafts at once; true when the outbox has confirmed them. */
  append(outbox: Outbox, count: number): boolean {
    const drafts = Array.from({ length: count }, (_, i) => draftOf(this.#next + i));
    const stored = outbox.append(drafts);
    if (!stored.ok) {
      if (stored.fault.code !== 'OUTBOX_FULL') throw new Error(`${stored.fault.code}: ${stored.fault.message}`);
      return false;
    }
    this.#next += count;
    stored.value.forEach(({ epoch, id }, i) => {
      const draft = drafts[i] as RecordDraft;
      this.#records.push({ epoch, id, draft });
      for (const sample of draft.samples) this.#waiting.add(nameOf(sample));
    });
    return true;
  }

  /** The server confirms the oldest `count` records that it has not confirmed yet. */
  receipt(outbox: Outbox, count: number): number {
    const records = this.#records.splice(0, count);
    const ranges = records.map(({ id }) => [id, id] as const);
    let marked = 0;
    for (const epoch of new Set(records.map((record) => record.epoch)))
      marked += outbox.markReceipted(
        epoch,
        ranges.filter((_, i) => records[i]?.epoch === epoch),
        NOON,
      );
    for (const { draft } of records) for (const sample of draft.samples) this.#waiting.delete(nameOf(sample));
    return marked;
  }

  /** Compares. Records that were receipted may be there and need not. */
  account(outbox: Outbox): Account {
    const found = new Set<string>();
    const wrong: string[] = [];
    for (const { samples } of everything(outbox))
      for (const sample of samples) {
        if (sample.reason === 'aggregated') continue;
        found.add(nameOf(sample));
        const given = draftOf((sample.at - NOON) / 1000).samples.find(({ metric }) => metric === sample.metric);
        if (given === undefined || given.value !== sample.value || sample.reason !== 'good')
          wrong.push(`${nameOf(sample)} is ${String(sample.value)} (${sample.reason}), not ${String(given?.value)}`);
      }
    const missing = [...this.#waiting].filter((name) => !found.has(name)).length;
    return { missing, wrong: wrong.slice(0, 5) };
  }
}

function nameOf({ metric, at }: { readonly metric: string; readonly at: number }): string {
  return `${metric} ${at}`;
}

/** All records, waiting or receipted, each once. Afterwards all of them wait. */
function everything(outbox: Outbox): OutboxRecord[] {
  outbox.replay(0);
  const seen = new Set<string>();
  const records: OutboxRecord[] = [];
  for (;;) {
    const some = outbox.pending('history', {
      liveSince: Number.MAX_SAFE_INTEGER,
      samplesMax: 1e7,
      recordsMax: 1e6,
      skip: (epoch, id) => seen.has(`${epoch} ${id}`),
    });
    if (some.length === 0) return records;
    for (const record of some) seen.add(`${record.epoch} ${record.id}`);
    records.push(...some);
  }
}
