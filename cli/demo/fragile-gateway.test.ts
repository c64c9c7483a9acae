import { expect, test } from 'vitest';
import { ok } from '#domain/result.js';
import type { Gateway } from '#gateway/gateway.js';
import type { PollResult } from '#gateway/ports.js';
import type { Fault } from '#simulators/fault/fault.js';
import { type FragileClock, type FragileGateway, openFragileGateway } from './fragile-gateway.js';

interface Scene {
  readonly fragile: FragileGateway;
  readonly events: string[];
  readonly time: FragileClock;
}

function scene(): Scene {
  const events: string[] = [];
  let time: FragileClock | undefined;
  const gateway = (): Gateway => ({
    start: () => events.push('start'),
    stop: async () => void events.push('stop'),
    record: () => events.push('record'),
    status: () => ({}) as ReturnType<Gateway['status']>,
  });
  const link = {
    mqttUrl: '',
    setDown: (down: boolean) => void events.push(down ? 'down' : 'up'),
    close: async () => undefined,
  };
  const opened = openFragileGateway({ now: () => 1_000_000_000_000, monotonic: () => 0 }, link, (given) => {
    time = given;
    events.push('open');
    return ok(gateway());
  });
  if (!opened.ok || !time) throw new Error('not opened');
  return { fragile: opened.value, events, time };
}

const powerCut: Fault = { kind: 'powerCut', fromS: 0 };

test('dies with its supply without a goodbye, and starts again when there is power', async () => {
  const { fragile, events } = scene();
  fragile.start();
  await fragile.suffer([powerCut]);
  await fragile.suffer([powerCut]);
  await fragile.suffer([]);
  expect(events).toEqual(['open', 'start', 'down', 'stop', 'down', 'up', 'open', 'start']);
  await fragile.stop();
  expect(events.at(-1)).toBe('stop');
});

test('goes on without a link', async () => {
  const { fragile, events } = scene();
  await fragile.suffer([{ kind: 'linkDown', fromS: 0 }]);
  expect(events).toEqual(['open', 'down']);
});

test('believes its clock while it is wrong, and says that nobody has set it', async () => {
  const { fragile, time } = scene();
  expect([time.clock.now(), time.clockQuality()]).toEqual([1_000_000_000_000, 'synchronised']);
  await fragile.suffer([{ kind: 'clockLost', fromS: 0, seconds: -820_000_000 }]);
  expect([time.clock.now(), time.clockQuality()]).toEqual([180_000_000_000, 'unknown']);
  await fragile.suffer([]);
  expect(time.clock.now()).toBe(1_000_000_000_000);
});

test('the past is recorded once there is power again', async () => {
  const { fragile, events } = scene();
  await fragile.suffer([powerCut]);
  const recorded = fragile.recordPast([] as PollResult[]);
  expect(events).not.toContain('record');
  await fragile.suffer([]);
  await recorded;
  expect(events.at(-1)).toBe('record');
});
