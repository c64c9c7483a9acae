// Rollups as lines: a measurement for each span, the metric as a tag, one field for each fact, so that other programs can draw
// them too. A fact that became unknown stays in its field, since a line can take none away: `known` tells which ones count.
import { FieldType, type IPoint } from 'influx';
import type { GaugeWindow, RollupSpan, WindowRollup } from '#domain/series-rollup.js';
import type { SeriesName } from '../../ports.js';
import type { Schema } from './connection.js';

export const ROLLUP_TAGS = ['post', 'device', 'metric'];

const { BOOLEAN, FLOAT, INTEGER, STRING } = FieldType;

/** In the order in which they are asked for. */
export const ROLLUP_FIELDS = {
  /** Bits of {@link FACTS}; {@link GONE} where there is no window any more. */
  known: INTEGER,
  /** `gauge`, `counter` or `state`. */
  kind: STRING,
  /** Epoch ms, past the last moment. */
  to: INTEGER,
  count: INTEGER,
  coverage: FLOAT,
  min: FLOAT,
  max: FLOAT,
  mean: FLOAT,
  first: FLOAT,
  last: FLOAT,
  increase: FLOAT,
  estimated: BOOLEAN,
  firstState: STRING,
  lastState: STRING,
  /** JSON: milliseconds in each state. */
  timeInMs: STRING,
} satisfies Schema;

type Field = keyof typeof ROLLUP_FIELDS;
const FIELDS = Object.keys(ROLLUP_FIELDS) as readonly Field[];
/** Those that may be unknown. */
const FACTS = ['min', 'max', 'mean', 'first', 'last', 'increase', 'firstState', 'lastState'] as const;
const GONE = -1;

export function measurementOf(span: RollupSpan): string {
  return `rollup_${span}`;
}

export function lineOfWindow(series: SeriesName, span: RollupSpan, window: WindowRollup): IPoint {
  const facts = factsOf(window);
  const fields: Record<string, unknown> = {};
  let known = 0;
  FACTS.forEach((name, bit) => {
    const value = facts[name];
    if (value === null || value === undefined) return;
    known |= 1 << bit;
    fields[name] = value;
  });
  const { count, coverage, from, kind, to } = window;
  Object.assign(fields, { known, kind, to, count, coverage });
  if (window.kind === 'counter') fields.estimated = window.estimated;
  if (window.kind === 'state') fields.timeInMs = JSON.stringify(window.timeInMs);
  return { measurement: measurementOf(span), tags: tagsOf(series), fields, timestamp: from };
}

/** In place of a window that is there and no longer true. */
export function lineOfNone(series: SeriesName, span: RollupSpan, from: number): IPoint {
  return { measurement: measurementOf(span), tags: tagsOf(series), fields: { known: GONE }, timestamp: from };
}

function tagsOf({ device, metric, post }: SeriesName): Record<string, string> {
  return { post, device, metric };
}

function factsOf(window: WindowRollup): Partial<Record<(typeof FACTS)[number], unknown>> {
  if (window.kind !== 'state') return window;
  return { firstState: window.first, lastState: window.last };
}

/** A window from its time and {@link ROLLUP_FIELDS}; `undefined` where it is gone, or another program's. */
export function windowFrom(row: readonly unknown[]): WindowRollup | undefined {
  const [from, ...values] = row;
  const of = (name: Field): unknown => values[FIELDS.indexOf(name)];
  const known = of('known');
  const to = of('to');
  if (typeof from !== 'number' || typeof to !== 'number' || typeof known !== 'number' || known === GONE)
    return undefined;
  const fact = (name: (typeof FACTS)[number]): unknown =>
    (known & (1 << FACTS.indexOf(name))) === 0 ? null : of(name);
  const number = (name: 'min' | 'max' | 'mean' | 'first' | 'last' | 'increase') => fact(name) as GaugeWindow['mean'];
  const base = { from, to, count: Number(of('count')), coverage: Number(of('coverage')) };
  const ends = { first: number('first'), last: number('last') };
  switch (of('kind')) {
    case 'gauge':
      return { kind: 'gauge', ...base, min: number('min'), max: number('max'), mean: number('mean'), ...ends };
    case 'counter':
      return { kind: 'counter', ...base, increase: number('increase'), estimated: of('estimated') === true, ...ends };
    case 'state':
      return {
        kind: 'state',
        ...base,
        timeInMs: JSON.parse(String(of('timeInMs'))) as Record<string, number>,
        first: fact('firstState') as string | null,
        last: fact('lastState') as string | null,
      };
    default:
      return undefined;
  }
}
