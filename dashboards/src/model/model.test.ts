import { describe, expect, it } from 'vitest';
import { textsOf } from '#texts/catalogue.js';
import { alarm, figure, NOW, post, snapshot } from '../samples.suite.js';
import { alarmGroups, isCounted, orderFor } from './alarms.js';
import { meaningsOf } from './device-texts.js';
import { deviceValues } from './device-values.js';
import { judge, numberOf, trustWords } from './figure.js';
import { fleetView, matching } from './fleet.js';
import { applyMessage, NOTHING_KNOWN } from './live-state.js';
import { batteryLeftMs, postFlow } from './post-flow.js';
import { unexplainedPower } from './power-balance.js';
import { hashOf, routeOf } from './route.js';

const en = textsOf('en');

describe('a figure', () => {
  it('that is good is simply shown', () => {
    const judged = judge(figure(0), NOW);
    expect(judged).toMatchObject({ trust: 'good', value: 0 });
    expect(trustWords(judged, NOW, en)).toBe('');
  });

  it('that never came is missing, with that reason, and never zero', () => {
    const judged = judge(undefined, NOW);
    expect(judged).toMatchObject({ trust: 'missing', value: null, at: null });
    expect(trustWords(judged, NOW, en)).toBe('nothing received yet');
    expect(numberOf(judged)).toBeNull();
  });

  it('that the device could not give is missing, with the reason of the post', () => {
    const judged = judge(figure(null, 5000, 33), NOW);
    expect(judged.trust).toBe('missing');
    expect(trustWords(judged, NOW, en)).toBe('the device did not answer in time');
  });

  it('shows no value under a code that says there is none', () => {
    expect(judge({ value: 7, code: 32, at: NOW }, NOW).value).toBeNull();
  });

  it('older than its metric allows is stale, and nothing is reckoned with it', () => {
    const judged = judge(figure(42, 60_001), NOW, 60_000);
    expect(judged).toMatchObject({ trust: 'stale', value: 42 });
    expect(trustWords(judged, NOW, en)).toMatch(/^old: last value 1.min ago$/);
    expect(numberOf(judged)).toBeNull();
    expect(judge(figure(42, 60_000), NOW, 60_000).trust).toBe('good');
  });

  it('that is doubtful keeps its value and says why', () => {
    const judged = judge(figure(42, 0, 7), NOW);
    expect(judged).toMatchObject({ trust: 'questionable', value: 42 });
    expect(trustWords(judged, NOW, en)).toBe('the device itself doubts it');
  });

  it('with a code of a newer server is doubtful, not good', () => {
    expect(judge(figure(42, 0, 31), NOW).trust).toBe('questionable');
  });
});

describe('the fleet', () => {
  const p1 = { p1: 1, p2: 0, p3: 0, unacknowledged: 0 };
  const posts = [
    post('fine-b'),
    post('fine-a'),
    post('medium', { alarms: { p1: 0, p2: 0, p3: 2, unacknowledged: 1 } }),
    post('critical-known', { alarms: p1 }),
    post('critical-new', { alarms: { ...p1, unacknowledged: 1 } }),
    post('silent-long', { link: 'offline', lastContactAt: NOW - 9e8, alarms: p1 }),
    post('silent-new', { link: 'offline', lastContactAt: NOW - 9e5 }),
    post('never', { link: 'unknown', lastContactAt: null }),
  ];
  const view = fleetView(posts, [
    alarm('critical-new/pumpDryRun/pump'),
    alarm('critical-known/batterySocLow', { priority: 3 }),
  ]);
  const ids = (rows: typeof view.bad): string[] => rows.map((row) => row.post.id);

  it('shows the worst first, and what waits for a person before what somebody has taken on', () => {
    expect(ids(view.bad)).toEqual(['critical-new', 'critical-known', 'medium']);
  });

  it('keeps silent posts apart from bad ones, the newest silence first', () => {
    expect(ids(view.silent)).toEqual(['silent-new', 'silent-long', 'never']);
  });

  it('sorts posts without alarms by name', () => {
    expect(ids(view.fine)).toEqual(['fine-a', 'fine-b']);
  });

  it('counts alarms of silent posts too', () => {
    expect(view.counts).toEqual({ posts: 8, p1: 3, p2: 0, p3: 2, silent: 3, unacknowledged: 2 });
  });

  it('among equals shows the lowest battery first', () => {
    const low = post('b', { alarms: p1, flows: { batterySoc: figure(12) } });
    const high = post('a', { alarms: p1, flows: { batterySoc: figure(80) } });
    expect(ids(fleetView([high, low], []).bad)).toEqual(['b', 'a']);
  });

  it('is found by name or id', () => {
    expect(ids(matching(view.fine, ' FINE-a '))).toEqual(['fine-a']);
    expect(matching(view.fine, 'zzz')).toEqual([]);
  });
});

describe('the alarm list', () => {
  it('puts first what waits for a person, then what is active, then what was set aside', () => {
    const groups = alarmGroups([
      alarm('a/x', { state: 'shelved' }),
      alarm('a/y', { state: 'acknowledged', priority: 1 }),
      alarm('a/z', { state: 'returned', priority: 3 }),
      alarm('a/w', { priority: 2 }),
      alarm('a/n', { state: 'normal' }),
      alarm('b/w', { priority: 1 }),
    ]);
    expect(groups.toAcknowledge.map(({ id }) => id)).toEqual(['b/w', 'a/w', 'a/z']);
    expect(groups.active.map(({ id }) => id)).toEqual(['a/y']);
    expect(groups.setAside.map(({ id }) => id)).toEqual(['a/x']);
  });

  it('can be of one post', () => {
    expect(alarmGroups([alarm('a/x'), alarm('b/x')], 'b').toAcknowledge.map(({ id }) => id)).toEqual(['b/x']);
  });

  it('offers a reset only to a latched alarm that somebody has acknowledged', () => {
    expect(orderFor(alarm('a/x', { state: 'latchedUnacknowledged' }))).toBe('acknowledge');
    expect(orderFor(alarm('a/x', { state: 'latchedAcknowledged' }))).toBe('reset');
    expect(orderFor(alarm('a/x', { state: 'acknowledged' }))).toBeNull();
    expect(isCounted(alarm('a/x', { state: 'suppressed' }))).toBe(false);
  });
});

describe('what the browser knows', () => {
  const fleet = applyMessage(
    NOTHING_KNOWN,
    snapshot({ posts: [post('a'), post('b')], alarms: [alarm('a/x'), alarm('b/x')] }),
  );

  it('is only added to by a delta', () => {
    const next = applyMessage(fleet, {
      t: 'delta',
      seq: 2,
      now: NOW,
      posts: [post('b', { name: 'New' })],
      alarms: [],
      values: [],
    });
    expect(next.posts.get('a')).toBe(fleet.posts.get('a'));
    expect(next.posts.get('b')?.name).toBe('New');
    expect(next.alarms).toBe(fleet.alarms);
  });

  it('loses an alarm only when it is normal again', () => {
    const next = applyMessage(fleet, {
      t: 'delta',
      seq: 2,
      now: NOW,
      posts: [],
      alarms: [alarm('a/x', { state: 'normal' })],
      values: [],
    });
    expect([...next.alarms.keys()]).toEqual(['b/x']);
  });

  it('keeps the fleet when one post is opened, and replaces only the alarms of that post', () => {
    const next = applyMessage(
      fleet,
      snapshot({ view: { page: 'post', post: 'a' }, posts: [post('a')], values: [[4, 1.5, 0, NOW]] }),
    );
    expect([...next.posts.keys()]).toEqual(['a', 'b']);
    expect([...next.alarms.keys()]).toEqual(['b/x']);
    expect(next.detail?.values.get(4)).toEqual({ value: 1.5, code: 0, at: NOW });
    const later = applyMessage(next, {
      t: 'delta',
      seq: 3,
      now: NOW,
      posts: [],
      alarms: [],
      values: [[5, null, 33, NOW]],
    });
    expect(later.detail?.values.size).toBe(2);
  });

  it('forgets a post that a new snapshot of the fleet does not name', () => {
    expect([...applyMessage(fleet, snapshot({ posts: [post('b')] })).posts.keys()]).toEqual(['b']);
  });
});

describe('the picture of a post', () => {
  const flows = {
    pvPower: figure(3500),
    batteryPower: figure(-1500),
    gensetPower: figure(null, 1000, 33),
    loadPower: figure(2000),
    batterySoc: figure(40),
    pumpPower: figure(3),
    waterFlow: figure(0),
    tankFill: figure(61),
  };
  const { nodes, lines } = postFlow(flows, NOW);
  const line = (name: string) => lines.find(({ node }) => node === name);

  it('has only what the post has', () => {
    expect(nodes.map(({ name }) => name)).toEqual(['pv', 'genset', 'battery', 'load', 'pump', 'tank']);
  });

  it('draws each flow its way, and as wide as it is strong', () => {
    expect(line('pv')).toMatchObject({ direction: 'in', strength: 1 });
    expect(line('battery')).toMatchObject({ direction: 'out', strength: 1500 / 3500 });
    expect(line('load')).toMatchObject({ direction: 'out' });
    expect(line('pump')).toMatchObject({ direction: 'none' });
  });

  it('draws what is not known as not known, not as stopped', () => {
    expect(line('genset')).toMatchObject({ direction: 'unknown', strength: 0 });
    expect(nodes.find(({ name }) => name === 'genset')?.figure.value).toBeNull();
  });

  it('turns every flow to unknown when all is old', () => {
    expect(new Set(postFlow(flows, NOW + 3_600_000).lines.map(({ direction }) => direction))).toEqual(
      new Set(['unknown']),
    );
  });

  it('shows what sources and load leave unexplained, when it is more than 5 %', () => {
    const balanced = { pvPower: figure(3500), batteryPower: figure(-1500), loadPower: figure(1950) };
    expect(unexplainedPower(balanced, NOW)).toBeNull();
    expect(unexplainedPower({ ...balanced, loadPower: figure(1700) }, NOW)).toBe(300);
    expect(unexplainedPower({ ...balanced, loadPower: figure(2300) }, NOW)).toBe(-300);
  });

  it('judges no balance with a part that is unknown, old, or of another moment', () => {
    expect(unexplainedPower({ ...flows, loadPower: figure(100) }, NOW)).toBeNull();
    const apart = { pvPower: figure(3500, 200_000), loadPower: figure(1000) };
    expect(unexplainedPower(apart, NOW)).toBeNull();
    expect(unexplainedPower({ pvPower: figure(3500), loadPower: figure(1000) }, NOW + 3_600_000)).toBeNull();
    expect(unexplainedPower({ loadPower: figure(1000) }, NOW)).toBeNull();
  });

  it('tells how long the battery lasts only while it gives', () => {
    const giving = { batteryPower: figure(1000), batterySoc: figure(50) };
    expect(batteryLeftMs(giving, 10_000, NOW)).toBe(5 * 3_600_000);
    expect(batteryLeftMs(giving, undefined, NOW)).toBeNull();
    expect(batteryLeftMs({ ...giving, batteryPower: figure(-1000) }, 10_000, NOW)).toBeNull();
  });
});

describe('the values of a device', () => {
  it('are judged by the age that their metric allows, the gateway last', () => {
    const { detail } = applyMessage(
      NOTHING_KNOWN,
      snapshot({
        view: { page: 'post', post: 'a' },
        devices: [
          { id: 'gateway', kind: 'gateway', pollPeriodMs: 1000 },
          { id: 'meter', kind: 'meter', pollPeriodMs: 1000 },
        ],
        metrics: [
          { id: 1, device: 'meter', metric: 'load.power', kind: 'gauge', unit: 'W', staleAfterMs: 10_000 },
          { id: 2, device: 'meter', metric: 'ac.frequency', kind: 'gauge', unit: 'Hz', staleAfterMs: 60_000 },
          { id: 3, device: 'meter', metric: 'ac.current', kind: 'gauge', unit: 'A', staleAfterMs: 60_000 },
        ],
        values: [
          [1, 500, 0, NOW - 20_000],
          [2, 50, 0, NOW - 20_000],
        ],
      }),
    );
    const [meter, gateway] = deviceValues(detail!, NOW);
    expect(gateway?.device.id).toBe('gateway');
    expect(meter?.rows.map(({ judged }) => judged.trust)).toEqual(['stale', 'good', 'missing']);
    expect(meter).toMatchObject({ notGood: 2, newestAt: NOW - 20_000 });
  });
});

describe('fault codes', () => {
  const texts = {
    'inverter.faults': { F07: { en: { text: 'No soft start', do: 'Switch off.' }, ru: { text: 'Нет пуска' } } },
  };
  it('are explained in the reader’s language, in English where it has no words', () => {
    expect(meaningsOf(texts, 'inverter.faults', 'F07 F99', 'ru')).toEqual([
      { code: 'F07', text: 'Нет пуска', action: '' },
    ]);
    expect(meaningsOf(texts, 'inverter.faults', 'F07', 'tg')[0]?.text).toBe('No soft start');
    expect(meaningsOf(undefined, 'inverter.faults', 'F07', 'en')).toEqual([]);
    expect(meaningsOf(texts, 'inverter.faults', null, 'en')).toEqual([]);
  });
});

describe('the address', () => {
  it('leads to a screen and back', () => {
    for (const hash of ['#/', '#/alarms', '#/posts/gbao-03']) {
      const route = routeOf(hash);
      if (route.page === 'unknown') throw new Error(hash);
      expect(hashOf(route)).toBe(hash);
    }
  });
  it('that means nothing is no screen', () => {
    for (const hash of ['#/posts/', '#/posts/../x', '#/nowhere', '#/posts/A B'])
      expect(routeOf(hash).page).toBe('unknown');
    expect(routeOf('').page).toBe('fleet');
  });
});
