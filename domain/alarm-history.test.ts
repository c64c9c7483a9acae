// Random lives of an alarm: what must hold whatever happens, in whatever order.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Alarm, type AlarmEvent, type AlarmOptions, type AlarmStep, initialAlarm, stepAlarm } from './alarm.js';

const HOUR_MS = 3_600_000;

/** Everything that can happen, at a time. */
const EVENTS: readonly ((at: number) => AlarmEvent)[] = [
  () => ({ type: 'input', input: 'true' }),
  () => ({ type: 'input', input: 'false' }),
  () => ({ type: 'acknowledge', by: 'Zarina', comment: 'on my way' }),
  () => ({ type: 'acknowledge', by: '' }),
  () => ({ type: 'reset', by: 'Zarina' }),
  (at) => ({ type: 'shelve', by: 'Zarina', until: at + HOUR_MS, reason: 'sensor is being replaced' }),
  () => ({ type: 'unshelve', by: 'Zarina' }),
  () => ({ type: 'suppress', rule: 'post-silent' }),
  () => ({ type: 'unsuppress' }),
  () => ({ type: 'removeFromService', by: 'Farrukh', reason: 'pump is out of the well' }),
  () => ({ type: 'returnToService', by: 'Farrukh' }),
  () => ({ type: 'tick' }),
];
const TICK = () => ({ type: 'tick' }) as const;
const UNKNOWN = () => ({ type: 'input', input: 'unknown' }) as const;

type Step = readonly [(at: number) => AlarmEvent, number];

const lives: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom(...EVENTS, UNKNOWN), fc.integer({ min: 0, max: 2 * HOUR_MS })),
  { maxLength: 40 },
);
const someOptions = fc.record(
  {
    latching: fc.boolean(),
    onDelayMs: fc.constantFrom(0, 1000, HOUR_MS),
    offDelayMs: fc.constantFrom(0, 1000, HOUR_MS),
    reAlarmMs: fc.constantFrom(1000, HOUR_MS),
    settleMs: fc.constantFrom(0, 1000, HOUR_MS),
  },
  { requiredKeys: ['latching', 'onDelayMs', 'offDelayMs'] },
);

function run(
  steps: readonly Step[],
  options: AlarmOptions,
  between = (alarm: Alarm): Alarm => alarm,
): (AlarmStep & { at: number })[] {
  let at = 1_700_000_000_000;
  let alarm = initialAlarm();
  return steps.map(([happens, waitMs]) => {
    at += waitMs;
    const step = stepAlarm(alarm, happens(at), at, options);
    alarm = between(step.alarm);
    return { ...step, at };
  });
}

describe('whatever happens', () => {
  test('no impossible state is reached', () => {
    fc.assert(
      fc.property(lives, someOptions, (steps, options) => {
        for (const { alarm } of run(steps, options)) {
          const { state } = alarm;
          const isTrue = alarm.delayed.condition === 'true';
          const setAside = state === 'shelved' || state === 'suppressed' || state === 'outOfService';
          if (!setAside) expect(isTrue).toBe(state === 'unacknowledged' || state === 'acknowledged');
          if (state.startsWith('latched')) expect(alarm.latched && options.latching).toBe(true);
          if (state === 'returned' || state === 'normal') expect(alarm.latched).toBe(false);
          if (state === 'returned') expect(options.latching).toBe(false);
          if (state === 'acknowledged' || state === 'latchedAcknowledged') expect(alarm.acknowledgedBy).not.toBeNull();
          if (state === 'unacknowledged') expect(alarm.acknowledgedBy).toBeNull();
          expect(alarm.shelvedUntil !== null).toBe(state === 'shelved');
          expect(alarm.setAsideBy !== null).toBe(state === 'shelved' || state === 'outOfService');
          if (state === 'suppressed') expect((alarm.suppressedBy === null) === (alarm.settlesAt !== null)).toBe(true);
          else expect(alarm.settlesAt).toBeNull();
          if (state !== 'acknowledged') expect(alarm.reAlarmAt).toBeNull();
          if (isTrue) expect(alarm.count).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('each transition begins where the last one ended, in the order of time', () => {
    fc.assert(
      fc.property(lives, someOptions, (steps, options) => {
        let state = initialAlarm().state;
        let time = 0;
        for (const { alarm, transitions, at } of run(steps, options)) {
          for (const transition of transitions) {
            expect(transition.from).toBe(state);
            expect(transition.at).toBeGreaterThanOrEqual(time);
            expect(transition.at).toBeLessThanOrEqual(at);
            state = transition.to;
            time = transition.at;
          }
          expect(alarm.state).toBe(state);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an alarm that is set aside announces nothing, and what is announced waits for a person', () => {
    fc.assert(
      fc.property(lives, someOptions, (steps, options) => {
        for (const { transitions } of run(steps, options)) {
          for (const { announce, to } of transitions) if (announce) expect(to).toBe('unacknowledged');
        }
      }),
    );
  });

  test('the same events give the same alarm, also when it was stored and read in between', () => {
    fc.assert(
      fc.property(lives, someOptions, (steps, options) => {
        const stored = (alarm: Alarm): Alarm => JSON.parse(JSON.stringify(alarm));
        expect(run(steps, options, stored)).toEqual(run(steps, options));
      }),
    );
  });

  test('an unknown input moves no alarm, however long after', () => {
    fc.assert(
      fc.property(lives, someOptions, fc.nat(1e12), (steps, options, waitMs) => {
        const last = run(steps, options).at(-1);
        if (!last) return;
        const step = stepAlarm(last.alarm, UNKNOWN(), last.at + waitMs, options);
        expect(step.transitions).toEqual([]);
        expect(step.alarm.state).toBe(last.alarm.state);
        expect(step.alarm.delayed.condition).toBe(last.alarm.delayed.condition);
      }),
    );
  });

  test('more ticks in between change nothing while the input is known', () => {
    const known = fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.integer({ min: 2, max: 2 * HOUR_MS })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(known, someOptions, (steps, options) => {
        const ticked = steps.flatMap(([happens, waitMs]): Step[] => [
          [TICK, Math.floor(waitMs / 2)],
          [happens, waitMs - Math.floor(waitMs / 2)],
        ]);
        const journal = (all: readonly AlarmStep[]) => all.flatMap(({ transitions }) => transitions);
        const rare = run(steps, options);
        const often = run(ticked, options);
        expect(journal(often)).toEqual(journal(rare));
        expect(often.at(-1)?.alarm).toEqual(rare.at(-1)?.alarm);
      }),
      { numRuns: 500 },
    );
  });
});
