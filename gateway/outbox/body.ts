// Samples of one record as bytes on the post's disk. They hold metric ids: a record outlives every birth.
import { Encoder } from 'cbor-x';
import { codeOf, reasonOf } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { OutboxSample } from '../ports.js';

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: false });

/** [device, time of its first sample, metrics, values, quality codes or null where all are good, steps of time or null]. */
type Group = [string, number, string[], Value[], number[] | null, number[] | null];

export function encodeSamples(samples: readonly OutboxSample[]): Buffer {
  const groups = new Map<string, OutboxSample[]>();
  for (const sample of samples) {
    const group = groups.get(sample.device);
    if (group === undefined) groups.set(sample.device, [sample]);
    else group.push(sample);
  }
  return Buffer.from(cbor.encode([...groups.values()].map(packGroup)));
}

function packGroup(samples: readonly OutboxSample[]): Group {
  const [first] = samples;
  const start = first?.at ?? 0;
  const codes = samples.map((sample) => codeOf(sample.reason));
  const steps = samples.map((sample) => sample.at - start);
  return [
    first?.device ?? '',
    start,
    samples.map((sample) => sample.metric),
    samples.map((sample) => sample.value),
    codes.every((code) => code === 0) ? null : codes,
    steps.every((step) => step === 0) ? null : steps,
  ];
}

/** The inverse of {@link encodeSamples}, with `shiftMs` added to every time. The bytes are our own: it throws on any others. */
export function decodeSamples(body: Uint8Array, shiftMs: number): OutboxSample[] {
  const groups = cbor.decode(body) as Group[];
  return groups.flatMap(([device, start, metrics, values, codes, steps]) =>
    metrics.map((metric, i) => {
      const reason = reasonOf(codes?.[i] ?? 0);
      const at = start + (steps?.[i] ?? 0) + shiftMs;
      // A reason that only a newer version knows: its value cannot be judged.
      if (reason === undefined) return { device, metric, value: null, reason: 'incomplete' as const, at };
      return { device, metric, value: values[i] ?? null, reason, at };
    }),
  );
}

/** The times of each device in a record, each once. */
export function timesOf(samples: readonly OutboxSample[]): { device: string; at: number }[] {
  const seen = new Map<string, Set<number>>();
  for (const { device, at } of samples) {
    const times = seen.get(device);
    if (times === undefined) seen.set(device, new Set([at]));
    else times.add(at);
  }
  return [...seen].flatMap(([device, times]) => [...times].map((at) => ({ device, at })));
}
