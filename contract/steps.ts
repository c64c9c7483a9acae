// Differences between neighbours: times, ids and scaled values become small numbers.

/** First value, then the step to each next one. */
export function stepsOf(values: readonly number[]): number[] {
  return values.map((value, i) => value - (i === 0 ? 0 : (values[i - 1] as number)));
}

/** The inverse of {@link stepsOf}; `undefined` for anything that is not a list of at most `countMax` integers. */
export function sumsOf(steps: unknown, countMax: number): number[] | undefined {
  if (!Array.isArray(steps) || steps.length > countMax) return undefined;
  const values: number[] = [];
  let sum = 0;
  for (const step of steps) {
    if (typeof step !== 'number') return undefined;
    sum += step;
    if (!Number.isSafeInteger(sum)) return undefined;
    values.push(sum);
  }
  return values;
}
