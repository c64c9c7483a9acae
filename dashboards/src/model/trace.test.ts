import { describe, expect, it } from 'vitest';
import { extendTraces, type Traces, tracePath } from './trace.js';

const at = (time: number, value: number | null) => ({ pvPower: { at: time, value, code: value === null ? 33 : 0 } });

describe('the trace of a figure', () => {
  it('grows only with figures that are newer', () => {
    let traces: Traces = {};
    for (const flows of [at(1, 10), at(1, 10), at(2, 12), at(1, 9), at(3, null)]) traces = extendTraces(traces, flows);
    expect(traces.pvPower).toEqual([
      { at: 1, value: 10 },
      { at: 2, value: 12 },
      { at: 3, value: null },
    ]);
  });

  it('forgets its oldest points', () => {
    let traces: Traces = {};
    for (let time = 0; time < 500; time += 1) traces = extendTraces(traces, at(time, time));
    expect(traces.pvPower).toHaveLength(90);
    expect(traces.pvPower?.[89]).toEqual({ at: 499, value: 499 });
  });

  it('breaks where a value is missing, and draws nothing for a zero that never was', () => {
    const points = [
      { at: 0, value: 0 },
      { at: 1, value: 10 },
      { at: 2, value: null },
      { at: 3, value: 10 },
      { at: 4, value: 0 },
    ];
    expect(tracePath(points, 43, 23)).toBe('M1.5 21.5L11.5 1.5M31.5 1.5L41.5 21.5');
  });

  it('draws nothing from one value, and noise as a calm line', () => {
    expect(tracePath([{ at: 0, value: 5 }], 40, 20)).toBe('');
    const calm = tracePath(
      [
        { at: 0, value: 230 },
        { at: 1, value: 230.1 },
      ],
      40,
      20,
    );
    const heights = [...calm.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
    expect(Math.max(...heights) - Math.min(...heights)).toBeLessThan(1);
  });
});
