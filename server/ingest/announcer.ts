// What stored samples mean for the rest of the server: which are live, which late, and when late data has come to an end.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Point } from '../ports.js';
import type { MutableDirectory } from './directory.js';
import type { ServerEvent } from './events.js';
import { createGapTracker } from './gap-tracker.js';
import type { MutableLatestValues } from './latest.js';
import type { IngestLimits } from './limits.js';
import type { StoredLot } from './writer.js';

export interface AnnouncerDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly limits: Pick<IngestLimits, 'futureMs' | 'gapQuietMs'>;
  readonly latest: MutableLatestValues;
  readonly directory: MutableDirectory;
  readonly emit: (event: ServerEvent) => void;
}

export interface Announcer {
  announce(stored: StoredLot): void;
  counters(): Readonly<Record<string, number>>;
  stop(): void;
}

export function createAnnouncer(deps: AnnouncerDeps): Announcer {
  const { clock, directory, emit, latest, limits } = deps;
  const counters = { samplesLive: 0, samplesLate: 0, samplesRepeated: 0, samplesFromFuture: 0 };
  const gaps = createGapTracker(deps.scheduler, limits.gapQuietMs, (post, from, last) => {
    showBackfilling(post);
    emit({ type: 'gapClosed', post, from, to: last + 1 });
  });

  function showBackfilling(post: string): void {
    const entry = directory.post(post);
    if (entry !== undefined) entry.backfilling = gaps.isBackfilling(post);
  }

  /** Live is what is newer than all before. The rest was sent again, or fills a hole that a lost payload left. */
  function sortOut(points: readonly Point[]): { live: Point[]; late: Point[] } {
    const live: Point[] = [];
    const late: Point[] = [];
    const futureAt = clock.now() + limits.futureMs;
    for (const point of points) {
      const { post, device, metric } = point;
      const present = latest.get(post, device, metric);
      if (point.at > futureAt) counters.samplesFromFuture += 1;
      else if (present?.at === point.at && present.value === point.value && present.code === point.code)
        counters.samplesRepeated += 1;
      else if (latest.set(post, device, metric, point)) live.push(point);
      else late.push(point);
    }
    return { live, late };
  }

  function announceLive(post: string, points: readonly Point[]): void {
    const newest = points.at(-1);
    if (newest === undefined) return;
    counters.samplesLive += points.length;
    const entry = directory.post(post);
    if (entry !== undefined) entry.lastSampleAt = Math.max(newest.at, entry.lastSampleAt ?? newest.at);
    emit({ type: 'samples', post, points, historical: false });
  }

  function announceLate(post: string, points: readonly Point[], announced: boolean): void {
    const [first] = points;
    const last = points.at(-1);
    if (first === undefined || last === undefined) return;
    counters.samplesLate += points.length;
    gaps.saw(post, first.at, last.at, announced);
    showBackfilling(post);
    emit({ type: 'samples', post, points, historical: true });
  }

  return {
    announce({ lot, refused }) {
      const isRefused = new Set(refused.map(({ index }) => index));
      const points = lot.points.filter((_, i) => !isRefused.has(i)).sort((a, b) => a.at - b.at);
      if (lot.historical) {
        announceLate(lot.post, points, true);
        return;
      }
      const { live, late } = sortOut(points);
      announceLive(lot.post, live);
      announceLate(lot.post, late, false);
    },
    counters: () => counters,
    stop: () => gaps.stop(),
  };
}
