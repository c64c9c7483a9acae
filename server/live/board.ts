// What all screens show, each piece with the seq of its last change. "Everything that changed since N" is then one scan:
// no queue per browser, and no history to keep.
import type { LiveValue, LiveView } from '#contract/live.js';
import type { AlarmView, DeviceView, MetricView, PostFacts, PostSummary } from '#contract/view.js';
import type { AlarmReader } from '../alarms/alarms.js';
import type { PostConfig } from '../config.js';
import type { KnownPost } from '../ingest/directory.js';
import type { ServerEvent } from '../ingest/events.js';
import type { IngestService } from '../ingest/ingest-service.js';
import type { TotalsReader } from '../rollup/totals-reader.js';
import { devicesOf, factsOf, metricsOf, summarisePost, unheardPost } from './summary.js';

export interface BoardSources {
  readonly posts: readonly PostConfig[];
  readonly ingest: Pick<IngestService, 'latest' | 'directory' | 'subscribe'>;
  readonly alarms: AlarmReader;
  readonly totals: TotalsReader;
}

export interface Changes {
  readonly seq: number;
  readonly posts: PostSummary[];
  readonly alarms: AlarmView[];
  readonly values: LiveValue[];
}

/** What a post page needs besides changes. */
export interface PostFrame {
  readonly devices: DeviceView[];
  readonly metrics: MetricView[];
  readonly facts: PostFacts;
}

export interface LiveBoard {
  /** Rises with every change; never falls within a session. */
  seq(): number;
  knows(post: string): boolean;
  summaries(): PostSummary[];
  summary(post: string): PostSummary | undefined;
  frame(post: string): PostFrame;
  /** Seq at which the devices and metrics of a view last changed: a resume from before needs a snapshot. */
  frameSeq(view: LiveView): number;
  /** With `since` 0: everything, alarms only where they are not normal. */
  changes(view: LiveView, since: number): Changes;
  /** Calls the listener with the post that something changed of. */
  onChange(listener: (post: string) => void): () => void;
  close(): void;
}

interface MetricCell {
  readonly id: number;
  value: LiveValue;
  seq: number;
}

interface PostCell {
  readonly id: string;
  dirty: boolean;
  summary: PostSummary;
  seq: number;
  /** Change of what does not move with every sample: name, link, alarm counts. */
  headSeq: number;
  frameSeq: number;
  readonly metrics: Map<string, MetricCell>;
}

/** Follows ingest, alarms and totals. Metric ids are drawn once per session and never reused. */
export function createLiveBoard(sources: BoardSources): LiveBoard {
  return new SeqBoard(sources);
}

class SeqBoard implements LiveBoard {
  readonly #sources: BoardSources;
  readonly #configs: ReadonlyMap<string, PostConfig>;
  readonly #cells = new Map<string, PostCell>();
  readonly #alarms = new Map<string, { view: AlarmView; seq: number }>();
  readonly #listeners = new Set<(post: string) => void>();
  readonly #unsubscribes: readonly (() => void)[];
  #seq = 1;
  #lastMetricId = 0;

  constructor(sources: BoardSources) {
    this.#sources = sources;
    this.#configs = new Map(sources.posts.map((post) => [post.id, post]));
    const known = sources.ingest.directory.posts().map(({ id }) => id);
    for (const id of [...this.#configs.keys(), ...known]) this.#cellOf(id);
    for (const view of sources.alarms.views()) this.#alarms.set(view.id, { view, seq: this.#seq });
    this.#unsubscribes = [
      sources.ingest.subscribe((event) => this.#follow(event)),
      sources.alarms.subscribe((changed) => this.#followAlarms(changed)),
      sources.totals.subscribe((post) => {
        this.#cellOf(post).dirty = true;
        this.#tell(post);
      }),
    ];
  }

  seq(): number {
    return this.#seq;
  }

  knows(post: string): boolean {
    return this.#cells.has(post);
  }

  summaries(): PostSummary[] {
    return this.#settled().map(({ summary }) => summary);
  }

  summary(post: string): PostSummary | undefined {
    return this.#settledOf(post)?.summary;
  }

  frame(post: string): PostFrame {
    const known = this.#knownPost(post);
    const cell = this.#cellOf(post);
    return {
      devices: devicesOf(known),
      metrics: metricsOf(known, (device, metric) => this.#metricCell(cell, device, metric).id),
      facts: factsOf(this.#configs.get(post)),
    };
  }

  frameSeq(view: LiveView): number {
    return view.page === 'post' ? (this.#cells.get(view.post)?.frameSeq ?? 0) : 0;
  }

  changes(view: LiveView, since: number): Changes {
    const posts = this.#changedPosts(view, since);
    return {
      posts,
      alarms: this.#changedAlarms(view, since),
      values: this.#changedValues(view, since),
      seq: this.#seq,
    };
  }

  onChange(listener: (post: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#listeners.clear();
  }

  #tell(post: string): void {
    for (const listener of this.#listeners) listener(post);
  }

  #knownPost(id: string): KnownPost {
    return this.#sources.ingest.directory.post(id) ?? unheardPost(id);
  }

  #summarise(id: string): PostSummary {
    const { ingest, alarms, totals } = this.#sources;
    return summarisePost(
      this.#knownPost(id),
      this.#configs.get(id),
      ingest.latest,
      alarms.views(id),
      totals.ofPost(id).today,
    );
  }

  #settled(): PostCell[] {
    for (const cell of this.#cells.values()) this.#settle(cell);
    return [...this.#cells.values()];
  }

  #settledOf(post: string): PostCell | undefined {
    const cell = this.#cells.get(post);
    if (cell !== undefined) this.#settle(cell);
    return cell;
  }

  #cellOf(id: string): PostCell {
    const known = this.#cells.get(id);
    if (known !== undefined) return known;
    this.#seq += 1;
    const cell = {
      id,
      dirty: false,
      summary: this.#summarise(id),
      seq: this.#seq,
      headSeq: this.#seq,
      frameSeq: this.#seq,
      metrics: new Map<string, MetricCell>(),
    };
    this.#cells.set(id, cell);
    this.#listMetrics(cell);
    return cell;
  }

  #listMetrics(cell: PostCell): void {
    for (const { device, metric } of this.#knownPost(cell.id).birth?.metrics ?? [])
      this.#metricCell(cell, device, metric);
  }

  #metricCell(cell: PostCell, device: string, metric: string): MetricCell {
    const key = `${device}/${metric}`;
    const known = cell.metrics.get(key);
    if (known !== undefined) return known;
    this.#lastMetricId += 1;
    const latest = this.#sources.ingest.latest.get(cell.id, device, metric);
    const value: LiveValue = [this.#lastMetricId, latest?.value ?? null, latest?.code ?? 0, latest?.at ?? 0];
    // A metric that never had a value has seq 0: it is told to nobody.
    const created = { id: this.#lastMetricId, value, seq: latest === undefined ? 0 : this.#seq };
    cell.metrics.set(key, created);
    return created;
  }

  /** Brings the line of every post up to date before it is read. */
  #settle(cell: PostCell): void {
    if (!cell.dirty) return;
    cell.dirty = false;
    const summary = this.#summarise(cell.id);
    if (JSON.stringify(summary) === JSON.stringify(cell.summary)) return;
    this.#seq += 1;
    cell.seq = this.#seq;
    if (headOf(summary) !== headOf(cell.summary)) cell.headSeq = this.#seq;
    cell.summary = summary;
  }

  #follow(event: ServerEvent): void {
    const cell = this.#cellOf(event.post);
    cell.dirty = true;
    if (event.type === 'birth') {
      this.#seq += 1;
      cell.frameSeq = this.#seq;
      this.#listMetrics(cell);
    }
    if (event.type === 'samples' && !event.historical) this.#takeSamples(cell, event.points);
    this.#tell(event.post);
  }

  #takeSamples(cell: PostCell, points: readonly { device: string; metric: string }[]): void {
    this.#seq += 1;
    for (const { device, metric } of points) {
      const latest = this.#sources.ingest.latest.get(cell.id, device, metric);
      if (latest === undefined) continue;
      const target = this.#metricCell(cell, device, metric);
      const [id, value, code, at] = target.value;
      if (target.seq !== 0 && value === latest.value && code === latest.code && at === latest.at) continue;
      target.value = [id, latest.value, latest.code, latest.at];
      target.seq = this.#seq;
    }
  }

  #followAlarms(changed: readonly AlarmView[]): void {
    this.#seq += 1;
    for (const view of changed) this.#alarms.set(view.id, { view, seq: this.#seq });
    for (const post of new Set(changed.map((view) => view.post))) {
      this.#cellOf(post).dirty = true;
      this.#tell(post);
    }
  }

  #changedPosts(view: LiveView, since: number): PostSummary[] {
    const chosen =
      view.page === 'post' ? [this.#settledOf(view.post)].filter((cell) => cell !== undefined) : this.#settled();
    const seqOf = (cell: PostCell) => (view.page === 'alarms' ? cell.headSeq : cell.seq);
    return chosen.filter((cell) => seqOf(cell) > since).map((cell) => cell.summary);
  }

  #changedAlarms(view: LiveView, since: number): AlarmView[] {
    const found: AlarmView[] = [];
    for (const alarm of this.#alarms.values()) {
      if (alarm.seq <= since || (since === 0 && alarm.view.state === 'normal')) continue;
      if (view.page === 'post' && alarm.view.post !== view.post) continue;
      found.push(alarm.view);
    }
    return found;
  }

  #changedValues(view: LiveView, since: number): LiveValue[] {
    if (view.page !== 'post') return [];
    const values: LiveValue[] = [];
    for (const cell of this.#cells.get(view.post)?.metrics.values() ?? [])
      if (cell.seq > since) values.push(cell.value);
    return values;
  }
}

/** The slow part of a summary, as one comparable text. */
function headOf(summary: PostSummary): string {
  return JSON.stringify([summary.name, summary.link, summary.registered, summary.identity, summary.alarms]);
}
