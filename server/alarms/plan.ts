// Which alarms a post has, and what each of them listens to: catalogue, configuration and birth put together. Pure.
import type { Birth, BirthDevice } from '#contract/session.js';
import type { AlarmOptions } from '#domain/alarm.js';
import { metricOf } from '#domain/metric.js';
import type { PumpFacts } from '#domain/pump.js';
import type { Unit } from '#domain/quantity.js';
import type { RuleId } from '#texts/alarm-rules.js';
import type { PostConfig, PumpConfig, RuleOverride, RuleOverrides } from '../config.js';
import { staleAfterMs } from '../live/summary.js';
import { type Catalogue, metricsOf, type Rule, type RuleTest } from './catalogue.js';

/** `device/metric` within a post. */
export type InputKey = string;

/** Inputs of the pump rules. Where several are named, the first with a good value speaks. */
export interface PumpInputs {
  readonly facts: PumpFacts;
  readonly frequency: InputKey;
  readonly power: readonly InputKey[];
  readonly flow: readonly InputKey[];
  readonly head: readonly InputKey[];
}

export interface PlannedAlarm {
  /** `post/rule/device`, or `post/rule` for the post itself. */
  readonly id: string;
  readonly rule: RuleId;
  readonly device: string | null;
  readonly test: RuleTest;
  readonly priority: 1 | 2 | 3;
  readonly unit: Unit | null;
  readonly options: AlarmOptions;
  readonly inputs: readonly InputKey[];
  /** Ids of the alarms that silence this one. */
  readonly parents: readonly string[];
}

export interface AlarmPlan {
  readonly post: string;
  readonly batchPeriodMs: number;
  /** Parents before their children. */
  readonly alarms: readonly PlannedAlarm[];
  /** Which alarms an input concerns. */
  readonly listeners: ReadonlyMap<InputKey, readonly PlannedAlarm[]>;
  /** Beyond this age an input says nothing any more. */
  readonly staleAfterMs: ReadonlyMap<InputKey, number>;
  readonly pump: PumpInputs | undefined;
}

/** What a post is judged by before it has said what it has. */
const BATCH_PERIOD_MS = 60_000;

export function inputKey(device: string, metric: string): InputKey {
  return `${device}/${metric}`;
}

/** The alarms of a post. Rules whose metrics it does not have, or that are switched off, are left out. */
export function planAlarms(
  post: string,
  birth: Birth | undefined,
  config: PostConfig | undefined,
  fleetOverrides: RuleOverrides,
  catalogue: Catalogue,
): AlarmPlan {
  const stale = new Map<InputKey, number>();
  for (const metric of birth?.metrics ?? [])
    if (metric.retired !== true)
      stale.set(inputKey(metric.device, metric.metric), staleAfterMs(metric.heartbeatS, birth?.batchPeriodMs ?? 0));
  const pump = config?.pump === undefined ? undefined : pumpInputs(config.pump, birth, stale);
  const alarms: PlannedAlarm[] = [];
  for (const rule of catalogue.rules) {
    const override: RuleOverride = { ...fleetOverrides[rule.id], ...config?.alarms[rule.id] };
    if (override.enabled === false) continue;
    for (const { device, inputs } of placesOf(rule, birth, stale, pump))
      alarms.push(planAlarm(post, rule, override, device, inputs, alarms));
  }
  return {
    post,
    batchPeriodMs: birth?.batchPeriodMs ?? BATCH_PERIOD_MS,
    alarms,
    listeners: listenersOf(alarms),
    staleAfterMs: stale,
    pump,
  };
}

interface Place {
  readonly device: string | null;
  readonly inputs: readonly InputKey[];
}

function placesOf(
  rule: Rule,
  birth: Birth | undefined,
  known: ReadonlyMap<InputKey, number>,
  pump: PumpInputs | undefined,
): Place[] {
  const { test } = rule;
  if (test.kind === 'contact' || test.kind === 'identity') return [{ device: null, inputs: [] }];
  if (test.kind === 'dryRun' || test.kind === 'noFlow') {
    if (pump === undefined) return [];
    const device = pump.frequency.slice(0, pump.frequency.indexOf('/'));
    return [{ device, inputs: [pump.frequency, ...pump.power, ...pump.flow, ...pump.head] }];
  }
  const inputsOf = (device: string) =>
    metricsOf(test)
      .map((metric) => inputKey(device, metric))
      .filter((key) => known.has(key))
      .slice(0, 1);
  const having = (birth?.devices ?? []).filter(
    ({ id, kind }) => (test.kind !== 'silence' || kind !== 'gateway') && inputsOf(id).length > 0,
  );
  return speakersOf(rule, having).map(({ id }) => ({ device: id, inputs: inputsOf(id) }));
}

function speakersOf(rule: Rule, devices: readonly BirthDevice[]): readonly BirthDevice[] {
  if (rule.deviceKinds === undefined) return devices;
  const first = rule.deviceKinds.find((kind) => devices.some((device) => device.kind === kind));
  return devices.filter((device) => device.kind === first);
}

function planAlarm(
  post: string,
  rule: Rule,
  override: RuleOverride,
  device: string | null,
  inputs: readonly InputKey[],
  above: readonly PlannedAlarm[],
): PlannedAlarm {
  const silenceS = rule.test.kind === 'silence' ? override.limit : undefined;
  const reAlarm = rule.reAlarmS === undefined ? {} : { reAlarmMs: rule.reAlarmS * 1000 };
  return {
    id: device === null ? `${post}/${rule.id}` : `${post}/${rule.id}/${device}`,
    rule: rule.id,
    device,
    test: adjust(rule.test, override),
    priority: override.priority ?? rule.priority,
    unit: unitOf(rule.test),
    options: {
      latching: override.latching ?? rule.latching,
      onDelayMs: (override.onDelayS ?? silenceS ?? rule.onDelayS) * 1000,
      offDelayMs: (override.offDelayS ?? rule.offDelayS) * 1000,
      settleMs: (rule.settleS ?? 0) * 1000,
      ...reAlarm,
    },
    inputs,
    parents: above
      .filter((parent) => rule.parents.includes(parent.rule) && (parent.device === null || parent.device === device))
      .map(({ id }) => id),
  };
}

function adjust(test: RuleTest, override: RuleOverride): RuleTest {
  if (test.kind === 'limit')
    return { ...test, limit: override.limit ?? test.limit, deadband: override.deadband ?? test.deadband };
  if (test.kind === 'contact') return { ...test, limitS: override.limit ?? test.limitS };
  return test;
}

function unitOf(test: RuleTest): Unit | null {
  if (test.kind === 'limit') return metricOf(test.metric)?.unit ?? null;
  if (test.kind === 'increase') return metricOf(test.metrics[0] ?? '')?.unit ?? null;
  if (test.kind === 'contact') return 's';
  if (test.kind === 'dryRun') return 'W';
  return test.kind === 'noFlow' ? 'm³/h' : null;
}

function listenersOf(alarms: readonly PlannedAlarm[]): Map<InputKey, PlannedAlarm[]> {
  const listeners = new Map<InputKey, PlannedAlarm[]>();
  for (const alarm of alarms)
    for (const input of alarm.inputs) {
      const known = listeners.get(input);
      if (known === undefined) listeners.set(input, [alarm]);
      else known.push(alarm);
    }
  return listeners;
}

/** Where the readings of the pump are. `undefined` when its drive is not there. */
function pumpInputs(
  pump: PumpConfig,
  birth: Birth | undefined,
  known: ReadonlyMap<InputKey, number>,
): PumpInputs | undefined {
  const frequency = inputKey(pump.device, 'pump.frequency');
  if (!known.has(frequency)) return undefined;
  const having = (keys: readonly InputKey[]) => keys.filter((key) => known.has(key));
  const meters = pump.meter === undefined ? [] : [inputKey(pump.meter, 'pump.power'), inputKey(pump.meter, 'ac.power')];
  // A drive only guesses the flow, from the same power that is to be checked: it is no second witness.
  const waterMeters = (birth?.devices ?? []).filter(({ kind }) => kind === 'water-meter');
  return {
    facts: factsOf(pump),
    frequency,
    power: having([...meters, inputKey(pump.device, 'pump.power')]),
    flow: having(waterMeters.map(({ id }) => inputKey(id, 'water.flow'))),
    // Pressure at the outlet lacks the lift from the well, which is just what is in doubt.
    head: having([inputKey(pump.device, 'pump.head')]),
  };
}

function factsOf(pump: PumpConfig): PumpFacts {
  const { device: _device, meter: _meter, ...facts } = pump;
  return facts;
}

/**
 * True where a gauge can pass its alarm limit without crossing a watch limit of its gateway before. A gateway does not watch
 * itself: what it says of itself is read once a minute, and a batch later is soon enough.
 */
export function isUnwatched(alarm: PlannedAlarm, birth: Birth | undefined): boolean {
  const { test } = alarm;
  if (test.kind !== 'limit' || birth?.devices.find(({ id }) => id === alarm.device)?.kind === 'gateway') return false;
  const metric = birth?.metrics.find((known) => inputKey(known.device, known.metric) === alarm.inputs[0]);
  const edge = test.direction === 'below' ? metric?.watch?.low : metric?.watch?.high;
  if (edge === undefined) return true;
  return test.direction === 'below' ? test.limit > edge : test.limit < edge;
}
