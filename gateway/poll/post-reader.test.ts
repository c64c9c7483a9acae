import { describe, expect, test } from 'vitest';
import { failed, ok } from '#domain/result.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import type { Profile } from '#profiles/profile.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { DeviceConfig, GatewayConfig } from '../config.js';
import type { Bus, BusRequest } from '../ports.js';
import { createPostReader } from './post-reader.js';

const HOUR = Date.UTC(2026, 0, 15, 12);

const profile: Profile = {
  id: 'test/meter',
  maker: 'Test',
  model: 'Meter',
  kind: 'meter',
  sources: ['test'],
  protocol: { table: 'holding', order: 'big', maxRegisters: 10, allowedGap: 0, pauseMs: 200, unit: 1, tcpPort: 502 },
  registers: [
    { at: 0, type: 'u16', metric: 'ac.power', unit: 'W' },
    { at: 100, type: 'u16', metric: 'ac.frequency', unit: 'Hz' },
  ],
};
const catalog = new Map<string, LoadedProfile>([['test/meter', { profile, hash: 'h' }]]);

function deviceOn(bus: string, id: string, more: Partial<DeviceConfig> = {}): DeviceConfig {
  return {
    id,
    bus,
    profile: 'test/meter',
    unit: 1,
    reversed: false,
    pollPeriodMs: 10_000,
    pauseMs: 0,
    deadbands: {},
    watch: {},
    ...more,
  };
}

function configOf(devices: readonly DeviceConfig[]): GatewayConfig {
  const ids = [...new Set(devices.map(({ bus }) => bus))];
  return {
    fleet: 'fleet',
    post: 'post',
    dataFolder: '/nowhere',
    mqtt: { url: 'mqtt://127.0.0.1' },
    batchPeriodMs: 60_000,
    full: false,
    outbox: { bytesMax: 1, keepReceiptedMs: 0, writeDelayMs: 0 },
    uplink: {},
    buses: ids.map((id) => ({ id, type: 'tcp', host: '127.0.0.1', port: 502, timeoutMs: 1000 })),
    devices,
  };
}

/** A bus whose answers take `answerMs` of virtual time. Notes who is on the wire, and when. */
function busOf(time: VirtualTime, answerMs: number, log: { at: number; request: BusRequest }[] = []) {
  let open = 0;
  const bus: Bus & { openMost: number; log: typeof log; mute: boolean } = {
    openMost: 0,
    log,
    mute: false,
    async read(request) {
      open += 1;
      bus.openMost = Math.max(bus.openMost, open);
      log.push({ at: time.monotonic(), request });
      if (answerMs > 0) await new Promise<void>((resolve) => void time.after(answerMs, resolve));
      open -= 1;
      if (bus.mute) return failed({ code: 'BUS_TIMEOUT', message: 'mute' });
      return ok(Array.from({ length: request.count }, (_, index) => request.start + index));
    },
    async close() {},
  };
  return bus;
}

function readerOf(devices: readonly DeviceConfig[], buses: Record<string, Bus>, time: VirtualTime) {
  return createPostReader(configOf(devices), {
    buses: new Map(Object.entries(buses)),
    catalog,
    clock: time,
    scheduler: time,
  });
}

const isCount = (metric: string) => metric.startsWith('poll.') && metric !== 'poll.state';

describe('a post’s reader', () => {
  test('asks one thing at a time on each bus, and all buses side by side', async () => {
    const time = new VirtualTime(HOUR);
    const north = busOf(time, 100);
    const south = busOf(time, 100);
    const reader = readerOf(
      [deviceOn('north', 'a'), deviceOn('north', 'b'), deviceOn('south', 'c')],
      { north, south },
      time,
    );
    const poll = reader.pollOnce(HOUR);
    await time.advance(400);
    const results = await poll;
    expect(results.map(({ device }) => device)).toEqual(['a', 'b', 'c']);
    expect([north.openMost, south.openMost]).toEqual([1, 1]);
    expect(north.log.map(({ at }) => at)).toEqual([0, 100, 200, 300]);
    expect(south.log.map(({ at }) => at)).toEqual([0, 100]);
  });

  test('honours the pause that a device needs between two questions', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 30);
    const { pauseMs: _, ...patient } = deviceOn('bus', 'a');
    const reader = readerOf([patient], { bus }, time);
    const poll = reader.pollOnce(HOUR);
    await time.advance(1000);
    await poll;
    expect(bus.log.map(({ at }) => at)).toEqual([0, 230]);
  });

  test('polls each device at whole multiples of its own period', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 0);
    const reader = readerOf([deviceOn('bus', 'a'), deviceOn('bus', 'b', { pollPeriodMs: 30_000 })], { bus }, time);
    const polled: string[] = [];
    let at = HOUR + 3000;
    while (at < HOUR + 61_000) {
      const results = await reader.pollOnce(at);
      polled.push(`${(at - HOUR) / 1000}: ${results.map(({ device }) => device).join(' ')}`);
      at = reader.nextDueAt(at);
    }
    expect(polled).toEqual(['3: a b', '10: a', '20: a', '30: a b', '40: a', '50: a', '60: a b']);
    expect(reader.nextDueAt(HOUR + 60_000)).toBe(HOUR + 70_000);
  });

  test('polls nothing twice in one period, unless everything is asked for', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 0);
    const reader = readerOf([deviceOn('bus', 'a')], { bus }, time);
    expect(await reader.pollOnce(HOUR)).toHaveLength(1);
    expect(await reader.pollOnce(HOUR + 5000)).toHaveLength(0);
    expect(await reader.pollOnce(HOUR + 5000, { all: true })).toHaveLength(1);
  });

  test('goes on when the clock is set back by a year, also with a device that it had left alone', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 0);
    bus.mute = true;
    const reader = readerOf([deviceOn('bus', 'a')], { bus }, time);
    for (let poll = 0; poll < 8; poll += 1) await reader.pollOnce(HOUR + poll * 10_000);
    bus.mute = false;
    const earlier = HOUR - 365 * 86_400_000;
    expect(reader.nextDueAt(earlier)).toBe(earlier);
    const [result] = await reader.pollOnce(earlier);
    expect(result?.readings.find(({ metric }) => metric === 'ac.frequency')).toMatchObject({
      value: 100,
      reason: 'good',
    });
  });

  test('gives source times that say so when a device was read seconds late', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 900);
    const reader = readerOf([deviceOn('bus', 'a'), deviceOn('bus', 'b'), deviceOn('bus', 'c')], { bus }, time);
    const poll = reader.pollOnce(HOUR);
    await time.advance(6000);
    expect((await poll).map(({ at }) => at - HOUR)).toEqual([0, 1000, 3000]);
  });

  test('a dead device backs off alone, and comes back within a minute', async () => {
    const time = new VirtualTime(HOUR);
    const dead = busOf(time, 0);
    const well = busOf(time, 0);
    dead.mute = true;
    const reader = readerOf([deviceOn('dead', 'a'), deviceOn('well', 'b')], { dead, well }, time);
    const stateAt = async (second: number) => {
      const results = await reader.pollOnce(HOUR + second * 1000);
      return results.map(({ readings }) => readings.find(({ metric }) => metric === 'poll.state')?.value).join(' ');
    };
    for (let second = 0; second < 600; second += 10) expect(await stateAt(second)).toBe('silent answering');
    expect(dead.log.length).toBeLessThan(20);
    expect(well.log.length).toBe(120);
    dead.mute = false;
    const states = [];
    for (let second = 600; second < 670; second += 10) states.push(await stateAt(second));
    expect(states).toContain('answering answering');
  });

  test('a call while another runs waits for its turn', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 100);
    const reader = readerOf([deviceOn('bus', 'a')], { bus }, time);
    const both = Promise.all([reader.pollOnce(HOUR), reader.pollOnce(HOUR + 10_000)]);
    await time.advance(1000);
    expect((await both).map((results) => results.length)).toEqual([1, 1]);
    expect(bus.openMost).toBe(1);
  });

  test('tells the state of a device at every poll, and the counts behind it now and then and when it changes', async () => {
    const time = new VirtualTime(HOUR);
    const bus = busOf(time, 0);
    const reader = readerOf([deviceOn('bus', 'a')], { bus }, time);
    const told: string[] = [];
    for (let second = 0; second <= 320; second += 10) {
      bus.mute = second === 110;
      const [result] = await reader.pollOnce(HOUR + second * 1000);
      const metrics = result?.readings.map(({ metric }) => metric) ?? [];
      expect(metrics).toContain('poll.state');
      if (metrics.includes('poll.timeouts')) told.push(`${second}: ${metrics.filter(isCount).length}`);
    }
    expect(told).toEqual(['0: 6', '110: 6', '120: 6', '300: 6']);
  });

  test('without devices nothing is ever due', () => {
    const time = new VirtualTime(HOUR);
    expect(readerOf([], {}, time).nextDueAt(HOUR)).toBe(Number.POSITIVE_INFINITY);
  });
});
