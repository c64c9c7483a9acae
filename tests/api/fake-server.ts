// A server face over parts that a test moves by hand.

import type { FastifyInstance } from 'fastify';
import type { Birth } from '#contract/session.js';
import type { AlarmView, JournalEntry } from '#contract/view.js';
import { failed, ok } from '#domain/result.js';
import type { Alarms } from '#server/alarms/alarms.js';
import type { AppDeps } from '#server/api/deps.js';
import { buildApp } from '#server/app.js';
import type { PostConfig } from '#server/config.js';
import type { KnownPost } from '#server/ingest/directory.js';
import type { Listener, ServerEvent } from '#server/ingest/events.js';
import type { IngestService } from '#server/ingest/ingest-service.js';
import type { Latest } from '#server/ingest/latest.js';
import { createLiveBoard } from '#server/live/board.js';
import { createLiveHub, type HubLimits } from '#server/live/hub.js';
import type { Point, Store } from '#server/ports.js';
import { emptyTotals } from '#server/rollup/totals-reader.js';
import { rollUpByReading } from '#tests/support/rollup-by-reading.js';
import { VirtualTime } from '#tests/support/virtual-time.js';

export const NOON = Date.UTC(2026, 5, 21, 7);

export const KYZYL_ART: PostConfig = {
  id: 'kyzyl-art',
  name: 'Kyzyl-Art',
  zone: 'Asia/Dushanbe',
  latitude: 39.38,
  longitude: 73.32,
  altitudeM: 4280,
  pvCapacityW: 12_000,
  pvTiltDeg: 35,
  pvAzimuthDeg: 180,
  alarms: {},
};

/** One load meter, as a gateway would tell it. */
export function meterBirth(overrides: Partial<Birth> = {}): Birth {
  return {
    birth: 1,
    at: NOON,
    clock: 'synchronised',
    gateway: { version: '0.1.0', publicKey: '', epoch: '00112233445566aa', start: 1 },
    batchPeriodMs: 60_000,
    devices: [
      { id: 'meter-1', kind: 'meter', role: 'load', profile: 'eastron/sdm630', model: 'SDM630', pollPeriodMs: 10_000 },
    ],
    metrics: [
      {
        index: 0,
        device: 'meter-1',
        metric: 'load.power',
        kind: 'gauge',
        unit: 'W',
        pollPeriodMs: 10_000,
        heartbeatS: 300,
      },
      {
        index: 1,
        device: 'meter-1',
        metric: 'load.energy',
        kind: 'counter',
        unit: 'Wh',
        pollPeriodMs: 10_000,
        heartbeatS: 300,
      },
    ],
    ...overrides,
  };
}

/** An ingest whose events and memory a test writes. */
export class FakeIngest implements IngestService {
  readonly #posts = new Map<string, KnownPost>();
  readonly #values = new Map<string, Latest & { device: string; metric: string }>();
  readonly #listeners = new Set<Listener>();
  readonly attended: [string, number][] = [];
  connected = true;

  readonly latest = {
    get: (post: string, device: string, metric: string) => this.#values.get(`${post}/${device}/${metric}`),
    ofPost: (post: string) => [...this.#values].filter(([key]) => key.startsWith(`${post}/`)).map(([, value]) => value),
  };
  readonly directory = {
    posts: () => [...this.#posts.values()],
    post: (id: string) => this.#posts.get(id),
  };

  async importPoints(): Promise<never> {
    throw new Error('nothing is imported here');
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: ServerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  know(id: string, facts: Partial<KnownPost>): void {
    const known = this.#posts.get(id);
    this.#posts.set(id, {
      id,
      birth: undefined,
      link: 'unknown',
      lastContactAt: null,
      lastSampleAt: null,
      backfilling: false,
      ...known,
      ...facts,
    });
  }

  bear(id: string, birth: Birth, at: number): void {
    this.know(id, { birth, link: 'online', lastContactAt: at });
    this.emit({ type: 'birth', post: id, birth });
  }

  /** Live samples of one post: into memory, then told. */
  sample(post: string, points: readonly Omit<Point, 'post'>[]): void {
    const full = points.map((point) => ({ ...point, post }));
    for (const { device, metric, value, code, at } of full)
      this.#values.set(`${post}/${device}/${metric}`, { device, metric, value, code, at });
    const newest = Math.max(...points.map((point) => point.at));
    this.know(post, { link: 'online', lastSampleAt: newest, lastContactAt: newest });
    this.emit({ type: 'samples', post, points: full, historical: false });
  }

  attend(post: string, forS: number): void {
    this.attended.push([post, forS]);
  }
  replay(post: string): ReturnType<IngestService['replay']> {
    return this.#posts.has(post)
      ? ok({ at: NOON, state: 'waiting' as const })
      : failed({ code: 'INGEST_POST_UNKNOWN' as const, message: `there is no post "${post}"` });
  }
  acceptIdentity(): ReturnType<IngestService['acceptIdentity']> {
    return ok(undefined);
  }
  async deadLetters() {
    return [];
  }
  mayCarry(): ReturnType<IngestService['mayCarry']> {
    return ok(undefined);
  }
  openCarry(): ReturnType<IngestService['openCarry']> {
    return failed({ code: 'INGEST_POSTS_LIMIT' as const, message: 'nobody stores here' });
  }
  counters(): Record<string, number> {
    return {};
  }
  brokerConnected(): boolean {
    return this.connected;
  }
  storeOk(): boolean {
    return true;
  }
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
}

/** Keeps points in memory. */
export class FakeStore implements Store {
  points: Point[] = [];
  failing = false;

  async write(points: readonly Point[]) {
    this.points.push(...points);
    return ok([]);
  }
  async read(series: { post: string; device: string; metric: string }, from: number, to: number) {
    if (this.failing) return failed({ code: 'STORE_UNAVAILABLE' as const, message: 'the disk is gone' });
    return ok(this.#of(series).filter(({ at }) => at >= from && at < to));
  }
  async lastBefore(series: { post: string; device: string; metric: string }, at: number) {
    if (this.failing) return failed({ code: 'STORE_UNAVAILABLE' as const, message: 'the disk is gone' });
    return ok(
      this.#of(series)
        .filter((point) => point.at < at && point.value !== null)
        .at(-1),
    );
  }
  async latest() {
    return ok([]);
  }
  rollUp(questions: Parameters<Store['rollUp']>[0]) {
    return rollUpByReading(this, questions);
  }
  async close() {}

  #of(series: { post: string; device: string; metric: string }): Point[] {
    return this.points
      .filter((p) => p.post === series.post && p.device === series.device && p.metric === series.metric)
      .sort((a, b) => a.at - b.at);
  }
}

export class FakeAlarms implements Alarms {
  all: AlarmView[] = [];
  readonly #listeners = new Set<(changed: readonly AlarmView[]) => void>();

  views(post?: string) {
    return this.all.filter((alarm) => post === undefined || alarm.post === post);
  }
  subscribe(listener: (changed: readonly AlarmView[]) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  change(alarm: AlarmView) {
    this.all = [...this.all.filter(({ id }) => id !== alarm.id), alarm];
    for (const listener of this.#listeners) listener([alarm]);
  }
  acknowledge(request: { alarm: string; by: string; comment?: string | undefined }) {
    const alarm = this.all.find(({ id }) => id === request.alarm);
    if (alarm === undefined) return failed({ code: 'ALARM_UNKNOWN' as const, message: `no alarm "${request.alarm}"` });
    const changed: AlarmView = {
      ...alarm,
      state: 'acknowledged',
      acknowledgedBy: request.by,
      comment: request.comment ?? null,
    };
    this.change(changed);
    return ok(changed);
  }
  reset(request: { alarm: string }) {
    return failed({ code: 'ALARM_NOTHING_TO_RESET' as const, message: `"${request.alarm}" is not latched` });
  }
  counters() {
    return {};
  }
}

export function socLow(post: string, overrides: Partial<AlarmView> = {}): AlarmView {
  return {
    id: `${post}/batterySocLow/bms`,
    post,
    device: 'bms',
    rule: 'batterySocLow',
    priority: 3,
    state: 'unacknowledged',
    condition: 'true',
    since: NOON,
    returnedAt: null,
    count: 1,
    value: 28,
    limit: 30,
    unit: '%',
    latching: false,
    acknowledgedBy: null,
    acknowledgedAt: null,
    comment: null,
    ...overrides,
  };
}

function nobodyKeeps(): ReturnType<AppDeps['counterEvents']['add']> {
  return failed({ code: 'REGISTRY_FAULT' as const, message: 'nobody keeps counter events here' });
}

export interface FakeServer {
  readonly app: FastifyInstance;
  readonly ingest: FakeIngest;
  readonly store: FakeStore;
  readonly alarms: FakeAlarms;
  readonly time: VirtualTime;
  readonly counts: Record<string, number>;
  readonly journal: JournalEntry[];
}

/** The application over fakes, with one post and its meter. */
export async function fakeServer(
  overrides: Partial<AppDeps> & { hubLimits?: Partial<HubLimits>; posts?: readonly PostConfig[] } = {},
): Promise<FakeServer> {
  const time = new VirtualTime(NOON);
  const ingest = new FakeIngest();
  const store = new FakeStore();
  const alarms = new FakeAlarms();
  const counts: Record<string, number> = {};
  const journal: JournalEntry[] = [];
  const posts = overrides.posts ?? [KYZYL_ART];
  ingest.know('kyzyl-art', { birth: meterBirth(), link: 'online', lastContactAt: NOON });
  const empty = emptyTotals({ from: NOON, to: NOON }, 'UTC');
  const totals = {
    ofPost: () => ({ today: empty, month: empty }),
    ofFleet: () => ({ today: empty, month: empty }),
    subscribe: () => () => {},
  };
  const board = createLiveBoard({ posts, ingest, alarms, totals });
  const hub = createLiveHub({
    board,
    session: 'session-1',
    clock: time,
    scheduler: time,
    attend: (post, forS) => ingest.attend(post, forS),
    ...(overrides.hubLimits !== undefined && { limits: overrides.hubLimits }),
  });
  const app = await buildApp({
    fleet: 'pamir',
    version: '0.1.0',
    startedAt: NOON,
    clock: time,
    log: { info() {}, warn() {}, error: (fields: object, message: string) => console.error(message, fields) },
    ingest,
    store,
    databases: [],
    registry: { journal: ({ limit }) => journal.slice(0, limit), saveAlarms: () => undefined },
    alarms,
    counterEvents: { ofPost: () => [], ofSeries: () => [], add: nobodyKeeps, correct: nobodyKeeps },
    totals,
    board,
    hub,
    counters: () => ({ ...hub.counters(), ...counts }),
    count: (name) => {
      counts[name] = (counts[name] ?? 0) + 1;
    },
    impactPage: (data, language) => `<!doctype html><html lang="${language}"><p>${data.fleet}</p></html>`,
    textsFolder: '/nonexistent',
    spoolFolder: '/nonexistent',
    ...overrides,
    posts,
  });
  return { app, ingest, store, alarms, time, counts, journal };
}
