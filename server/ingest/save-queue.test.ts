import { expect, test } from 'vitest';
import { VirtualTime } from '#tests/support/virtual-time.js';
import { createSaveQueue } from './save-queue.js';

test('what the registry could not take is saved as soon as it can, the newest of each name, once', async () => {
  const time = new VirtualTime(0);
  const errors: unknown[] = [];
  const queue = createSaveQueue(time, (error) => errors.push(error));
  const saved: string[] = [];
  let isFull = true;
  const save = (name: string, what: string): void =>
    queue.save(name, () => {
      if (isFull) throw new Error('full');
      saved.push(what);
    });
  save('birth/langar', 'old');
  save('birth/langar', 'new');
  save('state/langar', 'online');
  expect(queue.counters()).toEqual({ registryFaults: 3, registrySavesWaiting: 2 });
  await time.advance(6_000);
  expect(saved).toEqual([]);
  isFull = false;
  await time.advance(6_000);
  expect(saved).toEqual(['new', 'online']);
  await time.advance(60_000);
  expect(saved).toHaveLength(2);
  expect(errors).toHaveLength(5);
  expect(queue.counters().registrySavesWaiting).toBe(0);
});
