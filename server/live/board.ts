// What all screens show, each piece with the seq of its last change. "Everything that changed since N" is then one scan:
// no queue per browser, and no history to keep.
import type { LiveValue, LiveView } from '#contract/live.js';
import type { AlarmView, DeviceView, MetricView, PostFacts, PostSummary } from '#contract/view.js';
import type { AlarmReader } from '../alarms/alarms.js';
import type { PostConfig } from '../config.js';
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
  const configs = new Map(sources.posts.map((post) => [post.id, post]));
  const cells = new Map<string, PostCell>();
  const alarms = new Map<string, { view: AlarmView; seq: number }>();
  const listeners = new Set<(post: string) => void>();
  let seq = 1;
  let lastMetricId = 0;

  const knownPost = (id: string) => sources.ingest.directory.post(id) ?? unheardPost(id);
  const summarise = (id: string): PostSummary =>
    summarisePost(
      knownPost(id),
      configs.get(id),
      sources.ingest.latest,
      sources.alarms.views(id),
      sources.totals.ofPost(id).today,
    );

  function cellOf(id: string): PostCell {
    const known = cells.get(id);
    if (known !== undefined) return known;
    seq += 1;
    const cell = {
      id,
      dirty: false,
      summary: summarise(id),
      seq,
      headSeq: seq,
      frameSeq: seq,
      metrics: new Map<string, MetricCell>(),
    };
    cells.set(id, cell);
    listMetrics(cell);
    return cell;
  }

  function listMetrics(cell: PostCell): void {
    for (const { device, metric } of knownPost(cell.id).birth?.metrics ?? []) metricCell(cell, device, metric);
  }

  function metricCell(cell: PostCell, device: string, metric: string): MetricCell {
    const key = `${device}/${metric}`;
    const known = cell.metrics.get(key);
    if (known !== undefined) return known;
    lastMetricId += 1;
    const latest = sources.ingest.latest.get(cell.id, device, metric);
    const value: LiveValue = [lastMetricId, latest?.value ?? null, latest?.code ?? 0, latest?.at ?? 0];
    // A metric that never had a value has seq 0: it is told to nobody.
    const created = { id: lastMetricId, value, seq: latest === undefined ? 0 : seq };
    cell.metrics.set(key, created);
    return created;
  }

  /** Brings the line of every post up to date before it is read. */
  function settle(cell: PostCell): void {
    if (!cell.dirty) return;
    cell.dirty = false;
    const summary = summarise(cell.id);
    if (JSON.stringify(summary) === JSON.stringify(cell.summary)) return;
    seq += 1;
    cell.seq = seq;
    if (headOf(summary) !== headOf(cell.summary)) cell.headSeq = seq;
    cell.summary = summary;
  }

  function follow(event: ServerEvent): void {
    const cell = cellOf(event.post);
    cell.dirty = true;
    if (event.type === 'birth') {
      seq += 1;
      cell.frameSeq = seq;
      listMetrics(cell);
    }
    if (event.type === 'samples' && !event.historical) takeSamples(cell, event.points);
    tell(event.post);
  }

  function takeSamples(cell: PostCell, points: readonly { device: string; metric: string }[]): void {
    seq += 1;
    for (const { device, metric } of points) {
      const latest = sources.ingest.latest.get(cell.id, device, metric);
      if (latest === undefined) continue;
      const target = metricCell(cell, device, metric);
      const [id, value, code, at] = target.value;
      if (target.seq !== 0 && value === latest.value && code === latest.code && at === latest.at) continue;
      target.value = [id, latest.value, latest.code, latest.at];
      target.seq = seq;
    }
  }

  function followAlarms(changed: readonly AlarmView[]): void {
    seq += 1;
    for (const view of changed) alarms.set(view.id, { view, seq });
    for (const post of new Set(changed.map((view) => view.post))) {
      cellOf(post).dirty = true;
      tell(post);
    }
  }

  const tell = (post: string): void => {
    for (const listener of listeners) listener(post);
  };

  for (const id of [...configs.keys(), ...sources.ingest.directory.posts().map((post) => post.id)]) cellOf(id);
  for (const view of sources.alarms.views()) alarms.set(view.id, { view, seq });
  const unsubscribes = [
    sources.ingest.subscribe(follow),
    sources.alarms.subscribe(followAlarms),
    sources.totals.subscribe((post) => {
      cellOf(post).dirty = true;
      tell(post);
    }),
  ];

  const settled = (): PostCell[] => {
    for (const cell of cells.values()) settle(cell);
    return [...cells.values()];
  };

  function changedPosts(view: LiveView, since: number): PostSummary[] {
    const chosen = view.page === 'post' ? settled().filter((cell) => cell.id === view.post) : settled();
    const seqOf = (cell: PostCell) => (view.page === 'alarms' ? cell.headSeq : cell.seq);
    return chosen.filter((cell) => seqOf(cell) > since).map((cell) => cell.summary);
  }

  function changedAlarms(view: LiveView, since: number): AlarmView[] {
    const found: AlarmView[] = [];
    for (const alarm of alarms.values()) {
      if (alarm.seq <= since || (since === 0 && alarm.view.state === 'normal')) continue;
      if (view.page === 'post' && alarm.view.post !== view.post) continue;
      found.push(alarm.view);
    }
    return found;
  }

  function changedValues(view: LiveView, since: number): LiveValue[] {
    if (view.page !== 'post') return [];
    const values: LiveValue[] = [];
    for (const cell of cells.get(view.post)?.metrics.values() ?? []) if (cell.seq > since) values.push(cell.value);
    return values;
  }

  return {
    seq: () => seq,
    knows: (post) => cells.has(post),
    summaries: () => settled().map((cell) => cell.summary),
    summary(post) {
      const cell = cells.get(post);
      if (cell === undefined) return undefined;
      settle(cell);
      return cell.summary;
    },
    frame: (post) => ({
      devices: devicesOf(knownPost(post)),
      metrics: metricsOf(knownPost(post), (device, metric) => metricCell(cellOf(post), device, metric).id),
      facts: factsOf(configs.get(post)),
    }),
    frameSeq: (view) => (view.page === 'post' ? (cells.get(view.post)?.frameSeq ?? 0) : 0),
    changes(view, since) {
      const posts = changedPosts(view, since);
      return { posts, alarms: changedAlarms(view, since), values: changedValues(view, since), seq };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const unsubscribe of unsubscribes) unsubscribe();
      listeners.clear();
    },
  };
}

/** The slow part of a summary, as one comparable text. */
function headOf(summary: PostSummary): string {
  return JSON.stringify([summary.name, summary.link, summary.registered, summary.alarms]);
}
