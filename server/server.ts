// The server put together: what it is made of is opened in order, and closed in the opposite one.
import { mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Clock, Random, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import { alarmText, textsOf } from '#texts/catalogue.js';
import { type AlarmService, createAlarmService } from './alarms/alarm-service.js';
import { readCatalogue } from './alarms/catalogue.js';
import { API_COUNTERS, type ApiCounter } from './api/deps.js';
import { isLoopbackHost } from './api/door-keeper.js';
import { clearSpool } from './api/import-file.js';
import type { Playground } from './api/playground.js';
import { buildApp } from './app.js';
import { startEmbeddedBroker } from './broker/embedded-broker.js';
import type { ServerConfig } from './config.js';
import { createIngestService, type IngestService } from './ingest/ingest-service.js';
import type { Log } from './ingest/log.js';
import { createLiveBoard } from './live/board.js';
import { createLiveHub, type LiveHub } from './live/hub.js';
import { createEmailChannel } from './notice/email.js';
import { createNotifier, type Notifier } from './notice/notifier.js';
import type { BackedUp, ImpactPage, Pruned, Rebuilding, Registry, RollupStore, Store } from './ports.js';
import { type CounterEvents, createCounterEvents } from './rollup/counter-events.js';
import { createRollupService, type RollupService } from './rollup/rollup-service.js';
import { createTotals, type TotalsService } from './rollup/totals.js';
import { openEmbeddedStore } from './store/embedded-store.js';
import { createInfluxStore } from './store/influx-store.js';
import { createSqliteRegistry } from './store/sqlite-registry.js';

export interface ServerDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
  readonly impactPage: ImpactPage;
  /** Built dashboards. */
  readonly webFolder?: string | undefined;
  /** Holds `<maker>/texts/<model>.json`. */
  readonly textsFolder: string;
  /** In place of the one that the configuration names. Closed with the server. */
  readonly store?: Store;
  readonly playground?: Playground;
}

/**
 * `CONFIG_NOT_LOOPBACK`, `CONFIG_DATA_FOLDER`: the data folder cannot be made, `CONFIG_CA_FILE`: no certificate there. `HTTP_PORT_TAKEN`, `HTTP_PORT_REFUSED`, and the codes of
 * store and broker. `message` says what to do.
 */
export interface StartFault {
  readonly code: string;
  readonly message: string;
}

export interface RunningServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** Where gateways connect. */
  readonly mqttUrl: string;
  counters(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

type Closer = () => Promise<void> | void;

/** Starts everything that the configuration asks for. On a fault nothing is left open. */
export async function startServer(config: ServerConfig, deps: ServerDeps): Promise<Result<RunningServer, StartFault>> {
  const closers: Closer[] = [];
  const stop = once(async () => {
    for (const close of closers.reverse()) await close();
  });
  const started = await open(config, deps, closers).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  if (!started.ok) {
    await stop();
    return started;
  }
  return ok({ ...started.value, stop });
}

type Opened = Result<Omit<RunningServer, 'stop'>, StartFault>;

async function open(config: ServerConfig, deps: ServerDeps, closers: Closer[]): Promise<Opened> {
  if (!isLoopbackHost(config.http.host))
    return failed({
      code: 'CONFIG_NOT_LOOPBACK',
      message: `"${config.http.host}" can be reached by others; use 127.0.0.1 until access control is configured`,
    });
  const folder = makeFolder(config.dataFolder);
  if (!folder.ok) return folder;
  const store = await openStore(config, deps);
  if (!store.ok) return store;
  closers.push(() => store.value.close());
  const registry = createSqliteRegistry({ folder: config.dataFolder });
  if (!registry.ok) return registry;
  closers.push(() => registry.value.close());
  const broker = await openBroker(config, closers);
  if (!broker.ok) return broker;
  const parts = await startParts(config, deps, store.value, registry.value, broker.value, closers);
  await clearSpool(config.dataFolder);
  const app = await buildFace(config, deps, store.value, registry.value, parts);
  closers.push(() => app.close());
  const listening = await listen(app, config.http);
  if (!listening.ok) return listening;
  return ok({ url: listening.value, mqttUrl: broker.value.url, counters: parts.counters });
}

function makeFolder(folder: string): Result<void, StartFault> {
  try {
    mkdirSync(folder, { recursive: true });
    return ok(undefined);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed({
      code: 'CONFIG_DATA_FOLDER',
      message: `the data folder cannot be made (${reason}); choose one that can be written`,
    });
  }
}

async function openStore(config: ServerConfig, deps: ServerDeps): Promise<Result<CountingStore, StartFault>> {
  if (deps.store !== undefined) return ok(deps.store);
  if (config.store.kind === 'embedded') return openEmbeddedStore({ folder: config.dataFolder, log: deps.log });
  const { caFile, kind: _kind, policies, ...address } = config.store;
  const ca = caFile === undefined ? ok(undefined) : readAuthority(caFile);
  if (!ca.ok) return ca;
  const keeping = policies ? config.retention : undefined;
  return ok(createInfluxStore({ ...address, ...(ca.value !== undefined && { ca: ca.value }), keeping, log: deps.log }));
}

function readAuthority(file: string): Result<string, StartFault> {
  try {
    return ok(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed({ code: 'CONFIG_CA_FILE', message: `store.caFile cannot be read (${reason}); correct the path` });
  }
}

type CountingStore = Store &
  Partial<RollupStore & Rebuilding & Pruned & BackedUp> & { counters?(): Readonly<Record<string, number>> };

interface Broker {
  readonly url: string;
  readonly credentials?: { readonly username?: string; readonly password?: string };
  counters(): Readonly<Record<string, number>>;
}

async function openBroker(config: ServerConfig, closers: Closer[]): Promise<Result<Broker, StartFault>> {
  if (config.broker.kind === 'external') {
    const { url, username, password } = config.broker;
    const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
    return ok({ url, credentials, counters: () => ({}) });
  }
  const broker = await startEmbeddedBroker({ fleet: config.fleet, port: config.broker.port });
  if (broker.ok) closers.push(() => broker.value.close());
  return broker;
}

interface Parts {
  readonly ingest: IngestService;
  readonly alarms: AlarmService;
  readonly totals: TotalsService;
  readonly counterEvents: CounterEvents;
  readonly rollups: RollupService;
  readonly hub: LiveHub;
  readonly board: ReturnType<typeof createLiveBoard>;
  counters(): Readonly<Record<string, number>>;
  count(name: ApiCounter): void;
}

async function startParts(
  config: ServerConfig,
  deps: ServerDeps,
  store: CountingStore,
  registry: Registry,
  broker: Broker,
  closers: Closer[],
): Promise<Parts> {
  const { clock, scheduler, log } = deps;
  const { posts } = config;
  const counterEvents = createCounterEvents({
    registry,
    clock,
    touch: (...place) => {
      rollups.touch(...place);
      totals.forget(...place);
    },
  });
  const rollups = createRollupService({
    posts,
    counterEvents,
    retention: config.retention,
    store,
    registry,
    birthOf: (post) => ingest.directory.post(post)?.birth,
    clock,
    scheduler,
    log,
  });
  const ingest = createIngestService({
    fleet: config.fleet,
    store,
    registry,
    mqttUrl: broker.url,
    ...(broker.credentials !== undefined && { mqttOptions: broker.credentials }),
    dataFolder: config.dataFolder,
    clock,
    scheduler,
    log,
    watch: rollups.watch,
  });
  const notifier = openNotifier(config, deps);
  closers.push(() => notifier?.stop());
  const alarms = createAlarmService({
    posts,
    overrides: config.alarms,
    catalogue: readCatalogue(),
    ingest,
    store,
    registry,
    clock,
    scheduler,
    log,
    announce: (announcement) => notifier?.announce(announcement),
  });
  // Before the ingest: the first live sample of a post must find the state from which late data is judged.
  alarms.start();
  closers.push(() => alarms.stop());
  // Closed in the opposite order: what the ingest writes last is marked, and waits for the next start.
  closers.push(() => rollups.stop());
  closers.push(() => ingest.stop());
  await ingest.start();
  rollups.start();
  const totals = createTotals({ posts, ingest, store, counterEvents, rollups, clock, scheduler, log });
  totals.start();
  closers.push(() => totals.stop());
  const board = createLiveBoard({ posts, ingest, alarms, totals });
  closers.push(() => board.close());
  const session = Math.floor(deps.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
  const hub = createLiveHub({
    board,
    session,
    clock,
    scheduler,
    attend: (post, forS) => ingest.attend(post, forS),
    playground: deps.playground?.path,
  });
  closers.push(() => hub.close());
  const counts = Object.fromEntries(API_COUNTERS.map((name) => [name, 0])) as Record<ApiCounter, number>;
  return {
    ingest,
    alarms,
    totals,
    counterEvents,
    rollups,
    hub,
    board,
    count: (name) => {
      counts[name] += 1;
    },
    counters: () => ({
      ...broker.counters(),
      ...store.counters?.(),
      ...ingest.counters(),
      ...alarms.counters(),
      ...totals.counters(),
      ...rollups.counters(),
      ...hub.counters(),
      ...notifier?.counters(),
      ...counts,
    }),
  };
}

function openNotifier(config: ServerConfig, deps: ServerDeps): Notifier | undefined {
  const { email } = config.notices;
  if (email === undefined) return undefined;
  const texts = textsOf('en').alarms;
  return createNotifier({
    channel: createEmailChannel(email),
    minPriority: email.minPriority,
    textOf: (rule) => alarmText(texts, rule),
    clock: deps.clock,
    scheduler: deps.scheduler,
    log: deps.log,
  });
}

function buildFace(
  config: ServerConfig,
  deps: ServerDeps,
  store: CountingStore,
  registry: Registry & BackedUp,
  parts: Parts,
): Promise<FastifyInstance> {
  const { clock, log, version, impactPage, webFolder, textsFolder } = deps;
  const { backup } = store;
  return buildApp({
    ...parts,
    fleet: config.fleet,
    posts: config.posts,
    startedAt: clock.now(),
    clock,
    log,
    version,
    store,
    registry,
    databases: [
      ...(backup === undefined ? [] : [{ name: 'telemetry.sqlite', of: { backup: backup.bind(store) } }]),
      { name: 'registry.sqlite', of: registry },
    ],
    impactPage,
    spoolFolder: config.dataFolder,
    webFolder,
    textsFolder,
    playground: deps.playground,
  });
}

async function listen(app: FastifyInstance, at: { host: string; port: number }): Promise<Result<string, StartFault>> {
  try {
    await app.listen({ host: at.host, port: at.port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const place = `${at.host}:${at.port}`;
    if (code === 'EADDRINUSE')
      return failed({
        code: 'HTTP_PORT_TAKEN',
        message: `another program listens on ${place}; stop it, or choose another port`,
      });
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
      return failed({
        code: 'HTTP_PORT_REFUSED',
        message: `the system does not give ${place}; choose a port above 1023`,
      });
    throw error;
  }
  const { port } = app.server.address() as AddressInfo;
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return ok(`http://${host}:${port}`);
}

/** Stopping twice, by a signal and by a fault, is one stop. */
function once(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= task();
    return running;
  };
}
