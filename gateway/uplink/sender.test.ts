import { expect, test } from 'vitest';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import type { Outbox } from '../outbox/outbox.js';
import { Sender } from './sender.js';

const EPOCH = '0123456789abcdef';
const NOON = Date.UTC(2026, 0, 15, 12);
const draft = (metric: string) => ({
  samples: [{ device: 'meter', metric, value: 1, reason: 'good' as const, at: NOON }],
  offline: false,
  at: NOON,
});
const birth = { number: 1, indexOf: (_device: string, metric: string) => (metric === 'load.power' ? 0 : undefined) };

function scene(publish: () => boolean = () => true, sync: () => boolean = () => true) {
  const outbox: Outbox = new MemoryOutbox({ epoch: EPOCH });
  const warnings: object[] = [];
  const log = { info() {}, warn: (facts: object) => warnings.push(facts) };
  return { outbox, warnings, sender: new Sender({ outbox, sync, publish, random: () => 0, log }) };
}

test('a record of an unknown metric goes to the dead letters, told once, and does not stop the others', () => {
  const { outbox, sender, warnings } = scene();
  outbox.append([draft('pv.power')]);
  expect(sender.sendOne('live', birth, NOON, 0)).toBe('sent');
  outbox.append([draft('load.power')]);
  expect([sender.sendOne('live', birth, NOON, 0), sender.sendOne('live', birth, NOON, 0)]).toEqual(['sent', 'empty']);
  expect(outbox.deadLetters(9)).toMatchObject([{ id: 1, code: 'OUTBOX_METRIC_UNKNOWN' }]);
  expect(warnings).toEqual([{ count: 1, code: 'OUTBOX_METRIC_UNKNOWN' }]);
});

test('a disk that cannot even bury a record is tried again later, not for ever at once', () => {
  const { outbox, sender } = scene();
  outbox.append([draft('pv.power')]);
  outbox.refuse = () => 0;
  expect(sender.sendOne('live', birth, NOON, 0)).toBe('busy');
});

test('what the socket did not take is not on its way', () => {
  let takes = false;
  const { outbox, sender } = scene(() => takes);
  outbox.append([draft('load.power')]);
  expect(sender.sendOne('live', birth, NOON, 0)).toBe('busy');
  takes = true;
  expect(sender.sendOne('live', birth, NOON, 0)).toBe('sent');
});

test('a receipt without an epoch settles nothing', () => {
  const { sender } = scene();
  expect(sender.settle({ stored: [[1, 9]] }, 0, 0)).toBe(false);
});

test('nothing is sent that is not on the disk for good', () => {
  let keeps = false;
  const order: string[] = [];
  const { outbox, sender } = scene(
    () => order.push('published') > 0,
    () => {
      order.push('synced');
      return keeps;
    },
  );
  outbox.markSent = (epoch: string, ids: readonly number[]): void => {
    order.push(`marked ${epoch === EPOCH} ${ids.join()}`);
  };
  outbox.append([draft('load.power')]);
  expect([sender.sendOne('live', birth, NOON, 0), order]).toEqual(['busy', ['marked true 1', 'synced']]);
  keeps = true;
  expect(sender.sendOne('live', birth, NOON, 0)).toBe('sent');
  expect(order.slice(2)).toEqual(['marked true 1', 'synced', 'published']);
});
