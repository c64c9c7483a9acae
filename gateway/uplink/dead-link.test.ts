// Links that die without a word, brokers that never answer, servers that store nothing: nothing waits for ever, nothing is lost.
import { describe, expect, test } from 'vitest';
import { FakeCentre } from '#tests/support/fake-centre.js';
import { makeScene, NOON } from '#tests/support/test-post.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { CONNECT_MAX_MS, PROBE_MS } from './connection.js';
import type { LinkOptions, OpenLink } from './link.js';
import { RECEIPT_TIMEOUT_MS } from './windows.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** A batch period until something is sent, a time-out and its random quarter, and the time for a sign of life. */
const NOTICED_WITHIN_MS = MINUTE + RECEIPT_TIMEOUT_MS * 1.25 + PROBE_MS;

describe('a link under which everything vanishes while its socket stays open', () => {
  test.each([0, 0.5, 0.999])('is dropped within 127.5 s, whenever it dies (random %s)', async (random) => {
    for (const diesAfterMs of [5, 31, 59, 60.03, 61].map((s) => s * SECOND)) {
      const { time, centre, gateway, recorded } = makeScene({ random: () => random });
      centre.faults.acknowledges = true;
      gateway.start();
      await time.advance(2 * MINUTE + diesAfterMs);
      centre.faults.halfDead = true;
      const diedAt = time.now();
      while (gateway.status().session.connected) await time.advance(SECOND / 2);
      expect(time.now() - diedAt).toBeLessThanOrEqual(NOTICED_WITHIN_MS + SECOND);
      expect(gateway.status().session.lastClosed).toBe('no receipts and no sign of life');
      centre.faults.halfDead = false;
      await time.advance(5 * MINUTE);
      expect(recorded.filter(({ at }) => at < time.now() - 2 * MINUTE).every((sample) => centre.has(sample))).toBe(
        true,
      );
    }
  });

  test('is dropped by its silence alone where the carrier tells no signs of life', async () => {
    const { time, centre, gateway } = makeScene({ random: () => 0.999 });
    gateway.start();
    await time.advance(2 * MINUTE);
    centre.faults.halfDead = true;
    await time.advance(172.5 * SECOND + SECOND);
    expect(gateway.status().session.connected).toBe(false);
  });
});

describe('a server that stores nothing', () => {
  test('is no dead link: the post stays connected, and asks for another connection once an hour', async () => {
    const { time, centre, gateway, recorded } = makeScene();
    centre.faults.acknowledges = true;
    gateway.start();
    await time.advance(2 * MINUTE);
    centre.faults.storeDown = true;
    await time.advance(50 * MINUTE);
    expect(gateway.status().session).toMatchObject({ connected: true, connects: 1 });
    await time.advance(250 * MINUTE);
    expect(gateway.status().session.connects).toBeGreaterThan(3);
    expect(gateway.status().session.connects).toBeLessThanOrEqual(6);
    expect(centre.states.filter(({ state }) => state === 'offline')).toEqual([]);
    centre.faults.storeDown = false;
    await time.advance(10 * MINUTE);
    expect(recorded.filter(({ at }) => at < time.now() - MINUTE).every((sample) => centre.has(sample))).toBe(true);
  }, 30_000);
});

describe('a callback that never comes', () => {
  test('a link that neither opens nor fails is given up, and the next one is tried', async () => {
    const time = new VirtualTime(NOON);
    const centre = new FakeCentre(time);
    const aborted: number[] = [];
    let isMute = true;
    const openLink: OpenLink = (options) =>
      isMute ? muteLink(() => aborted.push(time.now() - NOON)) : centre.open(options);
    const { gateway } = makeScene({ time, centre, deps: { openLink } });
    gateway.start();
    await time.advance(CONNECT_MAX_MS);
    expect([aborted, gateway.status().session.lastClosed]).toEqual([[CONNECT_MAX_MS], 'no connection in time']);
    isMute = false;
    await time.advance(MINUTE);
    expect(gateway.status().session).toMatchObject({ connected: true, connects: 1 });
  });

  test('what a link given up says later is not heard', async () => {
    const time = new VirtualTime(NOON);
    const old: LinkOptions[] = [];
    const openLink: OpenLink = (options) => {
      old.push(options);
      return muteLink(() => {});
    };
    const { gateway } = makeScene({ time, deps: { openLink } });
    gateway.start();
    await time.advance(CONNECT_MAX_MS);
    old[0]?.handlers.connected();
    old[0]?.handlers.closed('late');
    expect(gateway.status().session).toMatchObject({ connected: false, lastClosed: 'no connection in time' });
    await time.advance(MINUTE);
    expect(old.length).toBeGreaterThan(1);
  });

  test('a poll that never returns does not keep the gateway from ending', async () => {
    const { time, gateway, reader } = makeScene();
    reader.pollOnce = () => new Promise(() => {});
    gateway.start();
    await time.advance(SECOND);
    let ended = false;
    void gateway.stop().then(() => {
      ended = true;
    });
    await time.advance(15 * SECOND);
    expect(ended).toBe(true);
  });
});

function muteLink(abort: () => void): ReturnType<OpenLink> {
  return { publish: () => false, bufferedBytes: () => 0, close: async () => {}, abort };
}
