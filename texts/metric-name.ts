import type { Texts } from './en.js';

const PHASE = /^([a-z0-9]+)\.(l[123])\.(.+)$/;
const PV_STRING = /^pv([1-9])\.(.+)$/;

/** The name of a metric for people: phases and PV strings are named after their base. A metric without words keeps its id. */
export function metricName(metric: string, texts: Texts): string {
  const names: Readonly<Record<string, string>> = texts.metrics.names;
  const named = names[metric];
  if (named !== undefined) return named;
  const [, group, phase, quantity] = PHASE.exec(metric) ?? [];
  if (group !== undefined && phase !== undefined) {
    const base = names[`${group}.${quantity}`];
    if (base !== undefined) return texts.metrics.phase(base, phase.toUpperCase());
  }
  const [, index, ofString] = PV_STRING.exec(metric) ?? [];
  const base = index === undefined ? undefined : names[`pv.${ofString}`];
  return base === undefined || index === undefined ? metric : texts.metrics.string(base, index);
}

/** Code words of a state as the device's profile gives them (`selfTest`, `Over-voltage`), set apart as words. */
export function stateWords(value: string | number): string {
  return String(value)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[-_]/g, ' ')
    .toLowerCase();
}
