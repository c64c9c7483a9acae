// What the routes are given. They translate and delegate; they hold nothing.
import type { Clock } from '#domain/clock.js';
import type { Alarms } from '../alarms/alarms.js';
import type { PostConfig } from '../config.js';
import type { IngestService, Log } from '../ingest/ingest-service.js';
import type { LiveBoard } from '../live/board.js';
import type { LiveHub } from '../live/hub.js';
import type { BackedUp, ImpactPage, Registry, Store } from '../ports.js';
import type { Readers } from '../query/readers.js';
import type { CounterEvents } from '../rollup/counter-events.js';
import type { RollupService } from '../rollup/rollup-service.js';
import type { TotalsReader } from '../rollup/totals-reader.js';
import type { Playground } from './playground.js';
import type { Turns } from './turns.js';

/** Limits and refusals of the API. Each is a counter of `/health`. */
export const API_COUNTERS = [
  'apiHostsRefused',
  'apiOriginsRefused',
  'apiRateLimited',
  'apiRequestsInvalid',
  'apiBodiesTooLarge',
  'apiSeriesBusy',
  'apiImportsTaken',
  'apiImportsRefused',
  'apiImportsBusy',
  'apiCounterEventsRefused',
  'apiExports',
  'apiExportsBusy',
] as const;
export type ApiCounter = (typeof API_COUNTERS)[number];

export interface AppDeps {
  readonly fleet: string;
  readonly version: string;
  readonly startedAt: number;
  readonly posts: readonly PostConfig[];
  readonly clock: Clock;
  readonly log: Log;
  readonly ingest: Pick<
    IngestService,
    | 'latest'
    | 'directory'
    | 'brokerConnected'
    | 'storeOk'
    | 'replay'
    | 'acceptIdentity'
    | 'deadLetters'
    | 'mayCarry'
    | 'openCarry'
    | 'importPoints'
  >;
  readonly store: Pick<Store, 'read' | 'lastBefore' | 'rollUp'>;
  readonly registry: Pick<Registry, 'journal' | 'saveAlarms'>;
  readonly alarms: Alarms;
  readonly counterEvents: Pick<CounterEvents, 'ofPost' | 'ofSeries' | 'add' | 'correct'>;
  /** Absent where the store keeps no rollups. */
  readonly rollups?: Pick<RollupService, 'saved'> | undefined;
  readonly totals: TotalsReader;
  readonly board: LiveBoard;
  readonly hub: LiveHub;
  /** Counters of everything behind the API, for `/health`. */
  readonly counters: () => Readonly<Record<string, number>>;
  /** Called with the name of a limit that a request reached. */
  readonly count: (name: ApiCounter) => void;
  readonly playground?: Playground | undefined;
  /** The page that reads without JavaScript. */
  readonly impactPage: ImpactPage;
  /** What a backup copies, each to a file of this name. */
  readonly databases: readonly { readonly name: string; readonly of: BackedUp }[];
  /** Where a carried file waits until it was checked, and backups are made. */
  readonly spoolFolder: string;
  /** Built dashboards; without them only the API and the impact page are served. */
  readonly webFolder?: string | undefined;
  /** Holds `<maker>/texts/<model>.json`. */
  readonly textsFolder: string;
  /** Requests of one address within a minute. */
  readonly requestsPerMinuteMax?: number | undefined;
}

/** What routes that read the store share beside it. */
export interface ApiDeps extends AppDeps, Readers {
  readonly turns: Turns;
}
