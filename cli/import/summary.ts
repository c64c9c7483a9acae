// What a person is told of a file that was imported.
import { metricOf } from '#domain/metric.js';
import type { FileSummary, SeriesSummary } from './older-logger.js';

export function summaryText(summary: FileSummary, isDry: boolean): string {
  const { file, from, points, rejected, rejectsFile, rows, series, stored, to } = summary;
  const names = series.map(({ device, metric }) => `${device}/${metric}`);
  const width = Math.max(0, ...names.map(({ length }) => length)) + 2;
  return [
    `${isDry ? 'Read, and sent nothing of,' : 'Imported'} ${file}: ${timeText(from)} to ${timeText(to)}`,
    `  rows      ${rows}`,
    `  points    ${points}`,
    ...(isDry ? [] : [`  stored    ${stored} (what was there already is there once)`]),
    `  rejected  ${rejected}${rejectsFile === undefined ? '' : ` (why: ${rejectsFile})`}`,
    ...series.map((one, place) => `  ${(names[place] ?? '').padEnd(width)}${seriesText(one)}`),
    '',
  ].join('\n');
}

/** Enough to see a wrong unit: how many, between what, and the ends. */
function seriesText({ first, last, max, metric, min, missing, points }: SeriesSummary): string {
  const unit = metricOf(metric)?.unit ?? '';
  const known = min === null || max === null ? '' : `, ${numberText(min)} … ${numberText(max)} ${unit}`.trimEnd();
  const without = missing === 0 ? '' : `, ${missing} without a value`;
  return `${points} points${known}${without}; first ${valueText(first.value)}, last ${valueText(last.value)}`;
}

function valueText(value: number | string | null): string {
  return typeof value === 'number' ? numberText(value) : (value ?? 'none');
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(8)));
}

function timeText(at: number | null): string {
  return at === null ? '–' : new Date(at).toISOString();
}
