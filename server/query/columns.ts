// Windows and points as columns of an answer. Pure.
import type { QueryGap, QuerySeries, QueryWhole } from '#contract/query.js';
import { type Reason, reasonOf } from '#domain/quality.js';
import type { CounterWindow, GaugeWindow, StateWindow, WindowRollup } from '#domain/series-rollup.js';
import type { Window } from '#domain/window.js';
import type { Point } from '../ports.js';
import type { Gap } from './gap-reader.js';

type Columns = Omit<QuerySeries, 'post' | 'device' | 'metric' | 'kind' | 'unit' | 'zone' | 'whole' | 'gaps'>;
type Maybe<T> = readonly (T | undefined)[];

/** @param windows one for each frame; `undefined` where nothing is known, which becomes null and a coverage of zero */
export function windowColumns(
  kind: WindowRollup['kind'],
  frames: readonly Window[],
  windows: Maybe<WindowRollup>,
): Columns {
  return {
    at: frames.map(({ from }) => from),
    ...(kind === 'gauge' && gaugeColumns(windows as Maybe<GaugeWindow>)),
    ...(kind === 'counter' && counterColumns(windows as Maybe<CounterWindow>)),
    ...(kind === 'state' && stateColumns(windows as Maybe<StateWindow>)),
    first: windows.map((window) => window?.first ?? null),
    last: windows.map((window) => window?.last ?? null),
    count: windows.map((window) => window?.count ?? 0),
    coverage: windows.map((window) => shareOf(window?.coverage ?? 0)),
  };
}

function gaugeColumns(windows: Maybe<GaugeWindow>): Partial<Columns> {
  return {
    min: windows.map((window) => window?.min ?? null),
    max: windows.map((window) => window?.max ?? null),
    mean: windows.map((window) => window?.mean ?? null),
  };
}

function counterColumns(windows: Maybe<CounterWindow>): Partial<Columns> {
  return {
    increase: windows.map((window) => window?.increase ?? null),
    estimated: windows.map((window) => window?.estimated ?? false),
  };
}

function stateColumns(windows: Maybe<StateWindow>): Partial<Columns> {
  const states = new Set(windows.flatMap((window) => Object.keys(window?.timeInMs ?? {})));
  return {
    timeInMs: Object.fromEntries(
      [...states].sort().map((state) => [state, windows.map((window) => window?.timeInMs[state] ?? 0)]),
    ),
  };
}

/** A name for every code: one of a later version has only its number. */
export function pointColumns(points: readonly Point[]): Columns {
  return {
    at: points.map(({ at }) => at),
    value: points.map(({ value }) => value),
    reason: points.map(({ code }) => reasonOf(code) ?? `code ${code}`),
  };
}

export function wholeOf(window: WindowRollup | undefined): QueryWhole | null {
  if (window === undefined) return null;
  const { kind: _kind, ...whole } = window;
  return { ...whole, coverage: shareOf(whole.coverage) };
}

/** Six digits; down, for nearly complete is not complete. */
function shareOf(share: number): number {
  return Math.floor(share * 1_000_000 + 1e-3) / 1_000_000;
}

export function gapsOf(gaps: readonly Gap[]): QueryGap[] {
  return gaps.map(({ code, from, to }) => ({ from, to, ...(code !== undefined && { reason: reasonOfGap(code) }) }));
}

/** `good` is no cause: a number that is none was stored. A reason of a later version has no name here. */
export function reasonOfGap(code: number | null): Reason | null {
  const reason = code === null ? undefined : reasonOf(code);
  return reason === undefined || reason === 'good' ? null : reason;
}
