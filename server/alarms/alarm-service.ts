// Watches every post: feeds the engine with live samples and time, keeps states and journal, tells screens and people, and
// judges late data when a gap closes.
import type { AlarmView, JournalEntry } from '#contract/view.js';
import type { AlarmEvent } from '#domain/alarm.js';
import type { Clock, Scheduler } from '#domain/clock.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { PostConfig, RuleOverrides } from '../config.js';
import type { ServerEvent } from '../ingest/events.js';
import type { IngestService, Log } from '../ingest/ingest-service.js';
import type { Registry, Store, StoredAlarm } from '../ports.js';
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
import { type AlarmPlan, inputKey, type PlannedAlarm, planAlarms } from './plan.js';
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
/** Journal entries that wait while the registry cannot write. */
const UNSAVED_MAX = 10_000;
/** Live points that may come while late data is judged; with more it is judged again. */
const DURING_MAX = 100_000;

export function createAlarmService(deps: AlarmServiceDeps): AlarmService {
  const { clock, ingest } = deps;
  const configs = new Map(deps.posts.map((post) => [post.id, post]));
  const watches = new Map<string, Watch>();
  const listeners = new Set<(changed: readonly AlarmView[]) => void>();
  const counts = {
    alarmsAnnounced: 0,
    alarmReplays: 0,
    alarmReplaysFailed: 0,
    alarmReplaysWithoutState: 0,
    alarmSavesFailed: 0,
    alarmEntriesLost: 0,
    alarmTransitionsForgotten: 0,
  };
  let stored = new Map<string, StoredAlarm>();
  let listeningSince: number | undefined;
  let unsaved: { alarms: Map<string, StoredAlarm>; entries: Omit<JournalEntry, 'seq'>[] } = emptyUnsaved();
  let replays: Promise<void> = Promise.resolve();
  let cancelTick: () => void = () => {};
  let unsubscribe: () => void = () => {};
  let stopping = false;

  function planOf(post: string) {
    const birth = ingest.directory.post(post)?.birth;
    return { birth, plan: planAlarms(post, birth, configs.get(post), deps.overrides, deps.catalogue) };
  }

  function watchOf(post: string): Watch {
    const known = watches.get(post);
    if (known !== undefined) return known;
    const { birth, plan } = planOf(post);
    const watch = newWatch(post, birth, plan);
    takeUpStored(watch);
    // Whatever was recorded while this server was away arrives late; it is judged from here.
    keepState(watch);
    watches.set(post, watch);
    return watch;
  }

  /** Also into the state that late data is judged from: what a post has may become known only after the server's start. */
  function takeUpStored(watch: Watch): void {
    watch.engine = withStored(watch.engine, watch.plan, stored);
    if (watch.kept !== null) watch.kept.engine = withStored(watch.kept.engine, watch.plan, stored);
  }

  function replan(watch: Watch): void {
    const { birth, plan } = planOf(watch.post);
    const gone = watch.plan.alarms.filter(({ id }) => !plan.alarms.some((alarm) => alarm.id === id));
    const views = gone.map((alarm): AlarmView => ({ ...viewIn(watch, alarm), state: 'normal' }));
    watch.birth = birth;
    watch.plan = plan;
    takeUpStored(watch);
    tell([...views, ...plan.alarms.map((alarm) => viewIn(watch, alarm))]);
  }

  const viewIn = (watch: Watch, alarm: PlannedAlarm): AlarmView =>
    viewOf(watch.post, alarm, memoryOf(watch.engine, alarm.id));

  function tell(changed: readonly AlarmView[]): void {
    if (changed.length > 0) for (const listener of listeners) listener(changed);
  }

  /** Takes over what the engine made of live data: saved first, then shown, then told to people. */
  function takeOver(watch: Watch, judged: Judged): void {
    watch.engine = judged.engine;
    const { transitions, changed } = judged;
    if (transitions.length > 0) {
      if (watch.kept !== null && !remember(watch.kept, transitions)) counts.alarmTransitionsForgotten += 1;
      save(
        watch,
        transitions.map((transition) => entryOf(watch.post, transition, false)),
        new Set(transitions.map(({ alarm }) => alarm.id)),
      );
    }
    tell(watch.plan.alarms.filter(({ id }) => changed.has(id)).map((alarm) => viewIn(watch, alarm)));
    for (const transition of transitions) if (transition.announce) announce(watch, transition.alarm, transition.at);
  }

  function announce(watch: Watch, alarm: PlannedAlarm, at: number): void {
    counts.alarmsAnnounced += 1;
    watch.kept?.told.add(alarm.id);
    watch.untold.delete(alarm.id);
    deps.announce({ alarm: viewIn(watch, alarm), postName: configs.get(watch.post)?.name ?? watch.post, at });
  }

  function save(watch: Watch, entries: readonly Omit<JournalEntry, 'seq'>[], ids: ReadonlySet<string>): void {
    for (const id of ids) unsaved.alarms.set(id, storedOf(id, memoryOf(watch.engine, id)));
    const room = UNSAVED_MAX - unsaved.entries.length;
    counts.alarmEntriesLost += Math.max(0, entries.length - room);
    unsaved.entries.push(...entries.slice(0, Math.max(0, room)));
    flush();
  }

  function flush(): void {
    if (unsaved.alarms.size === 0 && unsaved.entries.length === 0) return;
    try {
      deps.registry.saveAlarms([...unsaved.alarms.values()], unsaved.entries);
      unsaved = emptyUnsaved();
    } catch (error) {
      counts.alarmSavesFailed += 1;
      deps.log.error({ err: error, waiting: unsaved.entries.length }, 'alarm states could not be saved; trying again');
    }
  }

  function follow(event: ServerEvent): void {
    const watch = watchOf(event.post);
    if (watch.birth !== ingest.directory.post(event.post)?.birth) replan(watch);
    if (event.type === 'link' && event.link === 'offline') keepState(watch);
    if (event.type === 'samples' && event.historical && watch.kept !== null) watch.kept.idleSince = clock.monotonic();
    if (event.type === 'samples' && !event.historical) takeSamples(watch, event.points);
    if (event.type === 'gapClosed') closeGap(watch, event);
  }

  function takeSamples(watch: Watch, points: Extract<ServerEvent, { type: 'samples' }>['points']): void {
    if (points.length === 0) return;
    const times = points.map(({ at }) => at);
    // Live samples that jump ahead: what lies between may still come.
    if (watch.source !== null && Math.min(...times) - watch.source.at > 3 * watch.plan.batchPeriodMs) keepState(watch);
    watch.source = { at: Math.max(...times), heardAt: clock.monotonic() };
    if (watch.kept !== null) watch.kept.idleSince ??= clock.monotonic();
    watch.during?.push(...points.filter(({ device, metric }) => watch.plan.listeners.has(inputKey(device, metric))));
    takeOver(watch, judgePoints(watch.plan, watch.engine, points));
  }

  function closeGap(watch: Watch, gap: { readonly from: number; readonly to: number }): void {
    const { kept } = watch;
    if (kept === null) {
      counts.alarmReplaysWithoutState += 1;
      return;
    }
    replays = replays
      .then(() => replayGap(watch, kept, gap))
      .catch((error: unknown) => {
        counts.alarmReplaysFailed += 1;
        deps.log.error({ err: error, post: watch.post }, 'late data could not be judged');
      });
  }

  /** Judges from the kept state up to now, then lets the result take the place of what live data alone had said. */
  async function replayGap(
    watch: Watch,
    kept: Kept,
    gap: { readonly from: number; readonly to: number },
  ): Promise<void> {
    if (stopping || watch.kept !== kept) return;
    counts.alarmReplays += 1;
    watch.during = [];
    const { plan } = watch;
    kept.from = Math.min(gap.from, kept.from ?? gap.from);
    const span = {
      from: kept.from,
      to: Math.max(gap.to, (watch.source?.at ?? gap.to) + 1),
    };
    const early = kept.commands.filter(({ at }) => at < span.to);
    const result = await replay(deps.store, plan, kept.engine, span, early);
    const during = watch.during;
    watch.during = null;
    if (!result.ok) {
      counts.alarmReplaysFailed += 1;
      deps.log.warn({ post: watch.post, code: result.fault.code }, 'late data could not be read to be judged');
      return;
    }
    if (watch.plan !== plan || during.length > DURING_MAX) {
      closeGap(watch, gap);
      return;
    }
    const steps: Judged[] = [{ ...result.value, changed: new Set() }];
    const engine = () => steps.at(-1)?.engine ?? kept.engine;
    for (const { id, event, at } of kept.commands.filter((command) => !early.includes(command)))
      steps.push(judgeCommand(plan, engine(), id, event, at));
    steps.push(judgePoints(plan, engine(), during));
    steps.push(judgeTime(plan, engine(), sourceTime(watch, clock.monotonic())));
    settleGap(
      watch,
      kept,
      gap.to,
      engine(),
      steps.flatMap(({ transitions }) => transitions),
    );
  }

  /** The kept state stays for a while: late data may come in several parts. */
  function settleGap(
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
    save(
      watch,
      fresh.map((transition) => entryOf(watch.post, transition, true)),
      new Set(alarms.map(({ id }) => id)),
    );
    tell(alarms.map((alarm) => viewIn(watch, alarm)));
    tellFound(watch);
  }

  function tellFound(watch: Watch): void {
    for (const alarm of dueToTell(watch))
      announce(watch, alarm, memoryOf(watch.engine, alarm.id).alarm.since ?? clock.now());
  }

  function tick(): void {
    cancelTick = deps.scheduler.after(TICK_MS, tick);
    if (!ingest.brokerConnected()) listeningSince = undefined;
    else listeningSince ??= clock.now();
    for (const { id } of ingest.directory.posts()) watchOf(id);
    for (const watch of watches.values()) {
      const known = ingest.directory.post(watch.post);
      if (watch.birth !== known?.birth) replan(watch);
      takeOver(watch, judgeTime(watch.plan, watch.engine, sourceTime(watch, clock.monotonic()), contactOf(watch.post)));
      tellFound(watch);
      if (watch.kept !== null && !isHeld(watch.kept, known, clock.monotonic())) watch.kept = null;
    }
    flush();
  }

  function contactOf(post: string): Contact {
    const known = ingest.directory.post(post);
    const now = clock.now();
    const heardAt = listeningSince === undefined ? null : Math.max(known?.lastContactAt ?? 0, listeningSince);
    const silentMs = heardAt === null ? null : Math.max(0, now - heardAt);
    return { at: now, silentMs, offline: known?.link === 'offline' };
  }

  function command(request: AlarmCommandRequest, event: AlarmEvent): Result<AlarmView, AlarmFault> {
    const watch = watches.get(request.alarm.split('/')[0] ?? '');
    const planned = watch?.plan.alarms.find(({ id }) => id === request.alarm);
    if (watch === undefined || planned === undefined)
      return failed({
        code: 'ALARM_UNKNOWN',
        message: `there is no alarm "${request.alarm}"; GET /alarms?state=all lists them`,
      });
    const source = planned.test.kind === 'contact' ? undefined : sourceTime(watch, clock.monotonic());
    const at = source ?? clock.now();
    const { refused, ...judged } = judgeCommand(watch.plan, watch.engine, planned.id, event, at);
    if (refused === undefined) watch.kept?.commands.push({ id: planned.id, event, at });
    takeOver(watch, judged);
    return refused === undefined ? ok(viewIn(watch, planned)) : failed({ code: refused, message: REFUSALS[refused] });
  }

  return {
    start() {
      stored = new Map(deps.registry.alarms().map((alarm) => [alarm.id, alarm]));
      unsubscribe = ingest.subscribe(follow);
      for (const id of configs.keys()) watchOf(id);
      tick();
    },
    async stop() {
      stopping = true;
      cancelTick();
      unsubscribe();
      await replays;
      flush();
    },
    views: (post) =>
      [...watches.values()]
        .filter((watch) => post === undefined || watch.post === post)
        .flatMap((watch) => watch.plan.alarms.map((alarm) => viewIn(watch, alarm))),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    acknowledge: (request) =>
      command(request, {
        type: 'acknowledge',
        by: request.by,
        ...(request.comment !== undefined && { comment: request.comment }),
      }),
    reset: (request) => command(request, { type: 'reset', by: request.by }),
    counters: () => ({ ...counts }),
  };
}

function emptyUnsaved() {
  return { alarms: new Map<string, StoredAlarm>(), entries: [] as Omit<JournalEntry, 'seq'>[] };
}

function withStored(engine: PostEngine, plan: AlarmPlan, stored: ReadonlyMap<string, StoredAlarm>): PostEngine {
  const alarms = new Map(engine.alarms);
  for (const { id, options } of plan.alarms) {
    const found = stored.get(id);
    if (found !== undefined && !alarms.has(id)) alarms.set(id, memoryOfStored(found, options));
  }
  return { ...engine, alarms };
}
