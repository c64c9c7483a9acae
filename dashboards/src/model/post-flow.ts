// The post as a picture: which boxes it has, what flows between them, which way and how strongly.
import type { PostSummary } from '#contract/view.js';
import type { FlowName } from '#domain/flow.js';
import type { Unit } from '#domain/quantity.js';
import { type Judged, judge, numberOf } from './figure.js';

export type NodeName = 'pv' | 'genset' | 'grid' | 'battery' | 'load' | 'pump' | 'tank';

export interface FlowNode {
  readonly name: NodeName;
  /** The figure that stands large in the box. */
  readonly main: FlowName;
  readonly figure: Judged;
  /** 0..1 of the box's bar; null without one. */
  readonly fill: number | null;
}

/** `in`: towards the bus (or, for water, towards the tank). `none`: nothing flows. `unknown`: nobody can say. */
export type Direction = 'in' | 'out' | 'none' | 'unknown';

export interface FlowLine {
  readonly node: NodeName;
  readonly direction: Direction;
  /** 0..1, of the strongest flow of the post. */
  readonly strength: number;
}

export interface PostFlow {
  readonly nodes: readonly FlowNode[];
  /** One per node, between it and the bus; for the tank between pump and tank. */
  readonly lines: readonly FlowLine[];
}

/** Metric units of the flow figures. */
export const FLOW_UNITS: Readonly<Record<FlowName, Unit>> = {
  pvPower: 'W',
  batteryPower: 'W',
  gensetPower: 'W',
  gridPower: 'W',
  loadPower: 'W',
  pumpPower: 'W',
  batterySoc: '%',
  waterFlow: 'm³/h',
  tankLevel: 'm',
  tankFill: '%',
  airTemperature: '°C',
};

/** Below this a meter shows its own noise. */
const POWER_NOISE_W = 15;
/** Flow that a water meter tells from zero. */
const FLOW_NOISE_M3H = 0.02;

interface NodeRule {
  readonly name: NodeName;
  /** The first that the post has stands large in the box. */
  readonly mains: readonly FlowName[];
  readonly bar?: FlowName;
  /** What flows on the line, and which way it flows when positive. */
  readonly line: FlowName;
  readonly positive: 'in' | 'out';
}

const NODE_RULES: readonly NodeRule[] = [
  { name: 'pv', mains: ['pvPower'], line: 'pvPower', positive: 'in' },
  { name: 'genset', mains: ['gensetPower'], line: 'gensetPower', positive: 'in' },
  { name: 'grid', mains: ['gridPower'], line: 'gridPower', positive: 'in' },
  { name: 'battery', mains: ['batterySoc', 'batteryPower'], bar: 'batterySoc', line: 'batteryPower', positive: 'in' },
  { name: 'load', mains: ['loadPower'], line: 'loadPower', positive: 'out' },
  { name: 'pump', mains: ['pumpPower'], line: 'pumpPower', positive: 'out' },
  { name: 'tank', mains: ['tankFill', 'tankLevel', 'waterFlow'], bar: 'tankFill', line: 'waterFlow', positive: 'in' },
];

/** The picture at `now` (server time). What the post does not have is not drawn; what it has and is not known is drawn so. */
export function postFlow(flows: PostSummary['flows'], now: number): PostFlow {
  const rules = NODE_RULES.filter((rule) => rule.mains.some((name) => flows[name] !== undefined));
  const powers = rules.filter((rule) => rule.name !== 'tank').map((rule) => powerOf(flows, rule, now));
  const strongest = Math.max(...powers.map((power) => Math.abs(power ?? 0)), 1);
  return {
    nodes: rules.map((rule) => nodeOf(flows, rule, now)),
    lines: rules.map((rule) => lineOf(rule, powerOf(flows, rule, now), strongest)),
  };
}

function powerOf(flows: PostSummary['flows'], rule: NodeRule, now: number): number | null {
  return numberOf(judge(flows[rule.line], now));
}

function nodeOf(flows: PostSummary['flows'], rule: NodeRule, now: number): FlowNode {
  const main = rule.mains.find((name) => flows[name] !== undefined) ?? rule.line;
  const bar = rule.bar === undefined ? null : numberOf(judge(flows[rule.bar], now));
  return {
    name: rule.name,
    main,
    figure: judge(flows[main], now),
    fill: bar === null ? null : Math.min(1, Math.max(0, bar / 100)),
  };
}

function lineOf(rule: NodeRule, value: number | null, strongest: number): FlowLine {
  if (value === null) return { node: rule.name, direction: 'unknown', strength: 0 };
  const isWater = rule.line === 'waterFlow';
  if (Math.abs(value) < (isWater ? FLOW_NOISE_M3H : POWER_NOISE_W))
    return { node: rule.name, direction: 'none', strength: 0 };
  const forward = value > 0 ? rule.positive : rule.positive === 'in' ? 'out' : 'in';
  return { node: rule.name, direction: forward, strength: isWater ? 0.5 : Math.min(1, Math.abs(value) / strongest) };
}

/** How long the battery lasts at the power that it gives now, ms; null while it charges, idles, or something is not known. */
export function batteryLeftMs(flows: PostSummary['flows'], capacityWh: number | undefined, now: number): number | null {
  const power = numberOf(judge(flows.batteryPower, now));
  const soc = numberOf(judge(flows.batterySoc, now));
  if (capacityWh === undefined || power === null || soc === null || power < POWER_NOISE_W) return null;
  return ((capacityWh * soc) / 100 / power) * 3_600_000;
}
