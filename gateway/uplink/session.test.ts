import { describe, expect, test } from 'vitest';
import { goodReading, invalidReading } from '#domain/reading.js';
import { FakeCentre } from '#tests/support/fake-centre.js';
import { METER, makeScene, NOON, risingNumber } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { OpenLink } from './link.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const liveData = (centre: FakeCentre) => centre.data.filter(({ historical }) => !historical);
const oldData = (centre: FakeCentre) => centre.data.filter(({ historical }) => historical);

/** Numbers that no codec makes small. */
const noisyPower = (at: number) => goodReading('load.power', Math.sin(at * 12.9898) * 43758.5453, at);

describe('a post that finds its server', () => {
  test('says that it is there, what it has, and all it knows now', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    expect(centre.states).toEqual([{ state: 'online', connection: (NOON / 1000) * 1024 }]);
    expect(centre.births).toHaveLength(1);
    expect(centre.birth?.devices.map(({ id, kind }) => [id, kind])).toEqual([
      [METER, 'meter'],
      ['gateway', 'gateway'],
    ]);
    expect(centre.data[0]).toMatchObject({ historical: false, birth: centre.birth?.birth });
    expect(centre.stored.has(`meter/load.power@${NOON}`)).toBe(true);
    expect(gateway.status().outbox.pendingRecords).toBe(0);
  });

  test('sends a batch each minute, and frees its outbox by the receipts alone', async () => {
    const { time, centre, gateway, recorded } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    const before = centre.data.length;
    await time.advance(10 * MINUTE);
    expect(centre.data.length - before).toBe(10);
    expect(oldData(centre).filter(({ at }) => at > NOON + 5 * SECOND)).toEqual([]);
    expect(gateway.status().outbox.pendingRecords).toBeGreaterThan(0);
    await time.advance(MINUTE);
    const [last] = recorded.slice(-1);
    expect(recorded.filter((sample) => sample.at < last!.at - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });

  test('sends at once what cannot wait', async () => {
    const { time, centre, gateway, reader } = makeScene();
    gateway.start();
    await time.advance(75 * SECOND);
    const before = centre.data.length;
    reader.powerAt = (at) => invalidReading('load.power', 'timeout', at);
    await time.advance(10 * SECOND);
    expect(centre.data.length - before).toBe(1);
    expect(centre.stored.get(`meter/load.power@${NOON + 80 * SECOND}`)).toEqual({ value: null, code: 33 });
  });

  test('is told when nobody is there: without a server it spends no bytes', async () => {
    const { time, centre, gateway, recorded } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    centre.stopServer();
    await time.advance(SECOND);
    const { bytes } = centre;
    await time.advance(60 * MINUTE);
    expect(centre.bytes).toBe(bytes);
    centre.startServer('session-2');
    await time.advance(2 * MINUTE);
    expect(centre.births).toHaveLength(2);
    expect(oldData(centre).length).toBeGreaterThan(0);
    expect(recorded.filter(({ at }) => at < time.now() - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });
});

describe('attention', () => {
  test('brings a snapshot and then every poll, until it ends', async () => {
    const { time, centre, gateway, reader } = makeScene();
    reader.powerAt = (at) => goodReading('load.power', 500, at);
    gateway.start();
    await time.advance(65 * SECOND);
    const before = centre.data.length;
    centre.attend(60);
    await time.advance(SECOND);
    expect(centre.data.slice(before)).toMatchObject([{ historical: false }]);
    await time.advance(49 * SECOND);
    expect(centre.data.length - before).toBe(6);
    for (const at of [70, 80, 90, 100, 110])
      expect(centre.stored.get(`meter/load.power@${NOON + at * SECOND}`)?.value).toBe(500);
    await time.advance(5 * MINUTE);
    expect(centre.data.length - before).toBeLessThan(14);
    expect(centre.stored.has(`meter/load.power@${NOON + 150 * SECOND}`)).toBe(false);
  });

  test('repeated while it lasts brings no second snapshot', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(65 * SECOND);
    centre.attend(60);
    await time.advance(SECOND);
    const before = centre.data.length;
    centre.attend(60);
    await time.advance(SECOND);
    expect(centre.data.length).toBe(before);
  });
});

describe('a receipt', () => {
  test('that is lost makes the post send again after a time-out, until one arrives', async () => {
    const { time, centre, gateway, recorded } = makeScene();
    centre.faults.loseReceipts = 1;
    gateway.start();
    await time.advance(10 * MINUTE);
    expect(gateway.status().session.timeouts).toBeGreaterThan(2);
    expect(gateway.status().outbox.pendingRecords).toBeGreaterThan(20);
    centre.faults.loseReceipts = 0;
    await time.advance(10 * MINUTE);
    expect(gateway.status().outbox.pendingRecords).toBeLessThan(10);
    expect(recorded.filter(({ at }) => at < time.now() - 2 * MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });

  test('that comes twice changes nothing', async () => {
    const { time, centre, gateway } = makeScene();
    centre.faults.doubleReceipts = 1;
    centre.faults.doubleData = 1;
    gateway.start();
    await time.advance(10 * MINUTE);
    expect(gateway.status().session).toMatchObject({ timeouts: 0, strayReceipts: 0 });
    expect(gateway.status().outbox.expired).toBe(0);
  });

  test('frees nothing that was never sent, whatever it says', async () => {
    const { time, centre, gateway, reader } = makeScene();
    gateway.start();
    await time.advance(61 * SECOND);
    reader.powerAt = (at) => goodReading('load.power', at % 5000, at);
    await time.advance(30 * SECOND);
    const { pendingRecords } = gateway.status().outbox;
    expect(pendingRecords).toBeGreaterThan(0);
    const wide = { epoch: '0123456789abcdef', stored: [[1, 2 ** 40]], refused: [], time: time.now() };
    centre.send('receipt', Buffer.from(JSON.stringify(wide)));
    await time.advance(SECOND);
    expect(gateway.status().outbox.pendingRecords).toBe(pendingRecords);
    expect(gateway.status().session.strayReceipts).toBe(1);
  });

  test('that does not parse is counted and harms nobody', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    for (const text of ['', '{', '[]', '{"stored":5}', '\u0000']) centre.send('receipt', Buffer.from(text));
    centre.send('attention', Buffer.from('{"forS":1e9}'));
    await time.advance(SECOND);
    expect(gateway.status().session).toMatchObject({ malformed: 6, connected: true });
  });

  test('that refuses a record sends it to the dead letters, and the others go on', async () => {
    const { time, centre, gateway, outbox } = makeScene();
    centre.faults.refuse = ({ metric, at }) =>
      metric === 'load.energy' && at === NOON + 60 * SECOND ? 'STORE_TYPE' : undefined;
    gateway.start();
    await time.advance(5 * MINUTE);
    expect(outbox.deadLetters(10).map(({ code }) => code)).toEqual(['STORE_TYPE']);
    expect(gateway.status().outbox).toMatchObject({ refused: 1 });
    expect(gateway.status().session.timeouts).toBe(0);
  });
});

describe('births', () => {
  test('go again, but not in a storm, to a server that has forgotten them', async () => {
    const { time, centre, gateway, recorded } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    centre.birth = undefined;
    await time.advance(2 * MINUTE);
    expect(centre.births).toHaveLength(2);
    expect(new Set(centre.births.map(({ birth }) => birth)).size).toBe(1);
    expect(recorded.filter(({ at }) => at < time.now() - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });

  test('are rationed where a server asks for them for ever', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    centre.faults.forgetBirths = true;
    await time.advance(60 * MINUTE);
    expect(centre.births.length).toBeGreaterThan(5);
    expect(centre.births.length).toBeLessThan(30);
  });

  test('come to a new server after a random delay within bounds', async () => {
    const delays: number[] = [];
    for (const random of [0, 0.25, 0.999]) {
      const { time, centre, gateway } = makeScene({ random: () => random });
      gateway.start();
      await time.advance(30 * SECOND);
      const startedAt = time.now();
      centre.startServer('session-2');
      while (centre.births.length < 2) await time.advance(10);
      delays.push(time.now() - startedAt);
    }
    expect(delays[0]).toBeLessThan(500);
    expect(delays[1]).toBeGreaterThan(7_000);
    expect(delays[2]).toBeGreaterThan(29_000);
    expect(delays[2]).toBeLessThan(31_000);
  });

  test('are waited for: data goes when the server has answered, or after a while', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    centre.faults.loseReceipts = 1;
    while (centre.births.length < 1) await time.advance(10);
    await time.advance(4 * SECOND);
    expect(centre.data).toEqual([]);
    await time.advance(2 * SECOND);
    expect(centre.data.length).toBeGreaterThan(0);
  });

  test('wait for a socket that takes nothing now', async () => {
    const { time, centre, gateway } = makeScene();
    centre.faults.bufferedBytes = 1e6;
    gateway.start();
    await time.advance(10 * SECOND);
    expect(centre.births).toEqual([]);
    centre.faults.bufferedBytes = 0;
    await time.advance(SECOND);
    expect(centre.births).toHaveLength(1);
  });

  test('stay out after a short loss of the link: the server is the same and knows them', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(2 * MINUTE);
    centre.breakLinks();
    await time.advance(2 * MINUTE);
    expect(gateway.status().session).toMatchObject({ connected: true, connects: 2 });
    expect(centre.births).toHaveLength(1);
  });
});

describe('a lost connection', () => {
  test('is told by the will, and the next one has a higher number', async () => {
    const { time, centre, gateway } = makeScene({ numbers: { births: risingNumber(), connections: risingNumber() } });
    gateway.start();
    await time.advance(5 * SECOND);
    centre.breakLinks();
    await time.advance(MINUTE);
    const states = centre.states.map(({ state }) => state);
    expect(states).toEqual(['online', 'offline', 'online']);
    const [first, will, second] = centre.states.map(({ connection }) => connection);
    expect(will).toBe(first);
    expect(second).toBeGreaterThan(first!);
  });

  test('makes history of what is recorded meanwhile, and live data goes before it', async () => {
    const { time, centre, gateway, recorded } = makeScene({ config: { full: true } });
    gateway.start();
    await time.advance(MINUTE);
    centre.faults.unreachable = true;
    centre.breakLinks();
    await time.advance(3 * 60 * MINUTE);
    centre.faults.unreachable = false;
    await time.advance(2 * MINUTE);
    const after = centre.data.filter(({ at }) => at > NOON + 2 * 60 * MINUTE);
    expect(after.some(({ historical }) => historical)).toBe(true);
    expect(gateway.status().outbox.pendingRecords).toBeLessThan(20);
    expect(recorded.filter(({ at }) => at < time.now() - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  });

  test('tries again soon at first, then once a minute at the most', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    let tries = 0;
    centre.faults.unreachable = true;
    const openLink: OpenLink = (options) => {
      tries += 1;
      return centre.open(options);
    };
    const { gateway } = makeScene({ time, deps: { openLink } });
    gateway.start();
    await time.advance(30 * SECOND);
    expect(tries).toBeGreaterThan(3);
    tries = 0;
    await time.advance(60 * MINUTE);
    expect(tries).toBeGreaterThan(59);
    expect(tries).toBeLessThan(130);
  });

  test('that nobody reports is dropped when receipts and every other sign are missing', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    centre.faults.loseData = 1;
    await time.advance(10 * MINUTE);
    expect(gateway.status().session.connects).toBeGreaterThan(1);
  });

  test('leaves with a goodbye when the post is stopped', async () => {
    const { time, centre, gateway } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    const stopped = gateway.stop();
    await time.advance(SECOND);
    await stopped;
    expect(centre.states.at(-1)).toEqual({ state: 'offline', connection: centre.states[0]!.connection });
  });
});

describe('two windows', () => {
  test('never have more than 64 kB unreceipted each', async () => {
    const { time, centre, gateway, reader } = makeScene({ config: { full: true } });
    gateway.start();
    await time.advance(5 * SECOND);
    reader.powerAt = noisyPower;
    const past = Array.from({ length: 40_000 }, (_, i) => reader.resultAt(NOON - 500_000_000 + i * 10_000));
    gateway.record(past, { historical: true });
    centre.faults.storeDown = true;
    let most = 0;
    for (let i = 0; i < 200; i += 1) {
      await time.advance(SECOND / 2);
      most = Math.max(most, gateway.status().session.historyBytes);
      expect(gateway.status().session.liveBytes).toBeLessThanOrEqual(64 * 1024);
    }
    expect(most).toBeGreaterThan(32 * 1024);
    expect(most).toBeLessThanOrEqual(64 * 1024);
    centre.faults.storeDown = false;
    await time.advance(20 * MINUTE);
    expect(gateway.status().outbox.pendingRecords).toBeLessThan(20);
    expect(Math.max(...centre.data.map(({ bytes }) => bytes))).toBeLessThan(32 * 1024);
  }, 30_000);

  test('let live data pass while history is on its way', async () => {
    const { time, centre, gateway, reader } = makeScene({ config: { full: true } });
    gateway.start();
    await time.advance(50 * SECOND);
    centre.faults.latencyMs = 4_000;
    reader.powerAt = noisyPower;
    gateway.record(
      Array.from({ length: 40_000 }, (_, i) => reader.resultAt(NOON - 500_000_000 + i * 10_000)),
      { historical: true },
    );
    await time.advance(14 * SECOND);
    expect(oldData(centre).length).toBeGreaterThan(0);
    expect(liveData(centre).at(-1)?.at).toBeGreaterThanOrEqual(NOON + 60 * SECOND);
    expect(gateway.status().outbox.pendingRecords).toBeGreaterThan(1000);
  });

  test('wait while the socket has not sent what it was given', async () => {
    const { time, centre, gateway, reader } = makeScene();
    gateway.start();
    await time.advance(5 * SECOND);
    centre.faults.bufferedBytes = 10_000;
    gateway.record([reader.resultAt(NOON - 10_000_000)], { historical: true });
    const before = oldData(centre).length;
    await time.advance(10 * SECOND);
    expect(oldData(centre)).toHaveLength(before);
    centre.faults.bufferedBytes = 0;
    await time.advance(SECOND);
    expect(oldData(centre)).toHaveLength(before + 1);
  });
});

describe('a post without the time', () => {
  const noClock = (time: VirtualTime) => ({
    time,
    clock: { now: () => 86_400_000 + time.monotonic(), monotonic: () => time.monotonic() },
    clockQuality: () => 'unknown' as const,
  });

  test('sends nothing of unknown time; the server’s answer to the birth gives all of it its time', async () => {
    const time = new VirtualTime(NOON);
    const { centre, gateway } = makeScene(noClock(time));
    centre.faults.unreachable = true;
    gateway.start();
    await time.advance(3 * MINUTE);
    expect(gateway.status()).toMatchObject({ clockQuality: 'unknown' });
    expect(gateway.status().outbox.untimedRecords).toBeGreaterThan(3);
    centre.faults.unreachable = false;
    await time.advance(5 * MINUTE);
    expect(gateway.status().clockQuality).toBe('unsynchronised');
    expect(gateway.status().outbox.untimedRecords).toBe(0);
    expect(centre.births.map(({ clock }) => clock)).toEqual(['unknown']);
    const times = [...centre.stored.keys()].map((name) => Number(name.split('@')[1]));
    expect(Math.min(...times)).toBeGreaterThan(NOON - 200);
    expect(Math.min(...times)).toBeLessThan(NOON + 200);
    expect(Math.max(...times)).toBeLessThanOrEqual(time.now());
  });

  test('asks again when the answer is lost', async () => {
    const time = new VirtualTime(NOON);
    const { centre, gateway } = makeScene(noClock(time));
    centre.faults.loseReceipts = 1;
    gateway.start();
    await time.advance(20 * SECOND);
    expect(centre.births.length).toBeGreaterThan(1);
    expect(centre.data).toEqual([]);
    centre.faults.loseReceipts = 0;
    await time.advance(2 * MINUTE);
    expect(gateway.status().outbox.untimedRecords).toBe(0);
    expect(centre.stored.size).toBeGreaterThan(0);
  });

  test('does not believe a time that the broker kept for it', async () => {
    const time = new VirtualTime(NOON);
    const { centre, gateway } = makeScene(noClock(time));
    centre.faults.loseReceipts = 1;
    gateway.start();
    await time.advance(10 * SECOND);
    expect(gateway.status().clockQuality).toBe('unknown');
  });
});
