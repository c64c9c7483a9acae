import { describe, expect, test } from 'vitest';
import {
  ALARM_STATE_NAMES,
  type Alarm,
  type AlarmEvent,
  type AlarmOptions,
  type AlarmStep,
  alarmDueAt,
  initialAlarm,
  SHELVE_MS_MAX,
  stepAlarm,
} from './alarm.js';

const HOUR_MS = 3_600_000;
const plain: AlarmOptions = { latching: false, onDelayMs: 0, offDelayMs: 0 };
const latching: AlarmOptions = { ...plain, latching: true };

/** One event in a word; times are given apart. */
const EVENTS: Readonly<Record<string, (at: number) => AlarmEvent>> = {
  true: () => ({ type: 'input', input: 'true' }),
  false: () => ({ type: 'input', input: 'false' }),
  unknown: () => ({ type: 'input', input: 'unknown' }),
  acknowledge: () => ({ type: 'acknowledge', by: 'Zarina', comment: 'on my way' }),
  reset: () => ({ type: 'reset', by: 'Zarina' }),
  shelve: (at) => ({ type: 'shelve', by: 'Zarina', until: at + HOUR_MS, reason: 'sensor is being replaced' }),
  unshelve: () => ({ type: 'unshelve', by: 'Zarina' }),
  suppress: () => ({ type: 'suppress', rule: 'post-silent' }),
  unsuppress: () => ({ type: 'unsuppress' }),
  remove: () => ({ type: 'removeFromService', by: 'Farrukh', reason: 'pump is out of the well' }),
  return: () => ({ type: 'returnToService', by: 'Farrukh' }),
  tick: () => ({ type: 'tick' }),
};

function event(word: string, at: number): AlarmEvent {
  const make = EVENTS[word];
  if (!make) throw new Error(`no event "${word}"`);
  return make(at);
}

/** Lets the words happen one second apart; a number among them waits so many milliseconds. */
function live(
  words: string,
  options: AlarmOptions,
  start: Alarm = initialAlarm(),
): AlarmStep & { readonly at: number } {
  let at = start.delayed.at ?? 0;
  let step: AlarmStep = { alarm: start, transitions: [] };
  for (const word of words.split(' ').filter((part) => part !== '')) {
    if (/^\d+$/.test(word)) {
      at += Number(word);
      continue;
    }
    at += 1000;
    const next = stepAlarm(step.alarm, event(word, at), at, options);
    step = { ...next, transitions: [...step.transitions, ...next.transitions] };
  }
  return { ...step, at };
}

describe('every row of the table of ISA-18.2', () => {
  // How each state is reached, with the condition true (T) or false (F) underneath.
  const WAYS: Readonly<Record<string, string>> = {
    normal: 'false',
    unacknowledged: 'true',
    acknowledged: 'true acknowledge',
    returned: 'true false',
    latchedUnacknowledged: 'true false',
    latchedAcknowledged: 'true false acknowledge',
    'shelved-T': 'true shelve',
    'shelved-F': 'false shelve',
    'suppressed-T': 'true suppress',
    'suppressed-F': 'false suppress',
    'outOfService-T': 'true remove',
    'outOfService-F': 'false remove',
  };
  const HOUR = String(HOUR_MS);
  const TABLE = `
    normal                 true              unacknowledged         yes
    unacknowledged         acknowledge       acknowledged           no
    unacknowledged         false             returned               no
    acknowledged           false             normal                 no
    returned               acknowledge       normal                 no
    returned               true              unacknowledged         yes
    acknowledged           re-alarm          unacknowledged         yes
    normal                 shelve            shelved                no
    unacknowledged         shelve            shelved                no
    acknowledged           shelve            shelved                no
    returned               shelve            shelved                no
    shelved-T              unshelve          unacknowledged         yes
    shelved-F              unshelve          normal                 no
    shelved-T              expiry            unacknowledged         yes
    shelved-F              expiry            normal                 no
    normal                 suppress          suppressed             no
    unacknowledged         suppress          suppressed             no
    acknowledged           suppress          suppressed             no
    returned               suppress          suppressed             no
    suppressed-T           unsuppress        unacknowledged         yes
    suppressed-F           unsuppress        normal                 no
    normal                 remove            outOfService           no
    unacknowledged         remove            outOfService           no
    acknowledged           remove            outOfService           no
    returned               remove            outOfService           no
    outOfService-T         return            unacknowledged         yes
    outOfService-F         return            normal                 no
    shelved-T              false             shelved                no
    shelved-F              true              shelved                no
    suppressed-T           false             suppressed             no
    suppressed-F           true              suppressed             no
    outOfService-T         false             outOfService           no
    outOfService-F         true              outOfService           no
  `;
  const LATCHED = `
    unacknowledged         false             latchedUnacknowledged  no
    latchedUnacknowledged  acknowledge       latchedAcknowledged    no
    acknowledged           false             latchedAcknowledged    no
    latchedAcknowledged    reset             normal                 no
    latchedUnacknowledged  true              unacknowledged         yes
    latchedAcknowledged    true              unacknowledged         yes
  `;
  const rows = (table: string) =>
    table
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/) as [string, string, string, string]);

  function checkRow(options: AlarmOptions, [from, what, to, announce]: [string, string, string, string]): void {
    const before = live(WAYS[from] ?? '', options);
    expect(before.alarm.state).toBe(from.replace(/-[TF]$/, ''));
    const words = what === 're-alarm' || what === 'expiry' ? `${HOUR} tick` : what;
    const after = live(words, options, before.alarm);
    expect(after.refused).toBeUndefined();
    expect(after.alarm.state).toBe(to);
    expect(after.transitions).toHaveLength(1);
    expect(after.transitions[0]).toMatchObject({ from: before.alarm.state, to, announce: announce === 'yes' });
  }

  test.each(rows(TABLE))('%s, %s → %s, announced: %s', (...row) => {
    checkRow({ ...plain, reAlarmMs: HOUR_MS / 2 }, row);
  });
  test.each(rows(LATCHED))('latching: %s, %s → %s, announced: %s', (...row) => {
    checkRow(latching, row);
  });

  test('a latched alarm is not reset before somebody has acknowledged it', () => {
    const latched = live('true false', latching);
    expect(live('reset', latching, latched.alarm)).toMatchObject({
      refused: 'ALARM_ACKNOWLEDGE_FIRST',
      alarm: { state: 'latchedUnacknowledged' },
      transitions: [],
    });
  });

  test('every state is named in the table', () => {
    const named = new Set(
      [...rows(TABLE), ...rows(LATCHED)].flatMap(([from, , to]) => [from.replace(/-[TF]$/, ''), to]),
    );
    expect([...named].sort()).toEqual([...ALARM_STATE_NAMES].sort());
  });
});

describe('what a person did is kept', () => {
  test('an acknowledgement with who, when and why', () => {
    const { alarm, transitions } = live('true acknowledge', plain);
    expect(alarm).toMatchObject({ acknowledgedBy: 'Zarina', acknowledgedAt: 2000, comment: 'on my way' });
    expect(transitions.at(-1)).toMatchObject({ event: 'acknowledge', by: 'Zarina', comment: 'on my way', at: 2000 });
  });

  test('a new activation wants a new acknowledgement', () => {
    expect(live('true acknowledge false true', plain).alarm).toMatchObject({
      state: 'unacknowledged',
      count: 2,
      acknowledgedBy: null,
      comment: null,
      since: 4000,
      returnedAt: null,
    });
  });

  test.each(['acknowledge', 'reset', 'shelve', 'unshelve', 'removeFromService', 'returnToService'] as const)(
    '%s without a name is refused',
    (type) => {
      const nameless = { type, by: ' ', until: 5000, reason: 'none' } as AlarmEvent;
      expect(stepAlarm(live('true', plain).alarm, nameless, 2000, plain).refused).toBe('ALARM_NO_PERSON');
    },
  );

  test.each([
    ['false acknowledge', 'ALARM_NOTHING_TO_ACKNOWLEDGE'],
    ['true acknowledge acknowledge', 'ALARM_NOTHING_TO_ACKNOWLEDGE'],
    ['true shelve acknowledge', 'ALARM_NOTHING_TO_ACKNOWLEDGE'],
    ['true reset', 'ALARM_NOTHING_TO_RESET'],
    ['true unshelve', 'ALARM_NOT_SHELVED'],
    ['true return', 'ALARM_NOT_OUT_OF_SERVICE'],
    ['true shelve shelve', 'ALARM_SET_ASIDE'],
    ['true suppress shelve', 'ALARM_SET_ASIDE'],
    ['true remove remove', 'ALARM_SET_ASIDE'],
  ])('%s is refused with %s and changes nothing', (words, code) => {
    const before = live(words.slice(0, words.lastIndexOf(' ')), plain);
    const after = live(words.slice(words.lastIndexOf(' ') + 1), plain, before.alarm);
    expect(after.refused).toBe(code);
    expect(after.alarm.state).toBe(before.alarm.state);
    expect(after.transitions).toEqual([]);
  });

  test('a latched alarm is not set aside', () => {
    expect(live('true false shelve', latching).refused).toBe('ALARM_LATCHED');
    expect(live('true false acknowledge remove', latching).refused).toBe('ALARM_LATCHED');
  });
});

describe('shelving', () => {
  const shelve = (hours: number, priority: 1 | 2 | 3, reason = 'known') =>
    stepAlarm(
      live('true', plain).alarm,
      { type: 'shelve', by: 'Zarina', until: 2000 + hours * HOUR_MS, reason },
      2000,
      {
        ...plain,
        shelveMsMax: SHELVE_MS_MAX[priority],
      },
    );

  test.each([
    [1, 8],
    [2, 24],
    [3, 168],
  ] as const)('priority %d: %d hours and no longer', (priority, hours) => {
    expect(shelve(hours, priority).alarm.state).toBe('shelved');
    expect(shelve(hours + 0.001, priority).refused).toBe('ALARM_SHELVED_TOO_LONG');
  });

  test('into the past, for ever, or without a reason is refused', () => {
    expect(shelve(0, 1).refused).toBe('ALARM_SHELVED_TOO_LONG');
    expect(shelve(Number.POSITIVE_INFINITY, 3).refused).toBe('ALARM_SHELVED_TOO_LONG');
    expect(shelve(Number.NaN, 3).refused).toBe('ALARM_SHELVED_TOO_LONG');
    expect(shelve(1, 1, '  ').refused).toBe('ALARM_NO_REASON');
  });

  test('ends at its own moment, however late the clock ticks', () => {
    const { alarm } = live('true shelve', plain);
    const { transitions } = stepAlarm(alarm, { type: 'tick' }, 100 * HOUR_MS, plain);
    expect(transitions).toMatchObject([{ event: 'shelfExpired', at: 2000 + HOUR_MS, to: 'unacknowledged' }]);
  });

  test('counts what happens underneath and tells nobody', () => {
    const { alarm, transitions } = live('false shelve true false true', plain);
    expect(alarm).toMatchObject({ state: 'shelved', count: 2, condition: 'true' });
    expect(transitions.map(({ event: name }) => name)).toEqual([
      'shelve',
      'conditionTrue',
      'conditionFalse',
      'conditionTrue',
    ]);
    expect(transitions.some(({ announce }) => announce)).toBe(false);
  });

  test('does not lose a latch: the activation still waits for a person', () => {
    expect(live('true shelve false unshelve', latching).alarm.state).toBe('latchedUnacknowledged');
    expect(live('true acknowledge shelve false unshelve', latching).alarm.state).toBe('latchedAcknowledged');
    expect(live('false shelve true false unshelve', latching).alarm.state).toBe('normal');
  });
});

describe('suppression by design', () => {
  test('waits for the settle time before the condition counts again', () => {
    const options = { ...plain, settleMs: 300_000 };
    const lifted = live('true suppress unsuppress', options);
    expect(lifted.alarm).toMatchObject({ state: 'suppressed', settlesAt: 303_000 });
    expect(alarmDueAt(lifted.alarm, options)).toBe(303_000);
    expect(live('298000 tick', options, lifted.alarm).alarm.state).toBe('suppressed');
    expect(live('false 300000 tick', options, lifted.alarm).alarm.state).toBe('normal');
    const settled = live('400000 tick', options, lifted.alarm);
    expect(settled.alarm.state).toBe('unacknowledged');
    expect(settled.transitions[0]?.at).toBe(303_000);
  });

  test('that comes back while it settles holds on', () => {
    const options = { ...plain, settleMs: 300_000 };
    expect(live('true suppress unsuppress suppress 900000 tick', options).alarm).toMatchObject({
      state: 'suppressed',
      settlesAt: null,
    });
  });

  test('is remembered under a shelf, and holds when the shelf ends', () => {
    const { alarm, transitions } = live('true shelve suppress unshelve', plain);
    expect(alarm).toMatchObject({ state: 'suppressed', suppressedBy: 'post-silent' });
    expect(transitions.filter(({ announce }) => announce)).toHaveLength(1);
    expect(live('unsuppress', plain, alarm).alarm.state).toBe('unacknowledged');
    expect(live('true shelve suppress unsuppress unshelve', plain).alarm.state).toBe('unacknowledged');
  });

  test('keeps a latched alarm silent when it comes true again, without losing the latch', () => {
    const { alarm } = live('true false suppress true', latching);
    expect(alarm).toMatchObject({ state: 'suppressed', latched: true });
    expect(live('false unsuppress', latching, alarm).alarm.state).toBe('latchedUnacknowledged');
  });

  test('lifted where there is none changes nothing', () => {
    expect(live('true unsuppress', plain).transitions).toHaveLength(1);
  });
});

describe('the re-alarm timer', () => {
  const options = { ...plain, reAlarmMs: 60_000 };

  test('asks again for an acknowledgement while the condition lasts', () => {
    const first = live('true acknowledge 60000 tick', options);
    expect(first.alarm).toMatchObject({ state: 'unacknowledged', acknowledgedBy: null, count: 1, reAlarmAt: null });
    expect(first.transitions.at(-1)).toMatchObject({ event: 'reAlarm', announce: true, at: 62_000 });
    expect(live('acknowledge 30000 tick', options, first.alarm).alarm.state).toBe('acknowledged');
  });

  test('stands still while the input is unknown', () => {
    const { alarm } = live('true acknowledge 20000 unknown 999999 tick', options);
    expect(alarm.state).toBe('acknowledged');
    const known = live('true', options, alarm);
    expect(known.alarm).toMatchObject({ state: 'acknowledged', unknownSince: null });
    expect(live('37000 tick', options, known.alarm).alarm.state).toBe('acknowledged');
    expect(live('40000 tick', options, known.alarm).alarm.state).toBe('unacknowledged');
  });

  test('is gone with the condition', () => {
    expect(alarmDueAt(live('true acknowledge false', options).alarm, options)).toBeNull();
  });
});

describe('delays', () => {
  const options = { ...plain, onDelayMs: 5000, offDelayMs: 10_000 };

  test('raise and clear at the moment when they ran out, not when the clock ticked', () => {
    const { transitions } = live('true 60000 tick false 60000 tick', options);
    expect(transitions.map(({ event: name, at }) => [name, at])).toEqual([
      ['conditionTrue', 6000],
      ['conditionFalse', 73_000],
    ]);
  });

  test('a command late in the day finds what time had already brought', () => {
    const { alarm, transitions } = live('true 60000 acknowledge', options);
    expect(alarm.state).toBe('acknowledged');
    expect(transitions.map(({ event: name }) => name)).toEqual(['conditionTrue', 'acknowledge']);
  });

  test('an activation that ends before the next word is still an activation', () => {
    const { transitions } = live('true 60000 false 60000 tick', options);
    expect(transitions.map(({ to }) => to)).toEqual(['unacknowledged', 'returned']);
  });
});

describe('an unknown input', () => {
  test('is shown, and neither clears nor raises', () => {
    const options = { ...plain, onDelayMs: 5000, offDelayMs: 5000 };
    expect(live('true unknown 999999 tick', options).alarm).toMatchObject({ state: 'normal', condition: 'unknown' });
    const raised = live('true 5000 tick', options);
    expect(live('unknown 999999 tick', options, raised.alarm).alarm).toMatchObject({
      state: 'unacknowledged',
      condition: 'unknown',
    });
    expect(live('false unknown 999999 tick', options, raised.alarm).alarm.state).toBe('unacknowledged');
  });

  test('does not keep a person from acknowledging', () => {
    expect(live('true unknown acknowledge', plain).alarm).toMatchObject({
      state: 'acknowledged',
      condition: 'unknown',
    });
  });
});
