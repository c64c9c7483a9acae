// The readers of the API, put together once.
import type { AppDeps } from '../api/deps.js';
import type { RollupService } from '../rollup/rollup-service.js';
import { type Calendar, createCalendar } from './calendar.js';
import { type ChartReader, createChartReader } from './chart-reader.js';
import { createWindowsReader, type WindowsReader } from './windows-reader.js';

export interface Readers {
  readonly windows: WindowsReader;
  readonly charts: ChartReader;
  readonly calendar: Calendar;
}

type ReaderDeps = Pick<AppDeps, 'posts' | 'clock'> & {
  readonly ingest: Pick<AppDeps['ingest'], 'directory'>;
  readonly store: Pick<AppDeps['store'], 'rollUp'>;
  readonly counterEvents: Pick<AppDeps['counterEvents'], 'ofSeries'>;
  /** Absent where the store keeps none. */
  readonly rollups?: Pick<RollupService, 'saved'> | undefined;
};

export function createReaders({ clock, counterEvents, ingest, posts, rollups, store }: ReaderDeps): Readers {
  const calendar = createCalendar();
  const saved = rollups?.saved;
  const birthOf = (post: string) => ingest.directory.post(post)?.birth;
  const windows = createWindowsReader({ posts, birthOf, counterEvents, store, saved, clock, calendar });
  return { calendar, windows, charts: createChartReader({ windows, store, saved, clock, calendar }) };
}
