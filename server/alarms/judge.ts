// The alarm engine of one post: samples and time in, alarms and journal entries out. Pure, and on source time, so that
// data which arrives late is judged exactly as it would have been.
// An input that is not good is `unknown`: it raises nothing, clears nothing, and stops the timers.
import {
  type Alarm,
  type AlarmEvent,
  type AlarmRefusal,
  type AlarmTransition,
  alarmDueAt,
  initialAlarm,
  stepAlarm,
} from '#domain/alarm.js';
import { type Condition, compareLimit } from '#domain/limit.js';
import { judgeDryRun, judgeNoFlow } from '#domain/pump.js';
import { REASONS } from '#domain/quality.js';
import type { Value } from '#domain/reading.js';
import type { AlarmPlan, InputKey, PlannedAlarm } from './plan.js';
import { inputKey } from './plan.js';
import { followSpeed, type Input, observePump, type PumpRun, STILL } from './pump-run.js';

/** An alarm, and what decided it last. */
export interface AlarmMemory {
  readonly alarm: Alarm;
  /** Of a counter's increase: how much came since the alarm was normal. */
  readonly value: number | null;
  /** What the value is compared with. Of a counter's increase: the counter as it was last known. */
  readonly limit: number | null;
  /** Last known side of the limit, which the deadband starts from. */
  readonly beyond: boolean;
}

/** Everything that the engine remembers of a post. A value: keeping it keeps that moment. */
export interface PostEngine {
  readonly alarms: ReadonlyMap<string, AlarmMemory>;
  readonly inputs: ReadonlyMap<InputKey, Input>;
  readonly run: PumpRun;
}

export interface Judged {
  readonly engine: PostEngine;
  readonly transitions: readonly JudgedTransition[];
  /** Alarms of which anything changed that a person could see. */
  readonly changed: ReadonlySet<string>;
  /** Alarms whose counter moved: it must be known after a restart, though no state changed. */
  readonly counted: ReadonlySet<string>;
}

export interface JudgedTransition extends AlarmTransition {
  readonly alarm: PlannedAlarm;
}

/** A point, as far as the engine looks at it. */
export interface JudgedPoint {
  readonly device: string;
  readonly metric: string;
  readonly at: number;
  readonly value: Value;
  readonly code: number;
}

/** What is known of the contact to a post, by the server's own clock. */
export interface Contact {
  readonly at: number;
  /** null while the server itself cannot hear: nobody is silent then. */
  readonly silentMs: number | null;
  /** The broker has said that it is gone. */
  readonly offline: boolean;
  /** Somebody else may be sending in its name. */
  readonly doubted: boolean;
}

export const EMPTY_ENGINE: PostEngine = { alarms: new Map(), inputs: new Map(), run: STILL };

export function memoryOf(engine: PostEngine, id: string): AlarmMemory {
  return engine.alarms.get(id) ?? { alarm: initialAlarm(), value: null, limit: null, beyond: false };
}

/** The working copy of one judgement. */
interface Bench {
  readonly plan: AlarmPlan;
  readonly alarms: Map<string, AlarmMemory>;
  readonly inputs: Map<InputKey, Input>;
  run: PumpRun;
  readonly transitions: JudgedTransition[];
  readonly changed: Set<string>;
  readonly counted: Set<string>;
}

function openBench(plan: AlarmPlan, engine: PostEngine): Bench {
  return {
    plan,
    alarms: new Map(engine.alarms),
    inputs: new Map(engine.inputs),
    run: engine.run,
    transitions: [],
    changed: new Set(),
    counted: new Set(),
  };
}

function closeBench(bench: Bench): Judged {
  const { alarms, inputs, run, transitions, changed, counted } = bench;
  return { engine: { alarms, inputs, run }, transitions, changed, counted };
}

/**
 * Samples of a post, in any order; each instant of them is judged with what was known then. A sample that is older than
 * the one already known of its metric is left out.
 */
export function judgePoints(plan: AlarmPlan, engine: PostEngine, points: readonly JudgedPoint[]): Judged {
  const bench = openBench(plan, engine);
  const heard = points
    .filter(({ device, metric }) => plan.listeners.has(inputKey(device, metric)))
    .sort((a, b) => a.at - b.at);
  for (let index = 0; index < heard.length; ) {
    const at = heard[index]?.at ?? 0;
    const touched = new Set<PlannedAlarm>();
    stepGates(bench, at);
    for (; heard[index]?.at === at; index += 1) {
      const point = heard[index];
      if (point !== undefined) takePoint(bench, point, touched);
    }
    for (const alarm of touched) weigh(bench, alarm, at);
    silenceChildren(bench, at);
  }
  return closeBench(bench);
}

function takePoint(bench: Bench, point: JudgedPoint, touched: Set<PlannedAlarm>): void {
  const key = inputKey(point.device, point.metric);
  const known = bench.inputs.get(key);
  if (known !== undefined && known.at >= point.at) return;
  for (const alarm of bench.plan.listeners.get(key) ?? []) growOld(bench, alarm, point.at);
  bench.inputs.set(key, { value: point.value, code: point.code, at: point.at });
  if (key === bench.plan.pump?.frequency) bench.run = followSpeed(bench.run, point);
  for (const alarm of bench.plan.listeners.get(key) ?? []) touched.add(alarm);
}

/**
 * Time passing without samples: delays run out, values grow old, a pump has run long enough to be judged.
 * @param at source time, as far as the server can tell; `undefined` before the first sample
 */
export function judgeTime(plan: AlarmPlan, engine: PostEngine, at: number | undefined, contact?: Contact): Judged {
  const bench = openBench(plan, engine);
  const isSilent = contact !== undefined && judgeContacts(bench, contact);
  if (at !== undefined) judgeSource(bench, at, isSilent);
  silenceChildren(bench, at ?? contact?.at ?? 0);
  return closeBench(bench);
}

function judgeSource(bench: Bench, at: number, isSilent: boolean): void {
  const { plan } = bench;
  stepGates(bench, at);
  for (const alarm of plan.alarms) {
    if (alarm.test.kind === 'contact' || alarm.test.kind === 'identity') continue;
    passDue(bench, alarm, Math.min(at, staleAt(bench, alarm)));
    const { delayed } = memory(bench, alarm).alarm;
    if (delayed.input === 'unknown') continue;
    if (isSilent || evaluate(bench, alarm, at).input === 'unknown')
      step(bench, alarm, { type: 'input', input: 'unknown' }, at);
  }
}

/** A person's command. `refused` says why nothing happened. */
export function judgeCommand(
  plan: AlarmPlan,
  engine: PostEngine,
  id: string,
  event: AlarmEvent,
  at: number,
): Judged & { readonly refused?: AlarmRefusal } {
  const bench = openBench(plan, engine);
  const alarm = plan.alarms.find((candidate) => candidate.id === id);
  if (alarm === undefined) return closeBench(bench);
  const refused = step(bench, alarm, event, at);
  return { ...closeBench(bench), ...(refused !== undefined && { refused }) };
}

/** True while nothing is heard of the post. */
function judgeContacts(bench: Bench, contact: Contact): boolean {
  let isSilent = false;
  for (const alarm of bench.plan.alarms) {
    const { test } = alarm;
    if (test.kind === 'identity') stepContact(bench, alarm, contact.doubted ? 'true' : 'false', contact.at);
    if (test.kind !== 'contact') continue;
    const limitMs = Math.max(test.limitS * 1000, contact.offline ? 0 : test.batches * bench.plan.batchPeriodMs);
    const { silentMs } = contact;
    const input: Condition = silentMs === null ? 'unknown' : silentMs >= limitMs ? 'true' : 'false';
    if (input === 'true') isSilent = true;
    const before = memory(bench, alarm);
    bench.alarms.set(alarm.id, {
      ...before,
      value: silentMs === null ? before.value : Math.round(silentMs / 1000),
      limit: limitMs / 1000,
    });
    stepContact(bench, alarm, input, contact.at);
  }
  return isSilent;
}

/** On the server's clock, which every tick tells: only a change of the input is news. */
function stepContact(bench: Bench, alarm: PlannedAlarm, input: Condition, at: number): void {
  passDue(bench, alarm, at);
  if (input !== memory(bench, alarm).alarm.delayed.input) step(bench, alarm, { type: 'input', input }, at);
}

/** Judges the pump again at the moments at which it may have run long or steadily enough, though nothing was recorded. */
function stepGates(bench: Bench, until: number): void {
  const alarms = bench.plan.alarms.filter(({ test }) => test.kind === 'dryRun' || test.kind === 'noFlow');
  if (alarms.length === 0) return;
  for (;;) {
    const [at, ...later] = bench.run.gates;
    if (at === undefined || at >= until) return;
    bench.run = { ...bench.run, gates: later };
    for (const alarm of alarms) weigh(bench, alarm, at);
    silenceChildren(bench, at);
  }
}

/** What time alone brings up to `at`, each at its own moment. */
function passDue(bench: Bench, alarm: PlannedAlarm, at: number): void {
  for (;;) {
    const due = alarmDueAt(memory(bench, alarm).alarm, alarm.options);
    if (due === null || due > at) return;
    const before = memory(bench, alarm).alarm;
    step(bench, alarm, { type: 'tick' }, due);
    if (
      alarmDueAt(memory(bench, alarm).alarm, alarm.options) === due &&
      memory(bench, alarm).alarm.state === before.state
    )
      return;
  }
}

/** An input that nobody renewed says nothing from its age limit on, and not only when the next one comes. */
function growOld(bench: Bench, alarm: PlannedAlarm, at: number): void {
  const oldAt = staleAt(bench, alarm);
  if (oldAt >= at || memory(bench, alarm).alarm.delayed.input === 'unknown') return;
  passDue(bench, alarm, oldAt);
  step(bench, alarm, { type: 'input', input: 'unknown' }, oldAt);
}

/** From when on an input of this alarm is too old to say anything. */
function staleAt(bench: Bench, alarm: PlannedAlarm): number {
  if (alarm.test.kind === 'dryRun' || alarm.test.kind === 'noFlow') return Number.POSITIVE_INFINITY;
  const [key = ''] = alarm.inputs;
  const input = bench.inputs.get(key);
  return input === undefined ? Number.POSITIVE_INFINITY : input.at + (bench.plan.staleAfterMs.get(key) ?? 0);
}

function memory(bench: Bench, alarm: PlannedAlarm): AlarmMemory {
  return memoryOf(bench, alarm.id);
}

/** Judges one alarm by its inputs at `at`. */
function weigh(bench: Bench, alarm: PlannedAlarm, at: number): void {
  const { input, ...decision } = evaluate(bench, alarm, at);
  const before = memory(bench, alarm);
  if (input !== 'unknown') bench.alarms.set(alarm.id, { ...before, ...decision, beyond: input === 'true' });
  if (input !== 'unknown' && decision.value !== before.value && before.alarm.state !== 'normal')
    bench.changed.add(alarm.id);
  if (alarm.test.kind === 'increase' && input !== 'unknown' && decision.limit !== before.limit)
    bench.counted.add(alarm.id);
  step(bench, alarm, { type: 'input', input }, at);
}

function step(bench: Bench, alarm: PlannedAlarm, event: AlarmEvent, at: number): AlarmRefusal | undefined {
  const before = memory(bench, alarm);
  const stepped = stepAlarm(before.alarm, event, at, alarm.options);
  bench.alarms.set(alarm.id, { ...before, alarm: stepped.alarm });
  for (const transition of stepped.transitions) bench.transitions.push({ ...transition, alarm });
  if (stepped.transitions.length > 0 || stepped.alarm.condition !== before.alarm.condition) bench.changed.add(alarm.id);
  return stepped.refused;
}

interface Decision {
  readonly input: Condition;
  readonly value: number | null;
  readonly limit: number | null;
}

const UNKNOWN: Decision = { input: 'unknown', value: null, limit: null };

function evaluate(bench: Bench, alarm: PlannedAlarm, at: number): Decision {
  const { test } = alarm;
  const read = (key: InputKey): Value => readInput(bench, key, at);
  const [first = ''] = alarm.inputs;
  if (test.kind === 'limit') {
    const value = read(first);
    if (typeof value !== 'number') return UNKNOWN;
    const { limit, direction, deadband } = test;
    return { input: compareLimit(value, limit, direction, deadband, memory(bench, alarm).beyond), value, limit };
  }
  if (test.kind === 'silence') {
    const value = read(first);
    return value === null ? UNKNOWN : { input: value === test.silent ? 'true' : 'false', value: null, limit: null };
  }
  if (test.kind === 'state') {
    const value = read(first);
    if (typeof value !== 'string') return UNKNOWN;
    return { input: test.states.includes(value) ? 'true' : 'false', value: null, limit: null };
  }
  if (test.kind === 'increase') return countUp(memory(bench, alarm), read(first));
  const { pump } = bench.plan;
  if (test.kind === 'contact' || test.kind === 'identity' || pump === undefined) return UNKNOWN;
  const observation = observePump(pump, bench.run, read, at);
  return test.kind === 'dryRun'
    ? { input: judgeDryRun(pump.facts, observation), value: observation.powerW, limit: null }
    : { input: judgeNoFlow(pump.facts, observation), value: observation.flowM3h, limit: pump.facts.flowMeterCutoffM3h };
}

/**
 * A counter against its last known value. The first one known is only remembered; a lower one is that of another outbox, from
 * which counting starts again.
 */
function countUp({ alarm, value, limit }: AlarmMemory, counter: Value): Decision {
  if (typeof counter !== 'number') return UNKNOWN;
  const increase = limit === null ? 0 : Math.max(0, counter - limit);
  const sum = increase === 0 ? value : (alarm.state === 'normal' ? 0 : (value ?? 0)) + increase;
  return { input: increase > 0 ? 'true' : 'false', value: sum, limit: counter };
}

/** A good and fresh value; null for every other. */
function readInput(bench: Bench, key: InputKey, at: number): Value {
  const input = bench.inputs.get(key);
  if (input === undefined || input.code !== REASONS.good.code) return null;
  return at - input.at > (bench.plan.staleAfterMs.get(key) ?? 0) ? null : input.value;
}

/** A child says nothing while a parent is true: one trouble, one alarm. */
function silenceChildren(bench: Bench, at: number): void {
  for (const alarm of bench.plan.alarms) {
    if (alarm.parents.length === 0) continue;
    const parent = bench.plan.alarms.find(
      ({ id }) => alarm.parents.includes(id) && memoryOf(bench, id).alarm.delayed.condition === 'true',
    );
    const { suppressedBy } = memory(bench, alarm).alarm;
    if (parent !== undefined && suppressedBy !== parent.rule) {
      step(bench, alarm, { type: 'suppress', rule: parent.rule }, at);
      keepQuiet(bench, alarm);
    }
    if (parent === undefined && suppressedBy !== null) step(bench, alarm, { type: 'unsuppress' }, at);
  }
}

/** A child that was raised in the same moment as its parent is told by the parent alone. */
function keepQuiet(bench: Bench, alarm: PlannedAlarm): void {
  for (const [index, transition] of bench.transitions.entries())
    if (transition.alarm.id === alarm.id) bench.transitions[index] = { ...transition, announce: false };
}
