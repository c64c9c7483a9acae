// What is remembered of each stretch of records, so that live records and taken times are found without an index on the disk.
export interface RecordTimes {
  readonly seq: number;
  readonly at: number;
  readonly before: number;
  readonly after: number;
  readonly offline: boolean;
}

interface Zone {
  /** Least and greatest time of any sample. */
  min: number;
  max: number;
  /** Greatest time of a record that was made while connected. */
  online: number;
}

const ZONE_RECORDS = 256;
/** Zones whose times are held decoded. */
const DECODED_MAX = 64;

export const zoneOf = (seq: number): number => Math.floor(seq / ZONE_RECORDS);

/** The first and last number of a zone. */
export function zoneRange(zone: number): [number, number] {
  return [zone * ZONE_RECORDS, zone * ZONE_RECORDS + ZONE_RECORDS - 1];
}

/** Bounds only: a zone may promise more than it has, never less. */
export class Zones {
  readonly #zones = new Map<number, Zone>();
  readonly #decoded = new Map<number, Set<string>>();
  /** Greatest time of any sample. */
  #top = Number.NEGATIVE_INFINITY;

  widen(zone: number, min: number, max: number, online: number): void {
    const known = this.#zones.get(zone);
    this.#zones.set(zone, {
      min: Math.min(known?.min ?? min, min),
      max: Math.max(known?.max ?? max, max),
      online: Math.max(known?.online ?? online, online),
    });
    this.#top = Math.max(this.#top, max);
  }

  note(times: RecordTimes, samples: readonly { readonly device: string; readonly at: number }[]): void {
    const { seq, at, before, after, offline } = times;
    const zone = zoneOf(seq);
    this.widen(zone, at - before, at + after, offline ? Number.NEGATIVE_INFINITY : at);
    const decoded = this.#decoded.get(zone);
    if (decoded !== undefined) for (const sample of samples) decoded.add(`${sample.device} ${sample.at}`);
  }

  /** Zones that may have records made while connected since then, in order. */
  liveZones(since: number): number[] {
    const found: number[] = [];
    for (const [zone, { online }] of this.#zones) if (online >= since) found.push(zone);
    return found.sort((a, b) => a - b);
  }

  /** @param decode gives the device and time of every sample in a zone, as one word each */
  hasTime(device: string, at: number, decode: (zone: number) => Set<string>): boolean {
    if (at > this.#top) return false;
    const name = `${device} ${at}`;
    for (const [zone, { min, max }] of this.#zones) {
      if (at < min || at > max) continue;
      let decoded = this.#decoded.get(zone);
      if (decoded === undefined) {
        decoded = decode(zone);
        const oldest = this.#decoded.keys().next();
        if (this.#decoded.size >= DECODED_MAX && oldest.done !== true) this.#decoded.delete(oldest.value);
        this.#decoded.set(zone, decoded);
      }
      if (decoded.has(name)) return true;
    }
    return false;
  }

  forgetBelow(seq: number): void {
    for (const zone of this.#zones.keys())
      if (zone < zoneOf(seq)) {
        this.#zones.delete(zone);
        this.#decoded.delete(zone);
      }
  }
}
