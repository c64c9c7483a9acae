// Names of series and their numbers, and what type each metric holds. In the caller's thread, where points come with names.
import type { Point, SeriesName } from '../../ports.js';
import { declaredType, type ValueType } from '../point-rules.js';
import type { CatalogueRows } from './engine.js';

export interface MetricEntry {
  readonly name: string;
  /** Unknown until the first value of a metric outside the vocabulary. */
  type: ValueType | undefined;
}

export interface SeriesEntry extends SeriesName {
  readonly id: number;
  readonly metricEntry: MetricEntry;
  /** What was written after it last time: most likely so again. */
  next: SeriesEntry | undefined;
}

export class Catalogue {
  readonly #metrics = new Map<string, MetricEntry>();
  readonly #posts = new Map<string, Map<string, Map<string, SeriesEntry>>>();
  #nextId = 1;
  #fresh: SeriesEntry[] = [];
  #freshTypes: MetricEntry[] = [];

  constructor({ series, types }: CatalogueRows) {
    for (const [name, type] of types) this.#metrics.set(name, { name, type });
    for (const [id, post, device, metric] of series) this.#add(id, post, device, metric);
  }

  #add(id: number, post: string, device: string, metric: string): SeriesEntry {
    const entry = { id, post, device, metric, metricEntry: this.#metricOf(metric), next: undefined };
    this.#devicesOf(post, device).set(metric, entry);
    this.#nextId = Math.max(this.#nextId, id + 1);
    return entry;
  }

  #devicesOf(post: string, device: string): Map<string, SeriesEntry> {
    const ofPost = this.#posts.get(post) ?? new Map<string, Map<string, SeriesEntry>>();
    this.#posts.set(post, ofPost);
    const ofDevice = ofPost.get(device) ?? new Map<string, SeriesEntry>();
    ofPost.set(device, ofDevice);
    return ofDevice;
  }

  #metricOf(name: string): MetricEntry {
    const known = this.#metrics.get(name);
    if (known !== undefined) return known;
    const entry = { name, type: declaredType(name) };
    this.#metrics.set(name, entry);
    return entry;
  }

  typeOf(metric: string): ValueType | undefined {
    return this.#metricOf(metric).type;
  }

  find({ device, metric, post }: SeriesName): SeriesEntry | undefined {
    return this.#posts.get(post)?.get(device)?.get(metric);
  }

  ofPost(post: string): SeriesEntry[] {
    return [...(this.#posts.get(post)?.values() ?? [])].flatMap((ofDevice) => [...ofDevice.values()]);
  }

  /** @param last the series of the point before */
  entryOf(point: Point, last: SeriesEntry | undefined): SeriesEntry {
    const likely = last?.next;
    if (likely !== undefined && isOf(likely, point)) return likely;
    let entry = this.find(point);
    if (entry === undefined) {
      entry = this.#add(this.#nextId, point.post, point.device, point.metric);
      this.#fresh.push(entry);
    }
    if (last !== undefined) last.next = entry;
    return entry;
  }

  learn(metric: MetricEntry, type: ValueType): void {
    metric.type = type;
    this.#freshTypes.push(metric);
  }

  /** What is here but not yet in the store. */
  fresh(): CatalogueRows | undefined {
    if (this.#fresh.length === 0 && this.#freshTypes.length === 0) return undefined;
    return {
      series: this.#fresh.map(({ device, id, metric, post }) => [id, post, device, metric] as const),
      types: this.#freshTypes.flatMap(({ name, type }) => (type === undefined ? [] : [[name, type] as const])),
    };
  }

  /** What was fresh is in the store now, or never came there. */
  settle(isStored: boolean): void {
    if (!isStored) {
      for (const { device, metric, post } of this.#fresh) this.#posts.get(post)?.get(device)?.delete(metric);
      for (const entry of this.#freshTypes) entry.type = undefined;
      for (const ofPost of this.#posts.values())
        for (const ofDevice of ofPost.values()) for (const entry of ofDevice.values()) entry.next = undefined;
    }
    this.#fresh = [];
    this.#freshTypes = [];
  }
}

function isOf(entry: SeriesEntry, point: Point): boolean {
  return entry.metric === point.metric && entry.device === point.device && entry.post === point.post;
}
