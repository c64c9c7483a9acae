import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Birth } from '#contract/session.js';
import type { PostConfig, RuleOverrides } from '../config.js';
import { readCatalogue } from './catalogue.js';
import {
  EMPTY_ENGINE,
  type Judged,
  type JudgedPoint,
  judgeCommand,
  judgePoints,
  judgeTime,
  memoryOf,
  type PostEngine,
} from './judge.js';
import { planAlarms } from './plan.js';

const START = Date.UTC(2026, 0, 10, 6);
const SECOND = 1000;
const MINUTE = 60_000;

const PUMP: NonNullable<PostConfig['pump']> = {
  device: 'drive',
  type: 'centrifugal',
  ratedFrequencyHz: 50,
  deadHeadPowerW: 1000,
  staticHeadM: 40,
  shutOffHeadM: 90,
  ratedFlowM3h: 5,
  flowMeterCutoffM3h: 0.05,
};
const CONFIG: PostConfig = { id: 'ak-baital', name: 'Ak-Baital', zone: 'Asia/Dushanbe', pump: PUMP, alarms: {} };

const gauge = (device: string, metric: string, unit: 'W' | 'Hz' | '%' | 'm³/h', index: number) =>
  ({ index, device, metric, kind: 'gauge', unit, pollPeriodMs: 10_000, heartbeatS: 300 }) as const;
const BIRTH: Birth = {
  birth: 1,
  at: START,
  clock: 'synchronised',
  gateway: { version: '0.1.0', publicKey: '', epoch: '00112233445566aa', start: 1 },
  batchPeriodMs: MINUTE,
  devices: [
    { id: 'bms', kind: 'battery', pollPeriodMs: 10_000 },
    { id: 'hybrid', kind: 'inverter', pollPeriodMs: 10_000 },
    { id: 'drive', kind: 'pump', pollPeriodMs: 10_000 },
    { id: 'water', kind: 'water-meter', pollPeriodMs: 10_000 },
    { id: 'gateway', kind: 'gateway', pollPeriodMs: 60_000 },
  ],
  metrics: [
    gauge('bms', 'battery.soc', '%', 0),
    gauge('hybrid', 'battery.soc', '%', 1),
    gauge('drive', 'pump.frequency', 'Hz', 2),
    gauge('drive', 'pump.power', 'W', 3),
    gauge('water', 'water.flow', 'm³/h', 4),
    ...(['gateway.samplesExpired', 'gateway.recordsExpired', 'gateway.recordsRefused'] as const).map(
      (metric, place) =>
        ({
          index: 6 + place,
          device: 'gateway',
          metric,
          kind: 'counter',
          unit: '1',
          pollPeriodMs: 60_000,
          heartbeatS: 300,
        }) as const,
    ),
    gauge('gateway', 'gateway.outboxFill', '%', 9),
    {
      index: 10,
      device: 'gateway',
      metric: 'gateway.clockQuality',
      kind: 'state',
      pollPeriodMs: 60_000,
      heartbeatS: 300,
    },
    { index: 5, device: 'water', metric: 'poll.state', kind: 'state', pollPeriodMs: 10_000, heartbeatS: 300 },
  ],
};
const plan = planAlarms('ak-baital', BIRTH, CONFIG, {}, readCatalogue());
const LOW = 'ak-baital/batterySocLow/bms';
const CRITICAL = 'ak-baital/batterySocCritical/bms';
const DRY = 'ak-baital/pumpDryRun/drive';
const NO_FLOW = 'ak-baital/pumpNoFlow/drive';
const SILENT = 'ak-baital/postSilent';
const DEVICE = 'ak-baital/deviceSilent/water';

const point = (
  device: string,
  metric: string,
  value: number | string | null,
  afterMs: number,
  code = 0,
): JudgedPoint => ({
  device,
  metric,
  value,
  code,
  at: START + afterMs,
});
const soc = (value: number | null, afterMs: number, code = 0) => point('bms', 'battery.soc', value, afterMs, code);
const pumping = (hz: number, powerW: number, flow: number, afterMs: number) => [
  point('drive', 'pump.frequency', hz, afterMs),
  point('drive', 'pump.power', powerW, afterMs),
  point('water', 'water.flow', flow, afterMs + 10),
];
const every = <T>(stepMs: number, fromMs: number, toMs: number, make: (afterMs: number) => T): T[] =>
  Array.from({ length: Math.floor((toMs - fromMs) / stepMs) + 1 }, (_, index) => make(fromMs + index * stepMs));

function run(...points: readonly (JudgedPoint | readonly JudgedPoint[])[]): Judged {
  return judgePoints(plan, EMPTY_ENGINE, points.flat());
}
const stateOf = (engine: PostEngine, id: string) => memoryOf(engine, id).alarm.state;
const told = (judged: Judged) => judged.transitions.filter(({ announce }) => announce).map(({ alarm }) => alarm.rule);

describe('what a post is judged by', () => {
  test('a battery monitor speaks for the battery before the inverter, so that one battery gives one alarm', () => {
    expect(plan.alarms.filter(({ rule }) => rule === 'batterySocLow').map(({ id }) => id)).toEqual([LOW]);
  });

  test('a post without birth is watched for its silence and for who it is', () => {
    expect(planAlarms('x', undefined, undefined, {}, readCatalogue()).alarms.map(({ id }) => id)).toEqual([
      'x/postSilent',
      'x/gatewayIdentity',
    ]);
  });

  test('the configuration of a post wins over that of the fleet, and that over the catalogue', () => {
    const fleet: RuleOverrides = { batterySocLow: { limit: 40, priority: 2 }, pumpNoFlow: { enabled: false } };
    const config = { ...CONFIG, alarms: { batterySocLow: { limit: 50, onDelayS: 5 } } };
    const planned = planAlarms('ak-baital', BIRTH, config, fleet, readCatalogue());
    expect(planned.alarms.some(({ rule }) => rule === 'pumpNoFlow')).toBe(false);
    expect(planned.alarms.find(({ id }) => id === LOW)).toMatchObject({
      priority: 2,
      test: { limit: 50, deadband: 5 },
      options: { onDelayMs: 5000, offDelayMs: 600_000 },
    });
  });
});

describe('battery', () => {
  const low = (untilMs: number) => every(MINUTE, 0, untilMs, (ms) => soc(28, ms));

  test('low is told after five minutes, with the moment at which they were over', () => {
    expect(told(run(low(4 * MINUTE)))).toEqual([]);
    const judged = run(low(10 * MINUTE));
    expect(told(judged)).toEqual(['batterySocLow']);
    expect(memoryOf(judged.engine, LOW)).toMatchObject({ value: 28, limit: 30, alarm: { since: START + 5 * MINUTE } });
  });

  test('time alone tells it, as long as the last value is fresh', () => {
    const pending = run(soc(28, 0)).engine;
    expect(told(judgeTime(plan, pending, START + 4 * MINUTE))).toEqual([]);
    expect(told(judgeTime(plan, pending, START + 5 * MINUTE))).toEqual(['batterySocLow']);
  });

  test('it is over only when the charge is back by five points, for ten minutes', () => {
    const raised = run(low(10 * MINUTE)).engine;
    const nearly = judgePoints(
      plan,
      raised,
      every(MINUTE, 11 * MINUTE, 30 * MINUTE, (ms) => soc(34, ms)),
    );
    expect(stateOf(nearly.engine, LOW)).toBe('unacknowledged');
    const back = judgePoints(
      plan,
      nearly.engine,
      every(MINUTE, 31 * MINUTE, 42 * MINUTE, (ms) => soc(36, ms)),
    );
    expect(stateOf(back.engine, LOW)).toBe('returned');
  });

  test('critical is told instead of low, and low comes back when critical is over', () => {
    const falling = every(MINUTE, 0, 5 * MINUTE, (ms) => soc(14, ms));
    const judged = run(falling);
    expect(told(judged)).toEqual(['batterySocCritical']);
    expect(stateOf(judged.engine, LOW)).toBe('suppressed');
    const rising = judgePoints(
      plan,
      judged.engine,
      every(MINUTE, 6 * MINUTE, 9 * MINUTE, (ms) => soc(24, ms)),
    );
    expect(stateOf(rising.engine, CRITICAL)).toBe('returned');
    expect(stateOf(rising.engine, LOW)).toBe('unacknowledged');
  });

  test('when both come in the same moment, critical alone is told', () => {
    const overrides: RuleOverrides = { batterySocLow: { onDelayS: 10 }, batterySocCritical: { onDelayS: 10 } };
    const quick = planAlarms('ak-baital', BIRTH, CONFIG, overrides, readCatalogue());
    const judged = judgeTime(quick, judgePoints(quick, EMPTY_ENGINE, [soc(12, 0)]).engine, START + 11_000);
    expect(told(judged)).toEqual(['batterySocCritical']);
    expect(judged.transitions.map(({ alarm, event }) => `${alarm.rule} ${event}`)).toContain('batterySocLow suppress');
  });

  test('a value that is not good changes nothing and is shown as unknown', () => {
    const raised = run(low(10 * MINUTE)).engine;
    for (const [value, code] of [
      [null, 33],
      [90, 1],
      [90, 6],
    ] as const) {
      const judged = judgePoints(
        plan,
        raised,
        every(MINUTE, 11 * MINUTE, 60 * MINUTE, (ms) => soc(value, ms, code)),
      );
      expect(judged.transitions).toEqual([]);
      expect(memoryOf(judged.engine, LOW).alarm).toMatchObject({ state: 'unacknowledged', condition: 'unknown' });
    }
  });

  test('an old value raises nothing: a post that has fallen quiet is not a low battery', () => {
    const quiet = run(soc(50, 0), soc(28, 1000), soc(28, 6 * 3600 * SECOND));
    expect(told(run(soc(28, 0), soc(50, 6 * 3600 * SECOND)))).toEqual(['batterySocLow']);
    // Fresh for 7 minutes, of which the delay took 5.
    expect(quiet.transitions.map(({ at }) => at)).toEqual([START + 1000 + 5 * MINUTE]);
    const short = planAlarms(
      'ak-baital',
      BIRTH,
      { ...CONFIG, alarms: { batterySocLow: { onDelayS: 600 } } },
      {},
      readCatalogue(),
    );
    expect(judgePoints(short, EMPTY_ENGINE, [soc(28, 0), soc(28, 6 * 3600 * SECOND)]).transitions).toEqual([]);
  });

  test('no order of arrival within a batch changes the outcome', () => {
    const ordered = [...low(8 * MINUTE), soc(40, 9 * MINUTE), soc(40, 25 * MINUTE)];
    const expected = run(ordered).transitions;
    fc.assert(
      fc.property(fc.shuffledSubarray(ordered, { minLength: ordered.length }), (shuffled) => {
        expect(run(shuffled).transitions).toEqual(expected);
      }),
    );
  });

  test('however a history is cut into batches, the journal is the same', () => {
    const history = every(MINUTE, 0, 120 * MINUTE, (ms) => soc(ms % (40 * MINUTE) < 15 * MINUTE ? 12 : 60, ms));
    const whole = run(history).transitions.map(({ at, event, alarm }) => [at, event, alarm.id]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 6 }), (cuts) => {
        let engine = EMPTY_ENGINE;
        const found: unknown[] = [];
        const sorted = [...cuts, 0, history.length].sort((a, b) => a - b);
        for (let part = 0; part + 1 < sorted.length; part += 1) {
          const judged = judgePoints(plan, engine, history.slice(sorted[part], sorted[part + 1]));
          engine = judged.engine;
          found.push(...judged.transitions.map(({ at, event, alarm }) => [at, event, alarm.id]));
        }
        expect(found).toEqual(whole);
      }),
    );
  });

  test('an acknowledgement carries a name, and a second one is refused', () => {
    const raised = run(low(10 * MINUTE)).engine;
    const once = judgeCommand(plan, raised, LOW, { type: 'acknowledge', by: 'Nigora' }, START + 11 * MINUTE);
    expect(memoryOf(once.engine, LOW).alarm).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'Nigora' });
    const twice = judgeCommand(plan, once.engine, LOW, { type: 'acknowledge', by: 'Aziz' }, START + 12 * MINUTE);
    expect(twice.refused).toBe('ALARM_NOTHING_TO_ACKNOWLEDGE');
    expect(memoryOf(twice.engine, LOW).alarm.acknowledgedBy).toBe('Nigora');
  });
});

describe('what a gateway says of itself', () => {
  const EXPIRED = 'ak-baital/dataExpired/gateway';
  const FILLING = 'ak-baital/outboxFilling/gateway';
  const CLOCK = 'ak-baital/clockUnknown/gateway';
  const expired = (samples: number | null, afterMs: number, code = 0) =>
    point('gateway', 'gateway.samplesExpired', samples, afterMs, code);
  const fill = (percent: number, afterMs: number) => point('gateway', 'gateway.outboxFill', percent, afterMs);

  test('samples that expire are told at once with their count, and stay until somebody has looked', () => {
    const judged = run(expired(40, 0), expired(40, 5 * MINUTE), expired(90, 6 * MINUTE), expired(100, 7 * MINUTE));
    expect(told(judged)).toEqual(['dataExpired']);
    expect(memoryOf(judged.engine, EXPIRED)).toMatchObject({ value: 60, alarm: { since: START + 6 * MINUTE } });
    const quiet = judgePoints(
      plan,
      judged.engine,
      every(5 * MINUTE, 10 * MINUTE, 90 * MINUTE, (ms) => expired(100, ms)),
    );
    expect(stateOf(quiet.engine, EXPIRED)).toBe('latchedUnacknowledged');
    expect(quiet.transitions.filter(({ alarm }) => alarm.id === EXPIRED).map(({ at }) => at)).toEqual([
      START + 70 * MINUTE,
    ]);
  });

  test('the first count known, and one that begins again with a new outbox, are no loss', () => {
    expect(run(expired(500, 0), expired(0, MINUTE), expired(0, 5 * MINUTE)).transitions).toEqual([]);
    expect(told(run(expired(500, 0), expired(0, MINUTE), expired(3, 2 * MINUTE)))).toEqual(['dataExpired']);
  });

  test('a count without a value, or one in doubt, is no count', () => {
    const judged = run(expired(10, 0), expired(null, MINUTE, 33), expired(90, 2 * MINUTE, 1), expired(10, 3 * MINUTE));
    expect(judged.transitions).toEqual([]);
    expect(told(judgePoints(plan, judged.engine, [expired(11, 4 * MINUTE)]))).toEqual(['dataExpired']);
  });

  test('a gateway that does not count samples is judged by its records', () => {
    const metrics = BIRTH.metrics.filter(({ metric }) => metric !== 'gateway.samplesExpired');
    const older = planAlarms('ak-baital', { ...BIRTH, metrics }, CONFIG, {}, readCatalogue());
    const records = (count: number, afterMs: number) => point('gateway', 'gateway.recordsExpired', count, afterMs);
    expect(told(judgePoints(older, EMPTY_ENGINE, [records(0, 0), records(1, MINUTE)]))).toEqual(['dataExpired']);
  });

  test('however losses are cut into batches, the journal and the count are the same', () => {
    let total = 0;
    const history = every(MINUTE, 0, 240 * MINUTE, (ms) => {
      if (ms > 30 * MINUTE && ms < 50 * MINUTE) total += 7;
      if (ms === 200 * MINUTE) total += 1;
      return expired(total, ms);
    });
    const whole = run(history);
    expect(memoryOf(whole.engine, EXPIRED).value).toBe(134);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (cut) => {
        const first = judgePoints(plan, EMPTY_ENGINE, history.slice(0, cut));
        const second = judgePoints(plan, first.engine, history.slice(cut));
        expect([...first.transitions, ...second.transitions].map(({ at, event }) => [at, event])).toEqual(
          whole.transitions.map(({ at, event }) => [at, event]),
        );
        expect(memoryOf(second.engine, EXPIRED)).toEqual(memoryOf(whole.engine, EXPIRED));
      }),
    );
  });

  test('an outbox that fills is told after ten minutes, and not beside what it has lost already', () => {
    const filling = every(MINUTE, 0, 11 * MINUTE, (ms) => fill(85, ms));
    expect(told(run(filling))).toEqual(['outboxFilling']);
    const lost = run(expired(0, 0), expired(1, MINUTE), filling);
    expect(told(lost)).toEqual(['dataExpired']);
    expect(stateOf(lost.engine, FILLING)).toBe('suppressed');
  });

  test('refused records are told', () => {
    const refused = (count: number, afterMs: number) => point('gateway', 'gateway.recordsRefused', count, afterMs);
    expect(told(run(refused(0, 0), refused(2, MINUTE)))).toEqual(['recordsRefused']);
  });

  test('a clock that nobody has set is told after an hour, and a set one ends it', () => {
    const clock = (quality: string) => (ms: number) => point('gateway', 'gateway.clockQuality', quality, ms);
    expect(run(every(5 * MINUTE, 0, 55 * MINUTE, clock('unknown'))).transitions).toEqual([]);
    const both = [
      ...every(5 * MINUTE, 0, 30 * MINUTE, clock('unknown')),
      ...every(5 * MINUTE, 30 * MINUTE, 65 * MINUTE, clock('unsynchronised')),
    ];
    expect(told(run(both))).toEqual(['clockUnknown']);
    const set = run(both, every(5 * MINUTE, 70 * MINUTE, 80 * MINUTE, clock('synchronised')));
    expect(stateOf(set.engine, CLOCK)).toBe('returned');
  });
});

describe('pump', () => {
  // At 45 Hz (n = 0.9) a closed valve takes 729 W; dry is below three quarters of that.
  const dry = (fromMs: number, toMs: number) =>
    every(10 * SECOND, fromMs, toMs, (ms) => pumping(45, 350, 0, ms)).flat();

  test('dry running is told within a minute of the start, latched, and not also as no flow', () => {
    const judged = run(dry(0, 5 * MINUTE));
    expect(told(judged)).toEqual(['pumpDryRun']);
    expect(memoryOf(judged.engine, DRY)).toMatchObject({ value: 350 });
    expect(memoryOf(judged.engine, DRY).alarm.since).toBeLessThanOrEqual(START + MINUTE);
    expect(stateOf(judged.engine, NO_FLOW)).not.toBe('unacknowledged');
  });

  test('it stays when the pump has stopped, until a person has acknowledged and reset it', () => {
    const stopped = judgePoints(
      plan,
      run(dry(0, 2 * MINUTE)).engine,
      every(10 * SECOND, 130 * SECOND, 6 * MINUTE, (ms) => pumping(0, 0, 0, ms)).flat(),
    );
    expect(stateOf(stopped.engine, DRY)).toBe('latchedUnacknowledged');
    const at = START + 7 * MINUTE;
    expect(judgeCommand(plan, stopped.engine, DRY, { type: 'reset', by: 'Nigora' }, at).refused).toBe(
      'ALARM_ACKNOWLEDGE_FIRST',
    );
    const seen = judgeCommand(plan, stopped.engine, DRY, { type: 'acknowledge', by: 'Nigora' }, at);
    const reset = judgeCommand(plan, seen.engine, DRY, { type: 'reset', by: 'Nigora' }, at);
    expect(stateOf(reset.engine, DRY)).toBe('normal');
  });

  test('a closed valve is no flow, not a dry run', () => {
    const closed = run(every(10 * SECOND, 0, 5 * MINUTE, (ms) => pumping(45, 760, 0, ms)).flat());
    expect(told(closed)).toEqual(['pumpNoFlow']);
  });

  test('a pump that records nothing because nothing moves is judged all the same', () => {
    const judged = judgeTime(plan, run(pumping(45, 350, 0, 0)).engine, START + MINUTE);
    expect(told(judged)).toEqual(['pumpDryRun']);
    expect(judged.transitions[0]?.at).toBeGreaterThanOrEqual(START + 40 * SECOND);
  });

  test('while the speed still moves, nothing is said', () => {
    const ramp = every(10 * SECOND, 0, 3 * MINUTE, (ms) => pumping(36 + (ms / MINUTE) * 4.5, 200, 0, ms)).flat();
    expect(run(ramp).transitions).toEqual([]);
  });

  test('a water meter that has failed leaves the pump unjudged, not normal', () => {
    const blind = run(
      every(10 * SECOND, 0, 5 * MINUTE, (ms) => [
        ...pumping(45, 350, 0, ms).slice(0, 2),
        point('water', 'water.flow', null, ms + 10, 33),
      ]).flat(),
    );
    expect(blind.transitions).toEqual([]);
    expect(memoryOf(blind.engine, DRY).alarm.condition).toBe('unknown');
  });
});

describe('identity', () => {
  const IDENTITY = 'ak-baital/gatewayIdentity';
  const seen = (afterMs: number, doubted: boolean) => ({
    at: START + afterMs,
    silentMs: 0,
    offline: false,
    doubted,
  });

  test('another gateway under the name is told at once, and nobody but a person lets go of it', () => {
    const known = judgeTime(plan, EMPTY_ENGINE, undefined, seen(0, false));
    expect(known.transitions).toEqual([]);
    const doubted = judgeTime(plan, known.engine, undefined, seen(MINUTE, true));
    expect(told(doubted)).toEqual(['gatewayIdentity']);
    expect(told(judgeTime(plan, doubted.engine, undefined, seen(2 * MINUTE, true)))).toEqual([]);
    const settled = judgeTime(plan, doubted.engine, undefined, seen(3 * MINUTE, false));
    expect(stateOf(settled.engine, IDENTITY)).toBe('latchedUnacknowledged');
    const at = START + 4 * MINUTE;
    const seenBy = judgeCommand(plan, settled.engine, IDENTITY, { type: 'acknowledge', by: 'Nigora' }, at);
    const reset = judgeCommand(plan, seenBy.engine, IDENTITY, { type: 'reset', by: 'Nigora' }, at);
    expect(stateOf(reset.engine, IDENTITY)).toBe('normal');
  });
});

describe('silence', () => {
  const contact = (afterMs: number, silentMs: number | null, offline = false) => ({
    at: START + afterMs,
    silentMs,
    offline,
    doubted: false,
  });

  test('a device that does not answer is told after a quarter of an hour', () => {
    const judged = run(every(5 * MINUTE, 0, 15 * MINUTE, (ms) => point('water', 'poll.state', 'silent', ms)));
    expect(told(judged)).toEqual(['deviceSilent']);
    expect(stateOf(judged.engine, DEVICE)).toBe('unacknowledged');
  });

  test('a device that sleeps at night is not silent', () => {
    expect(
      run(every(5 * MINUTE, 0, 60 * MINUTE, (ms) => point('water', 'poll.state', 'asleep', ms))).transitions,
    ).toEqual([]);
  });

  test('a post that nobody hears for half an hour is told, and its devices are not', () => {
    const quiet = run(point('water', 'poll.state', 'silent', 0)).engine;
    const early = judgeTime(plan, quiet, START + MINUTE, contact(29 * MINUTE, 29 * MINUTE, true));
    expect(told(early)).toEqual([]);
    const late = judgeTime(plan, early.engine, START + MINUTE, contact(31 * MINUTE, 30 * MINUTE));
    expect(told(late)).toEqual(['postSilent']);
    expect(stateOf(late.engine, DEVICE)).toBe('suppressed');
    expect(memoryOf(late.engine, SILENT)).toMatchObject({ value: 1800, limit: 1800 });
  });

  test('a silent post holds all else: nothing is raised or cleared by time', () => {
    const pending = run(soc(28, 0)).engine;
    const silent = judgeTime(plan, pending, START + MINUTE, contact(31 * MINUTE, 31 * MINUTE));
    const later = judgeTime(plan, silent.engine, START + 20 * MINUTE, contact(50 * MINUTE, 50 * MINUTE));
    expect(told(later)).toEqual([]);
    expect(memoryOf(later.engine, LOW).alarm.condition).toBe('unknown');
  });

  test('a server that cannot hear accuses nobody', () => {
    const deaf = judgeTime(plan, EMPTY_ENGINE, undefined, contact(60 * MINUTE, null));
    expect(deaf.transitions).toEqual([]);
    expect(memoryOf(deaf.engine, SILENT).alarm.condition).toBe('unknown');
  });

  test('contact must last five minutes before the silence is over', () => {
    const silent = judgeTime(plan, EMPTY_ENGINE, undefined, contact(31 * MINUTE, 31 * MINUTE)).engine;
    const back = judgeTime(plan, silent, undefined, contact(32 * MINUTE, 0)).engine;
    expect(stateOf(back, SILENT)).toBe('unacknowledged');
    expect(stateOf(judgeTime(plan, back, undefined, contact(37 * MINUTE, 5000)).engine, SILENT)).toBe('returned');
  });
});
