import { beforeEach, expect, test } from 'vitest';
import type { Replay } from '#contract/session.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { StoredReplay } from '../ports.js';
import { createReplayDesk, type ReplayDesk } from './replay-desk.js';

const T0 = Date.UTC(2026, 0, 15);
const DAY = 86_400_000;
let time: VirtualTime;
let saved: Map<string, StoredReplay>;
let online: boolean;
let told: Replay[];
let desk: ReplayDesk;

beforeEach(() => {
  time = new VirtualTime(T0);
  saved = new Map();
  online = true;
  desk = open();
});

function open(): ReplayDesk {
  told = [];
  const opened = createReplayDesk({
    clock: time,
    registry: { replays: () => [...saved.values()], saveReplay: (replay) => saved.set(replay.post, replay) },
    isOnline: () => online,
    publish: (_, replay) => {
      told.push(replay);
      return true;
    },
  });
  opened.load();
  return opened;
}

test('a post that is there is told at once, and told again whenever it comes, for a week', async () => {
  expect(desk.ask('langar', { since: T0 - DAY, by: 'Рустам' })).toEqual({ at: T0, state: 'sent' });
  const request = { at: T0, since: T0 - DAY };
  expect(told).toEqual([request]);
  await time.advance(6 * DAY);
  desk.cameOnline('langar');
  desk.cameOnline('elsewhere');
  expect(told).toEqual([request, request]);
  await time.advance(2 * DAY);
  desk.cameOnline('langar');
  expect(told).toHaveLength(2);
});

test('requests are never of one time, also when the server’s clock steps back', async () => {
  const first = desk.ask('langar', { deadLetters: true, by: 'a' });
  time.stepClock(-DAY);
  const second = desk.ask('langar', { deadLetters: true, by: 'a' });
  expect(second.at).toBe(first.at + 1);
  desk = open();
  expect(desk.ask('langar', { deadLetters: true, by: 'a' }).at).toBe(first.at + 2);
});

test('a request waits for a post that is away, over a restart of the server, and is joined by the next one', async () => {
  online = false;
  expect(desk.ask('langar', { since: T0 - DAY, by: 'a' })).toEqual({ at: T0, state: 'waiting' });
  expect(told).toEqual([]);
  await time.advance(1000);
  desk = open();
  desk.ask('langar', { deadLetters: true, by: 'b' });
  online = true;
  desk.cameOnline('langar');
  expect(told).toEqual([{ at: T0 + 1000, since: T0 - DAY, deadLetters: true }]);
  expect(saved.get('langar')).toMatchObject({ by: 'b', sentAt: T0 + 1000 });
  desk.ask('langar', { deadLetters: true, by: 'b' });
  expect(told.at(-1)).toEqual({ at: T0 + 1001, deadLetters: true });
});
