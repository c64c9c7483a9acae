// Do the sources and the load of a post add up?
import type { PostSummary } from '#contract/view.js';
import { type BalanceTolerance, judgePowerBalance, type PowerParts, powerBalance } from '#domain/balance.js';
import type { FlowName } from '#domain/flow.js';
import { judge, numberOf } from './figure.js';

/** Shown from here on. Narrower than what the server calls a wrong meter: a person may look before a rule speaks. */
const SHOWN: BalanceTolerance = { absoluteW: 50, share: 0.05 };
/** Figures from further apart than this do not describe the same moment. */
const APART_MS_MAX = 90_000;

const PARTS = {
  pvW: 'pvPower',
  gensetW: 'gensetPower',
  gridW: 'gridPower',
  batteryW: 'batteryPower',
} as const satisfies Record<string, FlowName>;

/**
 * Power that sources and load leave unexplained, W (positive: more comes in than the load takes); null when it is small,
 * or when a figure is missing, old, or not of the same moment.
 */
export function unexplainedPower(flows: PostSummary['flows'], now: number): number | null {
  const load = flows.loadPower;
  if (load === undefined) return null;
  const parts: { -readonly [K in keyof PowerParts]: PowerParts[K] } = { loadW: numberOf(judge(load, now)) };
  const times = [load.at];
  for (const part of Object.keys(PARTS) as (keyof typeof PARTS)[]) {
    const figure = flows[PARTS[part]];
    if (figure === undefined) continue;
    parts[part] = numberOf(judge(figure, now));
    times.push(figure.at);
  }
  if (times.length < 2 || Math.max(...times) - Math.min(...times) > APART_MS_MAX) return null;
  return judgePowerBalance(parts, SHOWN) === 'true' ? powerBalance(parts).residualW : null;
}
