/** As many decimals as the step needs: 2.5 takes one, or the axis would read 3, 5, 8. */
export function decimalsOfStep(step: number): number {
  const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-6;
  if (isWhole(step)) return 0;
  return isWhole(step * 10) ? 1 : 2;
}
