import { expect, test } from 'vitest';
import { failed } from '#domain/result.js';
import { MemoryOutbox } from '#tests/support/memory-outbox.js';
import type { Outbox } from '../outbox/outbox.js';
import { Appender } from './appender.js';

const draft = (at: number, boot?: string) => ({
  samples: [{ device: 'meter', metric: 'load.power', value: 1, reason: 'good' as const, at }],
  offline: false,
  at,
  ...(boot === undefined ? {} : { boot }),
});

test('the times of what waits in memory for a full disk are taken, until the disk has them', () => {
  const outbox: Outbox = new MemoryOutbox({ epoch: '0123456789abcdef' });
  let isFull = true;
  const append = outbox.append.bind(outbox);
  outbox.append = (drafts) => (isFull ? failed({ code: 'OUTBOX_FULL', message: 'no space' }) : append(drafts));
  const appender = new Appender(outbox, { info() {}, warn() {} });
  appender.append([draft(1000), draft(5, 'a-boot')]);
  expect([appender.unsaved, appender.fault?.code]).toEqual([2, 'OUTBOX_FULL']);
  expect([1000, 1001, 5].map((at) => appender.hasTime('meter', at))).toEqual([true, false, false]);
  expect(appender.hasTime('tank', 1000)).toBe(false);
  isFull = false;
  appender.append([]);
  expect([appender.unsaved, appender.hasTime('meter', 1000), outbox.hasTime('meter', 1000)]).toEqual([0, false, true]);
});
