// The life of one alarm after ISA-18.2 (IEC 62682): nine states, moved by a condition, by people and by time. Pure: the same
// events at the same times give the same alarm. What the condition is, and whom to tell, is decided elsewhere.
// A bad input is the condition `unknown`: it freezes the condition's timers, and neither raises nor clears.
import { type Condition, conditionDueAt, type DelayedCondition, initialCondition, stepCondition } from './limit.js';

export const ALARM_STATE_NAMES = [
  'normal',
  'unacknowledged',
  'acknowledged',
  /** Back to normal, and nobody has acknowledged that it was not. */
  'returned',
  'latchedUnacknowledged',
  'latchedAcknowledged',
  'shelved',
  /** By design: a rule of the machine says that the alarm means nothing now. */
  'suppressed',
  'outOfService',
] as const;
export type AlarmStateName = (typeof ALARM_STATE_NAMES)[number];

export interface Alarm {
  readonly state: AlarmStateName;
  /** What the condition says now, after its delays; `unknown` while the input is not good. */
  readonly condition: Condition;
  /** Start of the present or last activation: when the on-delay had run out. */
  readonly since: number | null;
  /** End of the last activation; null while it lasts. */
  readonly returnedAt: number | null;
  /** Activations so far, counted in every state. */
  readonly count: number;
  /** Who acknowledged the present activation. */
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: number | null;
  readonly comment: string | null;
  readonly shelvedUntil: number | null;
  /** Who shelved it or took it out of service, and why; null in every other state. */
  readonly setAsideBy: string | null;
  readonly setAsideReason: string | null;
  /** The rule that suppresses it. Remembered while it is shelved, latched or out of service. */
  readonly suppressedBy: string | null;
  /** When a lifted suppression ends. */
  readonly settlesAt: number | null;
  /** An activation that only a person's reset ends. Survives shelving and suppression. */
  readonly latched: boolean;
  readonly delayed: DelayedCondition;
  /** When an acknowledged alarm that is still true announces itself again. */
  readonly reAlarmAt: number | null;
  /** Since when the input has been unknown; null while it is known. */
  readonly unknownSince: number | null;
}

export type AlarmEvent =
  | { readonly type: 'input'; readonly input: Condition }
  | { readonly type: 'acknowledge'; readonly by: string; readonly comment?: string }
  | { readonly type: 'reset'; readonly by: string }
  | { readonly type: 'shelve'; readonly by: string; readonly until: number; readonly reason: string }
  | { readonly type: 'unshelve'; readonly by: string }
  | { readonly type: 'suppress'; readonly rule: string }
  | { readonly type: 'unsuppress' }
  | { readonly type: 'removeFromService'; readonly by: string; readonly reason: string }
  | { readonly type: 'returnToService'; readonly by: string }
  | { readonly type: 'tick' };

export interface AlarmOptions {
  readonly latching: boolean;
  readonly onDelayMs: number;
  readonly offDelayMs: number;
  /** An acknowledged alarm that is still true is announced again after so long. Absent: never. */
  readonly reAlarmMs?: number;
  /** The longest that a person may shelve it; `SHELVE_MS_MAX` of its priority. Absent: that of priority 3. */
  readonly shelveMsMax?: number;
  /** After a suppression ends, so long until the condition counts again. Absent: at once. */
  readonly settleMs?: number;
}

const HOUR_MS = 3_600_000;

/** Longest shelving by priority: a shift, a day, a week. */
export const SHELVE_MS_MAX: Readonly<Record<1 | 2 | 3, number>> = { 1: 8 * HOUR_MS, 2: 24 * HOUR_MS, 3: 168 * HOUR_MS };

/** What happened, in the journal's words. `from` equals `to` where the condition moved under a set-aside alarm. */
export interface AlarmTransition {
  readonly from: AlarmStateName;
  readonly to: AlarmStateName;
  readonly event: AlarmEventName;
  /** People are to be told. */
  readonly announce: boolean;
  readonly at: number;
  /** The person behind it; null where it was the machine. */
  readonly by: string | null;
  readonly comment: string | null;
}

export const ALARM_EVENT_NAMES = [
  'conditionTrue',
  'conditionFalse',
  'reAlarm',
  'acknowledge',
  'reset',
  'shelve',
  'unshelve',
  'shelfExpired',
  'suppress',
  'unsuppress',
  'removeFromService',
  'returnToService',
] as const;
export type AlarmEventName = (typeof ALARM_EVENT_NAMES)[number];

/** Why an operator's command was not followed. */
export type AlarmRefusal =
  | 'ALARM_NO_PERSON'
  | 'ALARM_NO_REASON'
  | 'ALARM_NOTHING_TO_ACKNOWLEDGE'
  | 'ALARM_NOTHING_TO_RESET'
  | 'ALARM_ACKNOWLEDGE_FIRST'
  | 'ALARM_SHELVED_TOO_LONG'
  | 'ALARM_NOT_SHELVED'
  | 'ALARM_NOT_OUT_OF_SERVICE'
  | 'ALARM_SET_ASIDE'
  | 'ALARM_LATCHED';

export interface AlarmStep {
  readonly alarm: Alarm;
  readonly transitions: readonly AlarmTransition[];
  readonly refused?: AlarmRefusal;
}

export function initialAlarm(): Alarm {
  return {
    state: 'normal',
    condition: 'unknown',
    since: null,
    returnedAt: null,
    count: 0,
    acknowledgedBy: null,
    acknowledgedAt: null,
    comment: null,
    shelvedUntil: null,
    setAsideBy: null,
    setAsideReason: null,
    suppressedBy: null,
    settlesAt: null,
    latched: false,
    delayed: initialCondition(),
    reAlarmAt: null,
    unknownSince: null,
  };
}

/** States in which the alarm is set aside: the condition is followed underneath, and nobody is told. */
function isSetAside(state: AlarmStateName): boolean {
  return state === 'shelved' || state === 'suppressed' || state === 'outOfService';
}

interface Move {
  readonly to: AlarmStateName;
  readonly event: AlarmEventName;
  readonly at: number;
  readonly announce?: boolean;
  readonly by?: string;
  readonly comment?: string;
  readonly change?: Partial<Alarm>;
}

function move(step: AlarmStep, { to, event, at, announce, by, comment, change }: Move): AlarmStep {
  const transition: AlarmTransition = {
    from: step.alarm.state,
    to,
    event,
    announce: announce ?? false,
    at,
    by: by ?? null,
    comment: comment ?? null,
  };
  const reAlarmAt = to === 'acknowledged' ? step.alarm.reAlarmAt : null;
  const alarm: Alarm = { ...step.alarm, reAlarmAt, ...change, state: to };
  return { alarm, transitions: [...step.transitions, transition] };
}

const refuse = (step: AlarmStep, refused: AlarmRefusal): AlarmStep => ({ ...step, refused });

const UNACKNOWLEDGED = { acknowledgedBy: null, acknowledgedAt: null, comment: null } as const;

/** The condition became true, its on-delay over. */
function activate(step: AlarmStep, at: number, latching: boolean): AlarmStep {
  const { alarm } = step;
  const activation = { since: at, returnedAt: null, count: alarm.count + 1, ...UNACKNOWLEDGED };
  const event = 'conditionTrue';
  // Nobody was told of an activation that began while set aside, so it does not latch either.
  if (isSetAside(alarm.state)) return move(step, { to: alarm.state, event, at, change: activation });
  if (alarm.suppressedBy !== null) return move(step, { to: 'suppressed', event, at, change: activation });
  return move(step, {
    to: 'unacknowledged',
    event,
    at,
    announce: true,
    change: { ...activation, latched: latching },
  });
}

/** The condition became false, its off-delay over. */
function deactivate(step: AlarmStep, at: number): AlarmStep {
  const { alarm } = step;
  const event = 'conditionFalse';
  const change = { returnedAt: at };
  if (alarm.state === 'unacknowledged') {
    return move(step, { to: alarm.latched ? 'latchedUnacknowledged' : 'returned', event, at, change });
  }
  if (alarm.state === 'acknowledged') {
    return move(step, { to: alarm.latched ? 'latchedAcknowledged' : 'normal', event, at, change });
  }
  // Before its first known input an alarm is normal already.
  if (!isSetAside(alarm.state)) return step;
  return move(step, { to: alarm.state, event, at, change });
}

/** Takes the condition's next state, and moves the alarm where it turned. `turnedAt` is the moment for the journal. */
function follow(step: AlarmStep, delayed: DelayedCondition, turnedAt: number, options: AlarmOptions): AlarmStep {
  const before = step.alarm.delayed.condition;
  const condition = delayed.input === 'unknown' ? 'unknown' : delayed.condition;
  const next: AlarmStep = { ...step, alarm: { ...step.alarm, delayed, condition } };
  if (delayed.condition === before) return next;
  if (delayed.condition === 'true') return activate(next, turnedAt, options.latching);
  return before === 'true' ? deactivate(next, turnedAt) : next;
}

/** Back among the watched alarms, as the condition says. What is still true is announced. */
function bringBack(step: AlarmStep, event: AlarmEventName, at: number, latching: boolean, by?: string): AlarmStep {
  const { alarm } = step;
  const change = { shelvedUntil: null, setAsideBy: null, setAsideReason: null, settlesAt: null };
  const person = by === undefined ? {} : { by };
  if (alarm.suppressedBy !== null) return move(step, { to: 'suppressed', event, at, change, ...person });
  if (alarm.delayed.condition === 'true') {
    return move(step, {
      to: 'unacknowledged',
      event,
      at,
      announce: true,
      change: { ...change, ...UNACKNOWLEDGED, latched: latching },
      ...person,
    });
  }
  if (!alarm.latched) return move(step, { to: 'normal', event, at, change, ...person });
  const to = alarm.acknowledgedBy === null ? 'latchedUnacknowledged' : 'latchedAcknowledged';
  return move(step, { to, event, at, change, ...person });
}

/** When time alone will next move this alarm; null when it will not. For schedulers, and for replays between two events. */
export function alarmDueAt(alarm: Alarm, options: AlarmOptions): number | null {
  const reAlarmAt = alarm.unknownSince === null ? alarm.reAlarmAt : null;
  const times = [conditionDueAt(alarm.delayed, options), alarm.shelvedUntil, alarm.settlesAt, reAlarmAt];
  const due = times.filter((time) => time !== null);
  return due.length === 0 ? null : Math.min(...due);
}

/** Lets time pass: everything that became due up to `at`, in order, each at the moment when it was due. */
function pass(start: AlarmStep, at: number, options: AlarmOptions): AlarmStep {
  let step = start;
  // Shelf, settling and re-alarm end at their moment, and the condition turns once: each comes at most once in one pass.
  for (;;) {
    const { alarm } = step;
    const due = alarmDueAt(alarm, options);
    if (due === null || due > at) break;
    if (due === conditionDueAt(alarm.delayed, options)) {
      step = follow(step, stepCondition(alarm.delayed, alarm.delayed.input, due, options), due, options);
    } else if (due === alarm.shelvedUntil) step = bringBack(step, 'shelfExpired', due, options.latching);
    else if (due === alarm.settlesAt) step = bringBack(step, 'unsuppress', due, options.latching);
    else step = move(step, { to: 'unacknowledged', event: 'reAlarm', at: due, announce: true, change: UNACKNOWLEDGED });
  }
  const { delayed } = step.alarm;
  return { ...step, alarm: { ...step.alarm, delayed: stepCondition(delayed, delayed.input, at, options) } };
}

/** A new word of the condition. Unknown only stops the clocks; the first known word after it starts them again. */
function takeInput(step: AlarmStep, input: Condition, at: number, options: AlarmOptions): AlarmStep {
  const { alarm } = step;
  if (input === 'unknown') {
    const delayed = stepCondition(alarm.delayed, input, at, options);
    return { ...step, alarm: { ...alarm, delayed, condition: 'unknown', unknownSince: alarm.unknownSince ?? at } };
  }
  const frozenMs = alarm.unknownSince === null ? 0 : Math.max(0, at - alarm.unknownSince);
  const reAlarmAt = alarm.reAlarmAt === null ? null : alarm.reAlarmAt + frozenMs;
  const known: AlarmStep = { ...step, alarm: { ...alarm, unknownSince: null, reAlarmAt } };
  const passed = pass(known, at, options);
  return follow(passed, stepCondition(passed.alarm.delayed, input, at, options), at, options);
}

function acknowledge(step: AlarmStep, by: string, comment: string | undefined, at: number, options: AlarmOptions) {
  const { state } = step.alarm;
  const change: Partial<Alarm> = { acknowledgedBy: by, acknowledgedAt: at, comment: comment ?? null };
  const words = { event: 'acknowledge', at, by, ...(comment === undefined ? {} : { comment }) } as const;
  if (state === 'returned') return move(step, { to: 'normal', change, ...words });
  if (state === 'latchedUnacknowledged') return move(step, { to: 'latchedAcknowledged', change, ...words });
  if (state !== 'unacknowledged') return refuse(step, 'ALARM_NOTHING_TO_ACKNOWLEDGE');
  const reAlarmAt = options.reAlarmMs === undefined ? null : at + options.reAlarmMs;
  // While the input is unknown the clock stands, so the wait begins when it is known again.
  const unknownSince = step.alarm.unknownSince === null ? null : at;
  return move(step, { to: 'acknowledged', change: { ...change, reAlarmAt, unknownSince }, ...words });
}

/** Latched alarms and those set aside already are not set aside: the latch would be lost, or the limit of shelving. */
function refusalToSetAside(state: AlarmStateName): AlarmRefusal | undefined {
  if (isSetAside(state)) return 'ALARM_SET_ASIDE';
  if (state === 'latchedUnacknowledged' || state === 'latchedAcknowledged') return 'ALARM_LATCHED';
  return undefined;
}

type Command = Exclude<AlarmEvent, { readonly type: 'input' | 'tick' }>;

function shelve(step: AlarmStep, event: Extract<Command, { type: 'shelve' }>, at: number, options: AlarmOptions) {
  const { by, until, reason } = event;
  const refused = refusalToSetAside(step.alarm.state);
  if (refused) return refuse(step, refused);
  if (reason.trim() === '') return refuse(step, 'ALARM_NO_REASON');
  if (!(until > at && until - at <= (options.shelveMsMax ?? SHELVE_MS_MAX[3]))) {
    return refuse(step, 'ALARM_SHELVED_TOO_LONG');
  }
  const change = { shelvedUntil: until, setAsideBy: by, setAsideReason: reason };
  return move(step, { to: 'shelved', event: 'shelve', at, by, comment: reason, change });
}

function suppress(step: AlarmStep, rule: string, at: number): AlarmStep {
  const change = { suppressedBy: rule, settlesAt: null };
  const { state } = step.alarm;
  if (state === 'suppressed' || refusalToSetAside(state)) return { ...step, alarm: { ...step.alarm, ...change } };
  return move(step, { to: 'suppressed', event: 'suppress', at, comment: rule, change });
}

function unsuppress(step: AlarmStep, at: number, options: AlarmOptions): AlarmStep {
  if (step.alarm.suppressedBy === null) return step;
  const lifted: AlarmStep = { ...step, alarm: { ...step.alarm, suppressedBy: null } };
  if (step.alarm.state !== 'suppressed') return lifted;
  const settleMs = options.settleMs ?? 0;
  if (settleMs <= 0) return bringBack(lifted, 'unsuppress', at, options.latching);
  return { ...lifted, alarm: { ...lifted.alarm, settlesAt: at + settleMs } };
}

function removeFromService(step: AlarmStep, by: string, reason: string, at: number): AlarmStep {
  const refused = refusalToSetAside(step.alarm.state);
  if (refused) return refuse(step, refused);
  if (reason.trim() === '') return refuse(step, 'ALARM_NO_REASON');
  const change = { setAsideBy: by, setAsideReason: reason };
  return move(step, { to: 'outOfService', event: 'removeFromService', at, by, comment: reason, change });
}

function command(step: AlarmStep, event: Command, at: number, options: AlarmOptions): AlarmStep {
  const { state } = step.alarm;
  if ('by' in event && event.by.trim() === '') return refuse(step, 'ALARM_NO_PERSON');
  switch (event.type) {
    case 'acknowledge':
      return acknowledge(step, event.by, event.comment, at, options);
    case 'reset':
      if (state === 'latchedUnacknowledged') return refuse(step, 'ALARM_ACKNOWLEDGE_FIRST');
      if (state !== 'latchedAcknowledged') return refuse(step, 'ALARM_NOTHING_TO_RESET');
      return move(step, { to: 'normal', event: 'reset', at, by: event.by, change: { latched: false } });
    case 'shelve':
      return shelve(step, event, at, options);
    case 'unshelve':
      return state === 'shelved'
        ? bringBack(step, 'unshelve', at, options.latching, event.by)
        : refuse(step, 'ALARM_NOT_SHELVED');
    case 'suppress':
      return suppress(step, event.rule, at);
    case 'unsuppress':
      return unsuppress(step, at, options);
    case 'removeFromService':
      return removeFromService(step, event.by, event.reason, at);
    case 'returnToService':
      if (state !== 'outOfService') return refuse(step, 'ALARM_NOT_OUT_OF_SERVICE');
      return bringBack(step, 'returnToService', at, options.latching, event.by);
  }
}

/**
 * The alarm after an event at `at`. First everything happens that time alone brings up to then, each at its own moment; so
 * rare ticks give the same journal as frequent ones. Exception: an unknown input lets no time pass for the condition.
 * Events must come in the order of time. A refused command changes nothing but the passing of time.
 */
export function stepAlarm(alarm: Alarm, event: AlarmEvent, at: number, options: AlarmOptions): AlarmStep {
  const start: AlarmStep = { alarm, transitions: [] };
  if (event.type === 'input') return takeInput(start, event.input, at, options);
  const passed = pass(start, at, options);
  return event.type === 'tick' ? passed : command(passed, event, at, options);
}
