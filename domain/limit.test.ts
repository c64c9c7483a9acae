import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Condition, compareLimit, conditionDueAt, initialCondition, stepCondition } from './limit.js';

const MINUTE_MS = 60_000;

interface Rule {
  readonly limit: number;
  readonly direction: 'below' | 'above';
  readonly deadband: number;
  readonly onDelayMin: number;
  readonly offDelayMin: number;
}

/** Rows of `minute value condition [remark]`; the value `-` is a reading that is not good. */
function check(name: string, rule: Rule, table: string): void {
  test(name, () => {
    const delays = { onDelayMs: rule.onDelayMin * MINUTE_MS, offDelayMs: rule.offDelayMin * MINUTE_MS };
    let delayed = initialCondition();
    let compared: Condition = 'false';
    for (const line of table.trim().split('\n')) {
      const [minute = '', value = '', expected = ''] = line.trim().split(/\s+/);
      if (value !== '-') {
        compared = compareLimit(Number(value), rule.limit, rule.direction, rule.deadband, compared === 'true');
      }
      delayed = stepCondition(delayed, value === '-' ? 'unknown' : compared, Number(minute) * MINUTE_MS, delays);
      expect(`${minute} ${value} ${delayed.condition}`).toBe(`${minute} ${value} ${expected}`);
    }
  });
}

const batteryLow: Rule = { limit: 20, direction: 'below', deadband: 5, onDelayMin: 5, offDelayMin: 0 };

check(
  'battery low: limit 20 %, on-delay 5 min, deadband 5 %',
  batteryLow,
  `
   0  60  false
   1  19  false     delay running
   6  19  true
   7  22  true      inside the deadband
   9  25  false     back over the limit by the deadband
  10  22  false
  11  20  false     on the limit is not below it
  `,
);

check(
  'a dip shorter than the on-delay leaves no trace, and the next one starts anew',
  batteryLow,
  `
   0  60  false
   1  19  false
   5  26  false
   6  19  false
  10  19  false
  11  19  true
  `,
);

check(
  'an unknown input freezes the on-delay; time before it and behind it does not count',
  batteryLow,
  `
   0  60  false
   1  19  false
   3  19  false     two minutes known
   4  -   false
  60  -   false
  61  19  false     still two minutes
  63  19  false
  64  19  true
  `,
);

check(
  'an unknown input clears nothing, however long it lasts',
  { ...batteryLow, offDelayMin: 10 },
  `
     0  60  false
     1  19  false
     6  19  true
     7  30  true     off-delay running
    10  30  true
    11  -   true
  9999  -   true
 10000  30  true
 10006  30  true
 10007  30  false
  `,
);

check(
  'tank overflow: above 98 % for 5 min, back at 93 %',
  { limit: 98, direction: 'above', deadband: 5, onDelayMin: 5, offDelayMin: 5 },
  `
   0  98    false    on the limit is not above it
   1  98.1  false
   6  98.1  true
   7  93.5  true
  20  93.5  true     inside the deadband
  21  93    true     off-delay running
  24  94    true     and broken off
  25  93    true
  30  93    false
  `,
);

check(
  'without delays the condition follows at once',
  { ...batteryLow, onDelayMin: 0 },
  `
   0  19  true
   0  25  false
  `,
);

check(
  'a value that is bad from the beginning says nothing',
  batteryLow,
  `
   0  -   unknown
   9  -   unknown
  10  19  false
  15  19  true
  `,
);

describe('a delayed condition', () => {
  const delays = { onDelayMs: 5000, offDelayMs: 7000 };

  test('holds its last known input until the next, so one late word is enough', () => {
    const on = stepCondition(initialCondition(), 'true', 0, delays);
    expect(stepCondition(on, 'true', 5000, delays).condition).toBe('true');
    const over = stepCondition(on, 'false', 6000, delays);
    expect(over).toMatchObject({ condition: 'true', pendingSince: 6000 });
  });

  test('tells when time alone will turn it', () => {
    const on = stepCondition(initialCondition(), 'true', 1000, delays);
    expect(conditionDueAt(on, delays)).toBe(6000);
    expect(conditionDueAt(stepCondition(on, 'unknown', 2000, delays), delays)).toBeNull();
    expect(conditionDueAt(stepCondition(on, 'true', 6000, delays), delays)).toBeNull();
  });

  test('lets no time pass when the clock steps back', () => {
    const on = stepCondition(initialCondition(), 'true', 10_000, delays);
    const back = stepCondition(on, 'true', 2000, delays);
    expect(back).toMatchObject({ condition: 'false', elapsedMs: 0, at: 10_000 });
  });

  test('never turns on an unknown input, at any time, from any state', () => {
    const inputs = fc.array(fc.tuple(fc.constantFrom<Condition>('true', 'false', 'unknown'), fc.nat(9000)));
    fc.assert(
      fc.property(inputs, fc.nat(1e9), (steps, waitMs) => {
        let at = 0;
        let delayed = initialCondition();
        for (const [input, stepMs] of steps) {
          at += stepMs;
          delayed = stepCondition(delayed, input, at, delays);
        }
        const unknown = stepCondition(delayed, 'unknown', at + waitMs, delays);
        expect(unknown.condition).toBe(delayed.condition);
        expect(unknown.elapsedMs).toBe(delayed.elapsedMs);
      }),
    );
  });
});
