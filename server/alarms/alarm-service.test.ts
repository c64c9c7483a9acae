import { beforeEach, describe, expect, test } from 'vitest';
import type { Birth } from '#contract/session.js';
import type { AlarmView, JournalEntry } from '#contract/view.js';
import { FakeIngest, FakeStore, KYZYL_ART, NOON } from '#tests/api/fake-server.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { Point, Registry, StoredAlarm } from '../ports.js';
import { type AlarmService, type Announcement, createAlarmService } from './alarm-service.js';
import { readCatalogue } from './catalogue.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const LOW = 'kyzyl-art/batterySocLow/bms';

const BIRTH: Birth = {
  birth: 1,
  at: NOON,
  clock: 'synchronised',
  gateway: { version: '0.1.0', publicKey: '', epoch: '00112233445566aa', start: 1 },
  batchPeriodMs: MINUTE,
  devices: [{ id: 'bms', kind: 'battery', pollPeriodMs: 10_000 }],
  metrics: [
    { index: 0, device: 'bms', metric: 'battery.soc', kind: 'gauge', unit: '%', pollPeriodMs: 10_000, heartbeatS: 300 },
  ],
};

class FakeRegistry implements Pick<Registry, 'alarms' | 'saveAlarms'> {
  readonly stored = new Map<string, StoredAlarm>();
  readonly journal: Omit<JournalEntry, 'seq'>[] = [];
  failing = false;
  alarms() {
    return [...this.stored.values()].map((alarm) => structuredClone(alarm));
  }
  saveAlarms(alarms: readonly StoredAlarm[], journal: readonly Omit<JournalEntry, 'seq'>[]) {
    if (this.failing) throw new Error('database or disk is full');
    for (const alarm of alarms) this.stored.set(alarm.id, alarm);
    this.journal.push(...journal);
  }
}

let time: VirtualTime;
let ingest: FakeIngest;
let store: FakeStore;
let registry: FakeRegistry;
let told: Announcement[];
let shown: AlarmView[];
let service: AlarmService;

function start(): AlarmService {
  const created = createAlarmService({
    posts: [KYZYL_ART],
    overrides: {},
    catalogue: readCatalogue(),
    ingest,
    store,
    registry,
    clock: time,
    scheduler: time,
    log: { info() {}, warn() {}, error() {} },
    announce: (announcement) => told.push(announcement),
  });
  created.subscribe((changed) => shown.push(...changed));
  created.start();
  return created;
}

beforeEach(() => {
  time = new VirtualTime(NOON);
  ingest = new FakeIngest();
  store = new FakeStore();
  registry = new FakeRegistry();
  told = [];
  shown = [];
  service = start();
  ingest.know('kyzyl-art', { birth: BIRTH, link: 'online', lastContactAt: NOON });
});

const soc = (value: number, at: number): Point => ({
  post: 'kyzyl-art',
  device: 'bms',
  metric: 'battery.soc',
  value,
  code: 0,
  at,
});

/** A minute of live data, as a gateway sends it. */
async function live(value: number, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    const points = [soc(value, time.now())];
    await store.write(points);
    ingest.sample('kyzyl-art', points);
    await time.advance(MINUTE);
  }
}

/** What a gateway recorded while it was alone arrives, then ends. */
async function backfill(points: readonly Point[]): Promise<void> {
  await store.write(points);
  ingest.know('kyzyl-art', { backfilling: true });
  ingest.emit({ type: 'samples', post: 'kyzyl-art', points, historical: true });
  ingest.know('kyzyl-art', { backfilling: false });
  const times = points.map(({ at }) => at);
  ingest.emit({ type: 'gapClosed', post: 'kyzyl-art', from: Math.min(...times), to: Math.max(...times) + 1 });
  await time.advance(0);
}

const minutely = (value: number, fromMs: number, toMs: number): Point[] =>
  Array.from({ length: Math.round((toMs - fromMs) / MINUTE) }, (_, index) => soc(value, fromMs + index * MINUTE));
const low = (): AlarmView => service.views('kyzyl-art').find(({ id }) => id === LOW)!;
const rules = () => told.map(({ alarm }) => alarm.rule);
const lines = () =>
  registry.journal
    .filter(({ alarm }) => alarm === LOW)
    .map(({ event, historical }) => `${event}${historical ? ' late' : ''}`);

describe('live', () => {
  test('a low battery is journalled, shown, and told once', async () => {
    await live(28, 8);
    expect(rules()).toEqual(['batterySocLow']);
    expect(told[0]).toMatchObject({
      postName: 'Kyzyl-Art',
      at: NOON + 5 * MINUTE,
      alarm: { value: 28, limit: 30, unit: '%' },
    });
    expect(shown.at(-1)).toMatchObject({ id: LOW, state: 'unacknowledged' });
    expect(registry.journal).toMatchObject([
      { event: 'conditionTrue', from: 'normal', to: 'unacknowledged', historical: false },
    ]);
  });

  test('a restart keeps who acknowledged, tells nobody again, and lets no delay run meanwhile', async () => {
    await live(28, 8);
    expect(service.acknowledge({ alarm: LOW, by: 'Nigora', comment: 'cloudy' })).toMatchObject({ ok: true });
    await service.stop();
    await time.advance(3 * HOUR);
    service = start();
    await live(28, 3);
    expect(low()).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'Nigora', comment: 'cloudy' });
    expect(rules()).toEqual(['batterySocLow']);
  });

  test('an alarm limit beyond what the gateway watches is warned of', async () => {
    ingest.bear('kyzyl-art', BIRTH, NOON);
    expect(service.counters().alarmLimitsUnwatched).toBe(2);
    const watched = BIRTH.metrics.map((metric) => ({ ...metric, watch: { low: 30 } }));
    ingest.bear('kyzyl-art', { ...BIRTH, birth: 2, metrics: watched }, NOON);
    expect(service.counters().alarmLimitsUnwatched).toBe(2);
  });

  test('an unknown alarm and a command that does nothing are told apart', async () => {
    await live(60, 1);
    expect(service.acknowledge({ alarm: 'kyzyl-art/none', by: 'x' })).toMatchObject({
      fault: { code: 'ALARM_UNKNOWN' },
    });
    expect(service.acknowledge({ alarm: LOW, by: 'x' })).toMatchObject({
      fault: { code: 'ALARM_NOTHING_TO_ACKNOWLEDGE' },
    });
    expect(service.reset({ alarm: LOW, by: 'x' })).toMatchObject({ fault: { code: 'ALARM_NOTHING_TO_RESET' } });
  });

  test('a registry that cannot write delays the journal and loses none of it', async () => {
    registry.failing = true;
    await live(28, 8);
    expect(registry.journal).toEqual([]);
    expect(service.counters().alarmSavesFailed).toBeGreaterThan(0);
    registry.failing = false;
    await time.advance(2 * SECOND);
    expect(lines()).toEqual(['conditionTrue']);
  });

  test('a post that is never heard of is told after half an hour, and not while the broker is away', async () => {
    ingest.know('kyzyl-art', { lastContactAt: null, link: 'unknown' });
    ingest.connected = false;
    await time.advance(2 * HOUR);
    expect(rules()).toEqual([]);
    ingest.connected = true;
    await time.advance(29 * MINUTE);
    expect(rules()).toEqual([]);
    await time.advance(2 * MINUTE);
    expect(rules()).toEqual(['postSilent']);
  });
});

describe('what a gateway says of itself', () => {
  const EXPIRED = 'kyzyl-art/dataExpired/gateway';
  const COUNTING: Birth = {
    ...BIRTH,
    devices: [...BIRTH.devices, { id: 'gateway', kind: 'gateway', pollPeriodMs: MINUTE }],
    metrics: [
      ...BIRTH.metrics,
      {
        index: 1,
        device: 'gateway',
        metric: 'gateway.samplesExpired',
        kind: 'counter',
        unit: '1',
        pollPeriodMs: MINUTE,
        heartbeatS: 300,
      },
    ],
  };
  const expired = (value: number, at: number): Point => ({
    post: 'kyzyl-art',
    device: 'gateway',
    metric: 'gateway.samplesExpired',
    value,
    code: 0,
    at,
  });
  async function counts(value: number, minutes = 1): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      const points = [expired(value, time.now())];
      await store.write(points);
      ingest.sample('kyzyl-art', points);
      await time.advance(MINUTE);
    }
  }
  const loss = (): AlarmView => service.views('kyzyl-art').find(({ id }) => id === EXPIRED)!;
  const lossLines = () =>
    registry.journal
      .filter(({ alarm }) => alarm === EXPIRED)
      .map(({ event, historical }) => `${event}${historical ? ' late' : ''}`);

  beforeEach(() => ingest.bear('kyzyl-art', COUNTING, NOON));

  test('samples that expired while this server was stopped are told after its start', async () => {
    await counts(40, 2);
    await service.stop();
    await time.advance(HOUR);
    ingest = new FakeIngest();
    service = start();
    ingest.know('kyzyl-art', { birth: COUNTING, link: 'online' });
    await counts(100);
    expect(rules()).toEqual(['dataExpired']);
    expect(told[0]?.alarm).toMatchObject({ value: 60, limit: null, unit: '1', latching: true });
    await service.stop();
    service = start();
    await counts(100);
    expect(loss()).toMatchObject({ state: 'unacknowledged', value: 60 });
    expect(rules()).toEqual(['dataExpired']);
  });

  test('a gap that lost samples is told once, and late data gives it its true start', async () => {
    await counts(0, 2);
    ingest.know('kyzyl-art', { link: 'offline' });
    ingest.emit({ type: 'link', post: 'kyzyl-art', link: 'offline', at: time.now() });
    const from = time.now();
    await time.advance(20 * MINUTE);
    await counts(9, 2);
    expect(rules()).toEqual(['dataExpired']);
    await backfill(Array.from({ length: 20 }, (_, minute) => expired(minute < 10 ? 0 : 9, from + minute * MINUTE)));
    expect(lossLines()).toEqual(['conditionTrue', 'conditionTrue late']);
    expect(loss()).toMatchObject({ since: from + 10 * MINUTE, value: 9 });
    expect(rules()).toEqual(['dataExpired']);
  });

  test('a loss that is known before the first live count is told once, also when it ended hours ago', async () => {
    await counts(0, 2);
    ingest.know('kyzyl-art', { link: 'offline' });
    ingest.emit({ type: 'link', post: 'kyzyl-art', link: 'offline', at: time.now() });
    const from = time.now();
    await time.advance(5 * HOUR);
    told.length = 0;
    // The link is back with other values first; the counter comes with its next heartbeat.
    ingest.sample('kyzyl-art', [soc(60, time.now())]);
    await backfill(Array.from({ length: 60 }, (_, step) => expired(step < 10 ? 0 : 9, from + step * 5 * MINUTE)));
    expect(rules()).toEqual(['dataExpired']);
    expect(told[0]).toMatchObject({ at: from + 50 * MINUTE, alarm: { state: 'latchedUnacknowledged', value: 9 } });
    await counts(9, 10);
    expect(rules()).toEqual(['dataExpired']);
    expect(lossLines()).toEqual(['conditionTrue late', 'conditionFalse late']);
  });

  test('late counters alone tell nobody', async () => {
    await counts(9, 2);
    const before = [expired(2, NOON - HOUR), expired(9, NOON - HOUR / 2)];
    ingest.emit({ type: 'samples', post: 'kyzyl-art', points: before, historical: true });
    await time.advance(MINUTE);
    expect(rules()).toEqual([]);
    expect(loss().state).toBe('normal');
  });

  test('a gateway in doubt is told when the ingest says so', () => {
    const identity = {
      kind: 'twoGateways',
      kinds: ['twoGateways'],
      since: NOON,
      lastAt: NOON,
      keys: [],
    } as const;
    ingest.know('kyzyl-art', { identity });
    ingest.emit({
      type: 'identity',
      post: 'kyzyl-art',
      at: NOON,
      kind: 'twoGateways',
      raised: true,
      identity,
    });
    expect(rules()).toEqual(['gatewayIdentity']);
    expect(told[0]?.alarm).toMatchObject({ id: 'kyzyl-art/gatewayIdentity', priority: 1, since: NOON });
  });
});

describe('late data', () => {
  async function losesLink(hours: number): Promise<{ from: number; to: number }> {
    await live(60, 5);
    ingest.know('kyzyl-art', { link: 'offline' });
    ingest.emit({ type: 'link', post: 'kyzyl-art', link: 'offline', at: time.now() });
    const from = time.now();
    await time.advance(hours * HOUR);
    told.length = 0;
    return { from, to: time.now() };
  }

  test('an alarm that began and ended in the gap is journalled and told to nobody', async () => {
    const { from, to } = await losesLink(4);
    await live(60, 2);
    const gap = [
      ...minutely(60, from, from + HOUR),
      ...minutely(20, from + HOUR, from + 2 * HOUR),
      ...minutely(60, from + 2 * HOUR, to),
    ];
    await backfill(gap);
    expect(lines()).toEqual(['conditionTrue late', 'conditionFalse late']);
    expect(registry.journal.find(({ alarm }) => alarm === LOW)?.at).toBe(from + HOUR + 5 * MINUTE);
    expect(rules()).toEqual([]);
    expect(low()).toMatchObject({ state: 'returned', returnedAt: from + 2 * HOUR + 10 * MINUTE });
  });

  test('one that is still true is told once, with its true start', async () => {
    const { from, to } = await losesLink(4);
    await live(25, 2);
    await backfill([...minutely(60, from, from + HOUR), ...minutely(25, from + HOUR, to)]);
    expect(rules()).toEqual(['batterySocLow']);
    expect(told[0]?.at).toBe(from + HOUR + 5 * MINUTE);
    await live(25, 20);
    expect(rules()).toEqual(['batterySocLow']);
    expect(lines()).toEqual(['conditionTrue late']);
    expect(low()).toMatchObject({ state: 'unacknowledged', since: from + HOUR + 5 * MINUTE, count: 1 });
  });

  test('one that live data has told already is not told again, and learns its true start', async () => {
    const { from, to } = await losesLink(4);
    await live(25, 8);
    expect(rules()).toEqual(['batterySocLow']);
    service.acknowledge({ alarm: LOW, by: 'Nigora' });
    await backfill([...minutely(60, from, from + HOUR), ...minutely(25, from + HOUR, to)]);
    expect(rules()).toEqual(['batterySocLow']);
    expect(low()).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'Nigora', since: from + HOUR + 5 * MINUTE });
    expect(lines()).toEqual(['conditionTrue', 'acknowledge', 'conditionTrue late']);
  });

  test('nor when nobody has acknowledged it yet', async () => {
    const { from, to } = await losesLink(4);
    await live(25, 8);
    await backfill([...minutely(60, from, from + HOUR), ...minutely(25, from + HOUR, to)]);
    await live(25, 2);
    expect(rules()).toEqual(['batterySocLow']);
    expect(low()).toMatchObject({ state: 'unacknowledged', since: from + HOUR + 5 * MINUTE });
  });

  test('late data in several parts writes no line twice', async () => {
    const { from, to } = await losesLink(4);
    await live(60, 2);
    await backfill([...minutely(60, from, from + HOUR), ...minutely(20, from + HOUR, from + 2 * HOUR)]);
    await backfill(minutely(60, from + 2 * HOUR, to));
    expect(lines()).toEqual(['conditionTrue late', 'conditionFalse late']);
    expect(rules()).toEqual([]);
  });

  test('one that seems over, and is not, is told when that is known', async () => {
    const { from, to } = await losesLink(2);
    await live(40, 2);
    await backfill(minutely(20, from, to));
    expect(rules()).toEqual([]);
    await live(28, 2);
    expect(rules()).toEqual(['batterySocLow']);
    expect(told[0]?.at).toBe(from + 5 * MINUTE);
  });

  test('the history before the first live sample is judged, too', async () => {
    ingest.bear('kyzyl-art', BIRTH, NOON);
    await live(60, 1);
    await backfill([...minutely(20, NOON - 3 * HOUR, NOON - 2 * HOUR), ...minutely(60, NOON - 2 * HOUR, NOON)]);
    expect(lines()).toEqual(['conditionTrue late', 'conditionFalse late']);
    expect(rules()).toEqual([]);
  });

  test('after a restart, what was acknowledged before stays so, although the outage is judged anew', async () => {
    await live(25, 8);
    service.acknowledge({ alarm: LOW, by: 'Nigora' });
    await service.stop();
    const from = time.now();
    await time.advance(2 * HOUR);
    ingest = new FakeIngest();
    told.length = 0;
    service = start();
    ingest.know('kyzyl-art', { birth: BIRTH, link: 'online' });
    const to = time.now();
    await live(25, 2);
    await backfill(minutely(25, from, to));
    expect(rules()).toEqual([]);
    expect(low()).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'Nigora', count: 1 });
    expect(lines()).toEqual(['conditionTrue', 'acknowledge']);
  });

  test('a store that fails leaves the live alarms as they are, and is asked again', async () => {
    const { from, to } = await losesLink(1);
    await live(60, 2);
    store.failing = true;
    await backfill(minutely(20, from, to));
    expect(service.counters()).toMatchObject({ alarmReplays: 1, alarmReplaysFailed: 1 });
    expect(low().state).toBe('normal');
    store.failing = false;
    await time.advance(MINUTE);
    expect(lines()).toEqual(['conditionTrue late']);
  });

  test('historical samples alone move nothing', async () => {
    await live(60, 2);
    ingest.emit({ type: 'samples', post: 'kyzyl-art', points: minutely(5, NOON - HOUR, NOON), historical: true });
    await time.advance(MINUTE);
    expect(low()).toMatchObject({ state: 'normal', value: 60 });
  });
});
