// Watches every post: feeds the engine with live samples and time, keeps states and journal, tells screens and people, and
// judges late data when a gap closes.
import type { AlarmView } from '#contract/view.js';
import type { AlarmEvent } from '#domain/alarm.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { PostConfig, RuleOverrides } from '../config.js';
import type { ServerEvent } from '../ingest/events.js';
import type { IngestService, Log } from '../ingest/ingest-service.js';
import type { Registry, Store, StoredAlarm } from '../ports.js';
import { AlarmSaver } from './alarm-saver.js';
import { entryOf, memoryOfStored, REFUSALS, storedOf, viewOf } from './alarm-view.js';
import type { AlarmCommandRequest, AlarmFault, Alarms } from './alarms.js';
import type { Catalogue } from './catalogue.js';
import {
  type Contact,
  type Judged,
  type JudgedTransition,
  judgeCommand,
  judgePoints,
  judgeTime,
  memoryOf,
  type PostEngine,
} from './judge.js';
import { beganLate, dueToTell, mergeEngines, newsOf } from './late-news.js';
import { type AlarmPlan, inputKey, isUnwatched, type PlannedAlarm, planAlarms } from './plan.js';
import { replay } from './replay.js';
import { isHeld, type Kept, keepState, newWatch, remember, sourceTime, type Watch } from './watch.js';

/** A state change that people are to be told of. */
export interface Announcement {
  readonly alarm: AlarmView;
  readonly postName: string;
  /** Source time of the change; earlier than now where it was found in late data. */
  readonly at: number;
}

export interface AlarmServiceDeps {
  readonly posts: readonly PostConfig[];
  readonly overrides: RuleOverrides;
  readonly catalogue: Catalogue;
  readonly ingest: Pick<IngestService, 'directory' | 'subscribe' | 'brokerConnected'>;
  readonly store: Pick<Store, 'read'>;
  readonly registry: Pick<Registry, 'alarms' | 'saveAlarms'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly announce: (announcement: Announcement) => void;
}

export interface AlarmService extends Alarms {
  /** Takes up the stored states, follows the ingest and starts its ticks. */
  start(): void;
  /** Ends the ticks and waits for a replay in progress. The states are saved already. */
  stop(): Promise<void>;
}

const TICK_MS = 2000;
/** Pause before late data is judged again that could not be read. */
const REPLAY_AGAIN_MS = 30_000;
/** Live points that may come while late data is judged; with more it is judged again. */
const DURING_MAX = 100_000;

export function createAlarmService(deps: AlarmServiceDeps): AlarmService {
  return new AlarmKeeper(deps);
}

class AlarmKeeper implements AlarmService {
  readonly #deps: AlarmServiceDeps;
  readonly #configs: ReadonlyMap<string, PostConfig>;
  readonly #watches = new Map<string, Watch>();
  readonly #listeners = new Set<(changed: readonly AlarmView[]) => void>();
  readonly #saver: AlarmSaver;
  readonly #counts = {
    alarmsAnnounced: 0,
    alarmReplays: 0,
    alarmReplaysFailed: 0,
    alarmReplaysWithoutState: 0,
    alarmTransitionsForgotten: 0,
    alarmLimitsUnwatched: 0,
  };
  #stored: ReadonlyMap<string, StoredAlarm> = new Map();
  #listeningSince: number | undefined;
  #replays: Promise<void> = Promise.resolve();
  #cancelTick: () => void = () => {};
  #unsubscribe: () => void = () => {};
  #stopping = false;

  constructor(deps: AlarmServiceDeps) {
    this.#deps = deps;
    this.#configs = new Map(deps.posts.map((post) => [post.id, post]));
    this.#saver = new AlarmSaver(deps.registry, deps.log);
  }

  start(): void {
    this.#stored = new Map(this.#deps.registry.alarms().map((alarm) => [alarm.id, alarm]));
    this.#unsubscribe = this.#deps.ingest.subscribe((event) => this.#follow(event));
    for (const id of this.#configs.keys()) this.#watchOf(id);
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTick();
    this.#unsubscribe();
    await this.#replays;
    this.#saver.flush();
  }

  views(post?: string): readonly AlarmView[] {
    return [...this.#watches.values()]
      .filter((watch) => post === undefined || watch.post === post)
      .flatMap((watch) => watch.plan.alarms.map((alarm) => this.#viewIn(watch, alarm)));
  }

  subscribe(listener: (changed: readonly AlarmView[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  acknowledge(request: AlarmCommandRequest): Result<AlarmView, AlarmFault> {
    const { by, comment } = request;
    return this.#command(request, { type: 'acknowledge', by, ...(comment !== undefined && { comment }) });
  }

  reset(request: AlarmCommandRequest): Result<AlarmView, AlarmFault> {
    return this.#command(request, { type: 'reset', by: request.by });
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#saver.counters() };
  }

  #planOf(post: string) {
    const birth = this.#deps.ingest.directory.post(post)?.birth;
    return {
      birth,
      plan: planAlarms(post, birth, this.#configs.get(post), this.#deps.overrides, this.#deps.catalogue),
    };
  }

  #watchOf(post: string): Watch {
    const known = this.#watches.get(post);
    if (known !== undefined) return known;
    const { birth, plan } = this.#planOf(post);
    const watch = newWatch(post, birth, plan);
    this.#takeUpStored(watch);
    // Whatever was recorded while this server was away arrives late; it is judged from here.
    keepState(watch);
    this.#watches.set(post, watch);
    return watch;
  }

  /** Also into the state that late data is judged from: what a post has may become known only after the server's start. */
  #takeUpStored(watch: Watch): void {
    watch.engine = withStored(watch.engine, watch.plan, this.#stored);
    if (watch.kept !== null) watch.kept.engine = withStored(watch.kept.engine, watch.plan, this.#stored);
  }

  #replan(watch: Watch): void {
    const { birth, plan } = this.#planOf(watch.post);
    const gone = watch.plan.alarms.filter(({ id }) => !plan.alarms.some((alarm) => alarm.id === id));
    const views = gone.map((alarm): AlarmView => ({ ...this.#viewIn(watch, alarm), state: 'normal' }));
    watch.birth = birth;
    watch.plan = plan;
    this.#takeUpStored(watch);
    this.#warnOfUnwatched(watch);
    this.#tell([...views, ...plan.alarms.map((alarm) => this.#viewIn(watch, alarm))]);
  }

  /** A gateway sends at once what crosses its own watch limits. An alarm limit beyond them is only seen with the next batch. */
  #warnOfUnwatched({ post, birth, plan }: Watch): void {
    for (const alarm of plan.alarms) {
      if (!isUnwatched(alarm, birth)) continue;
      this.#counts.alarmLimitsUnwatched += 1;
      this.#deps.log.warn(
        { post, alarm: alarm.id },
        'the alarm limit lies outside the watch limits of the gateway: it is seen a batch late',
      );
    }
  }

  #viewIn(watch: Watch, alarm: PlannedAlarm): AlarmView {
    return viewOf(watch.post, alarm, memoryOf(watch.engine, alarm.id));
  }

  #tell(changed: readonly AlarmView[]): void {
    if (changed.length > 0) for (const listener of this.#listeners) listener(changed);
  }

  /** Takes over what the engine made of live data: saved first, then shown, then told to people. */
  #takeOver(watch: Watch, judged: Judged): void {
    watch.engine = judged.engine;
    const { transitions, changed, counted } = judged;
    if (transitions.length > 0 && watch.kept !== null && !remember(watch.kept, transitions))
      this.#counts.alarmTransitionsForgotten += 1;
    const ids = new Set([...counted, ...transitions.map(({ alarm }) => alarm.id)]);
    if (ids.size > 0) this.#save(watch, [...ids], transitions, false);
    this.#tell(watch.plan.alarms.filter(({ id }) => changed.has(id)).map((alarm) => this.#viewIn(watch, alarm)));
    for (const transition of transitions)
      if (transition.announce) this.#announce(watch, transition.alarm, transition.at);
  }

  #announce(watch: Watch, alarm: PlannedAlarm, at: number): void {
    this.#counts.alarmsAnnounced += 1;
    watch.kept?.told.add(alarm.id);
    watch.untold.delete(alarm.id);
    this.#deps.announce({
      alarm: this.#viewIn(watch, alarm),
      postName: this.#configs.get(watch.post)?.name ?? watch.post,
      at,
    });
  }

  #save(watch: Watch, ids: readonly string[], transitions: readonly JudgedTransition[], historical: boolean): void {
    this.#saver.save(
      ids.map((id) => storedOf(id, memoryOf(watch.engine, id))),
      transitions.map((transition) => entryOf(watch.post, transition, historical)),
    );
  }

  #follow(event: ServerEvent): void {
    const watch = this.#watchOf(event.post);
    if (watch.birth !== this.#deps.ingest.directory.post(event.post)?.birth) this.#replan(watch);
    if (event.type === 'link' && event.link === 'offline') keepState(watch);
    if (event.type === 'samples' && event.historical && watch.kept !== null)
      watch.kept.idleSince = this.#deps.clock.monotonic();
    if (event.type === 'samples' && !event.historical) this.#takeSamples(watch, event.points);
    if (event.type === 'gapClosed') this.#closeGap(watch, event);
    if (event.type === 'identity') this.#passTime(watch);
  }

  #takeSamples(watch: Watch, points: Extract<ServerEvent, { type: 'samples' }>['points']): void {
    if (points.length === 0) return;
    const times = points.map(({ at }) => at);
    // Live samples that jump ahead: what lies between may still come.
    if (watch.source !== null && Math.min(...times) - watch.source.at > 3 * watch.plan.batchPeriodMs) keepState(watch);
    watch.source = { at: Math.max(...times), heardAt: this.#deps.clock.monotonic() };
    if (watch.kept !== null) watch.kept.idleSince ??= this.#deps.clock.monotonic();
    watch.during?.push(...points.filter(({ device, metric }) => watch.plan.listeners.has(inputKey(device, metric))));
    this.#takeOver(watch, judgePoints(watch.plan, watch.engine, points));
  }

  #closeGap(watch: Watch, gap: { readonly from: number; readonly to: number }): void {
    const { kept } = watch;
    watch.again = null;
    if (kept === null) {
      this.#counts.alarmReplaysWithoutState += 1;
      return;
    }
    this.#replays = this.#replays
      .then(() => this.#replayGap(watch, kept, gap))
      .catch((error: unknown) => {
        this.#counts.alarmReplaysFailed += 1;
        this.#deps.log.error({ err: error, post: watch.post }, 'late data could not be judged');
      });
  }

  /** Judges from the kept state up to now, then lets the result take the place of what live data alone had said. */
  async #replayGap(watch: Watch, kept: Kept, gap: { readonly from: number; readonly to: number }): Promise<void> {
    if (this.#stopping) return;
    if (watch.kept !== kept) {
      this.#counts.alarmReplaysWithoutState += 1;
      return;
    }
    this.#counts.alarmReplays += 1;
    watch.during = [];
    const { plan } = watch;
    kept.from = Math.min(gap.from, kept.from ?? gap.from);
    const span = {
      from: kept.from,
      to: Math.max(gap.to, (watch.source?.at ?? gap.to) + 1),
    };
    const early = kept.commands.filter(({ at }) => at < span.to);
    const result = await replay(this.#deps.store, plan, kept.engine, span, early);
    const during = watch.during;
    watch.during = null;
    if (!result.ok) {
      this.#counts.alarmReplaysFailed += 1;
      this.#deps.log.warn(
        { post: watch.post, code: result.fault.code },
        'late data could not be read to be judged; trying again',
      );
      kept.idleSince = null;
      watch.again = { ...gap, dueAt: this.#deps.clock.monotonic() + REPLAY_AGAIN_MS };
      return;
    }
    if (watch.plan !== plan || during.length > DURING_MAX) {
      this.#closeGap(watch, gap);
      return;
    }
    const steps: Judged[] = [{ ...result.value, changed: new Set(), counted: new Set() }];
    const engine = () => steps.at(-1)?.engine ?? kept.engine;
    for (const { id, event, at } of kept.commands.filter((command) => !early.includes(command)))
      steps.push(judgeCommand(plan, engine(), id, event, at));
    steps.push(judgePoints(plan, engine(), during));
    steps.push(judgeTime(plan, engine(), sourceTime(watch, this.#deps.clock.monotonic())));
    this.#settleGap(
      watch,
      kept,
      gap.to,
      engine(),
      steps.flatMap(({ transitions }) => transitions),
    );
  }

  /** The kept state stays for a while: late data may come in several parts. */
  #settleGap(
    watch: Watch,
    kept: Kept,
    gapTo: number,
    engine: PostEngine,
    transitions: readonly JudgedTransition[],
  ): void {
    const { alarms } = watch.plan;
    const fresh = newsOf(transitions, gapTo, kept);
    watch.engine = mergeEngines(alarms, watch.engine, engine);
    for (const { id } of beganLate(watch, kept)) watch.untold.add(id);
    remember(kept, fresh);
    this.#save(
      watch,
      alarms.map(({ id }) => id),
      fresh,
      true,
    );
    this.#tell(alarms.map((alarm) => this.#viewIn(watch, alarm)));
    this.#tellFound(watch);
  }

  #tellFound(watch: Watch): void {
    for (const alarm of dueToTell(watch))
      this.#announce(watch, alarm, memoryOf(watch.engine, alarm.id).alarm.since ?? this.#deps.clock.now());
  }

  #tick(): void {
    this.#cancelTick = this.#deps.scheduler.after(TICK_MS, () => this.#tick());
    if (!this.#deps.ingest.brokerConnected()) this.#listeningSince = undefined;
    else this.#listeningSince ??= this.#deps.clock.now();
    for (const { id } of this.#deps.ingest.directory.posts()) this.#watchOf(id);
    for (const watch of this.#watches.values()) {
      const known = this.#deps.ingest.directory.post(watch.post);
      if (watch.birth !== known?.birth) this.#replan(watch);
      this.#passTime(watch);
      this.#tellFound(watch);
      if (watch.again !== null && watch.again.dueAt <= this.#deps.clock.monotonic()) this.#closeGap(watch, watch.again);
      if (watch.kept !== null && !isHeld(watch.kept, known, this.#deps.clock.monotonic())) watch.kept = null;
    }
    this.#saver.flush();
  }

  #passTime(watch: Watch): void {
    const at = sourceTime(watch, this.#deps.clock.monotonic());
    this.#takeOver(watch, judgeTime(watch.plan, watch.engine, at, this.#contactOf(watch.post)));
  }

  #contactOf(post: string): Contact {
    const known = this.#deps.ingest.directory.post(post);
    const now = this.#deps.clock.now();
    const heardAt =
      this.#listeningSince === undefined ? null : Math.max(known?.lastContactAt ?? 0, this.#listeningSince);
    const silentMs = heardAt === null ? null : Math.max(0, now - heardAt);
    return { at: now, silentMs, offline: known?.link === 'offline', doubted: known?.identity !== undefined };
  }

  #command(request: AlarmCommandRequest, event: AlarmEvent): Result<AlarmView, AlarmFault> {
    const watch = this.#watches.get(request.alarm.split('/')[0] ?? '');
    const planned = watch?.plan.alarms.find(({ id }) => id === request.alarm);
    if (watch === undefined || planned === undefined)
      return failed({
        code: 'ALARM_UNKNOWN',
        message: `there is no alarm "${request.alarm}"; GET /alarms?state=all lists them`,
      });
    const { kind } = planned.test;
    const source =
      kind === 'contact' || kind === 'identity' ? undefined : sourceTime(watch, this.#deps.clock.monotonic());
    const at = source ?? this.#deps.clock.now();
    const { refused, ...judged } = judgeCommand(watch.plan, watch.engine, planned.id, event, at);
    if (refused === undefined) watch.kept?.commands.push({ id: planned.id, event, at });
    this.#takeOver(watch, judged);
    return refused === undefined
      ? ok(this.#viewIn(watch, planned))
      : failed({ code: refused, message: REFUSALS[refused] });
  }
}

function withStored(engine: PostEngine, plan: AlarmPlan, stored: ReadonlyMap<string, StoredAlarm>): PostEngine {
  const alarms = new Map(engine.alarms);
  for (const { id, options } of plan.alarms) {
    const found = stored.get(id);
    if (found !== undefined && !alarms.has(id)) alarms.set(id, memoryOfStored(found, options));
  }
  return { ...engine, alarms };
}
