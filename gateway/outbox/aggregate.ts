// How a full outbox becomes smaller without losing what matters: gauges of one minute become their mean. Pure.
import { metricOf } from '#domain/metric.js';
import type { OutboxSample } from '../ports.js';

/** A record that waits, was never sent, and has its times. */
export interface PlainRecord {
  readonly seq: number;
  /** Only records of one key come together: epoch, boot, and whether there was a connection. */
  readonly key: string;
  readonly at: number;
  readonly samples: readonly OutboxSample[];
}

export interface Aggregated {
  /** Numbers of the records that this one replaces; its own is the highest of them. */
  readonly replaces: readonly number[];
  readonly record: PlainRecord;
  /** Samples that means now stand for. */
  readonly samples: number;
}

const AGGREGATE_MS = 60_000;

export const minuteOf = (at: number): number => Math.floor(at / AGGREGATE_MS);

interface Run {
  readonly samples: OutboxSample[];
  readonly minute: number;
  /** Time of the sample that ended it. */
  end?: number;
}

/**
 * Joins the records of one device and minute (UTC) into one. In it, runs of two and more good samples of a gauge become one
 * sample: their mean, weighted by how long each value stood, at the time of the run's last sample, reason `aggregated`.
 * Everything else stays as it is: counters, states, texts, what is not good, the first good sample after one that is not, and
 * the first of a metric here, since nobody knows what was before. Records without such a run, and records of several devices,
 * are not in the answer. @param records by rising number @param samplesMax of one record
 */
export function aggregateRecords(records: readonly PlainRecord[], samplesMax: number): readonly Aggregated[] {
  const wasGood = new Map<string, boolean>();
  return groupsOf(records, samplesMax).flatMap((group) => {
    const aggregated = aggregateGroup(group, wasGood);
    return aggregated === undefined ? [] : [aggregated];
  });
}

function groupsOf(records: readonly PlainRecord[], samplesMax: number): PlainRecord[][] {
  const groups: PlainRecord[][] = [];
  const open = new Map<string, { group: PlainRecord[]; samples: number }>();
  for (const record of records) {
    const devices = new Set(record.samples.map(({ device }) => device));
    const [device] = devices;
    // Of several devices: alone, so that its samples are still seen in their order.
    const name = devices.size === 1 ? `${record.key} ${device} ${minuteOf(record.at)}` : undefined;
    const known = name === undefined ? undefined : open.get(name);
    if (known !== undefined && known.samples + record.samples.length <= samplesMax) {
      known.group.push(record);
      known.samples += record.samples.length;
      continue;
    }
    const group = [record];
    groups.push(group);
    if (name !== undefined) open.set(name, { group, samples: record.samples.length });
  }
  return groups;
}

function aggregateGroup(group: readonly PlainRecord[], wasGood: Map<string, boolean>): Aggregated | undefined {
  const samples = group.flatMap((record) => record.samples);
  const runs = runsOf(samples, wasGood);
  const [first] = samples;
  const last = group.at(-1);
  if (last === undefined || first === undefined || group.length === 1) return undefined;
  const means = new Map<OutboxSample, OutboxSample | undefined>();
  let count = 0;
  for (const run of runs) {
    if (run.samples.length < 2) continue;
    for (const sample of run.samples) means.set(sample, undefined);
    const final = run.samples[run.samples.length - 1] as OutboxSample;
    means.set(final, { ...final, value: meanOf(run), reason: 'aggregated' });
    count += run.samples.length;
  }
  if (count === 0) return undefined;
  const kept = samples.flatMap((sample) => {
    if (!means.has(sample)) return [sample];
    const mean = means.get(sample);
    return mean === undefined ? [] : [mean];
  });
  return { replaces: group.map(({ seq }) => seq), record: { ...last, samples: kept }, samples: count };
}

/** Good gauge samples that follow each other within a minute. */
function runsOf(samples: readonly OutboxSample[], wasGood: Map<string, boolean>): readonly Run[] {
  const runs: Run[] = [];
  const open = new Map<string, Run>();
  for (const sample of samples) {
    const name = `${sample.device} ${sample.metric}`;
    const isGood = sample.reason === 'good';
    const run = open.get(name);
    const previous = run?.samples.at(-1);
    const mayJoin = isGood && wasGood.get(name) === true && isGauge(sample);
    const minute = minuteOf(sample.at);
    if (mayJoin && run?.minute === minute && previous !== undefined && previous.at < sample.at)
      run.samples.push(sample);
    else {
      if (run !== undefined) run.end = sample.at;
      open.delete(name);
      if (mayJoin) {
        const begun: Run = { samples: [sample], minute };
        runs.push(begun);
        open.set(name, begun);
      }
    }
    wasGood.set(name, isGood);
  }
  return runs;
}

function isGauge({ metric, value }: OutboxSample): boolean {
  return typeof value === 'number' && metricOf(metric)?.kind === 'gauge';
}

/** Each value weighs as long as it stood: until the next sample, the last one until the minute's end. */
function meanOf(run: Run): number {
  const end = (run.minute + 1) * AGGREGATE_MS;
  let [sum, weights, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  run.samples.forEach(({ at, value }, i) => {
    const until = run.samples[i + 1]?.at ?? Math.max(at, Math.min(end, run.end ?? end));
    const number = Number(value);
    sum += number * (until - at);
    weights += until - at;
    least = Math.min(least, number);
    most = Math.max(most, number);
  });
  return weights === 0 ? least : Math.min(most, Math.max(least, sum / weights));
}
