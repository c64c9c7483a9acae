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

/** One code of a state as words: known ones translated, others set apart (`highVoltage` → `high voltage`), codes like `F07` kept. */
export function stateWord(code: string, texts: Texts): string {
  const states: Readonly<Record<string, string>> = texts.metrics.states;
  const known = states[code];
  if (known !== undefined) return known;
  return /^[a-z]+([A-Z][a-z]*)+$/.test(code) ? code.replace(/([A-Z])/g, ' $1').toLowerCase() : code;
}

/** A state as words. Fault words of a device hold several codes, with spaces between. */
export function stateWords(value: string | number, texts: Texts): string {
  return String(value)
    .split(' ')
    .map((code) => stateWord(code, texts))
    .join(', ');
}
