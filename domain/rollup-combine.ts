// What windows side by side say together about the longer one that holds them. Pure.
import { exactSum } from './exact-sum.js';
import type { CounterWindow, GaugeWindow, StateWindow, WindowRollup } from './series-rollup.js';
import type { Window } from './window.js';

/**
 * @param windows of one kind, by time, inside the longer one; those that are missing say nothing
 * @returns `undefined` where nothing is known
 */
export function combineWindows(
  windows: readonly WindowRollup[],
  window: Window,
  kind: WindowRollup['kind'],
): WindowRollup | undefined {
  const parts = windows.every((part) => part.kind === kind) ? windows : windows.filter((part) => part.kind === kind);
  const [only] = parts;
  if (only === undefined) return undefined;
  if (parts.length === 1 && only.from === window.from && only.to === window.to) return only;
  let [count, coveredMs] = [0, 0];
  for (const part of parts) {
    count += part.count;
    coveredMs += part.coverage * (part.to - part.from);
  }
  const base = {
    from: window.from,
    to: window.to,
    count,
    coverage: Math.min(1, coveredMs / (window.to - window.from)),
  };
  if (kind === 'gauge') return { ...base, ...gaugeOf(parts as readonly GaugeWindow[], coveredMs) };
  if (kind === 'counter') return { ...base, ...counterOf(parts as readonly CounterWindow[]) };
  return { ...base, ...stateOf(parts as readonly StateWindow[]) };
}

/**
 * The same for longer windows side by side.
 * @param parts by start, within the windows
 * @returns one for each window
 */
export function combineEach(
  parts: readonly WindowRollup[],
  windows: readonly Window[],
  kind: WindowRollup['kind'],
): (WindowRollup | undefined)[] {
  let next = 0;
  return windows.map((window) => {
    const start = next;
    while ((parts[next]?.from ?? window.to) < window.to) next += 1;
    return combineWindows(parts.slice(start, next), window, kind);
  });
}

function gaugeOf(parts: readonly GaugeWindow[], coveredMs: number) {
  let [min, max, weighted] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const part of parts) {
    if (part.min !== null && part.min < min) min = part.min;
    if (part.max !== null && part.max > max) max = part.max;
    if (part.mean !== null) weighted += part.mean * part.coverage * (part.to - part.from);
  }
  if (min > max) return { kind: 'gauge', min: null, max: null, mean: null, ...endsOf(parts) } as const;
  // Rounding must not carry the mean of equal values past them.
  const mean = coveredMs === 0 ? null : Math.min(max, Math.max(min, weighted / coveredMs));
  return { kind: 'gauge', min, max, mean, ...endsOf(parts) } as const;
}

function counterOf(parts: readonly CounterWindow[]) {
  const known = parts.map(({ increase }) => increase).filter((increase) => increase !== null);
  const increase = known.length === 0 ? null : exactSum(known);
  return { kind: 'counter', increase, estimated: parts.some(({ estimated }) => estimated), ...endsOf(parts) } as const;
}

function stateOf(parts: readonly StateWindow[]) {
  const times = new Map<string, number>();
  for (const { timeInMs } of parts)
    for (const [state, ms] of Object.entries(timeInMs)) times.set(state, (times.get(state) ?? 0) + ms);
  return { kind: 'state', timeInMs: Object.fromEntries(times), ...endsOf(parts) } as const;
}

function endsOf<T>(parts: readonly { readonly first: T | null; readonly last: T | null }[]) {
  return {
    first: parts.find(({ first }) => first !== null)?.first ?? null,
    last: parts.findLast(({ last }) => last !== null)?.last ?? null,
  };
}
