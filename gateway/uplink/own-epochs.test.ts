import { expect, test } from 'vitest';
import { openOwnEpochs } from './own-epochs.js';

const epochOf = (start: number) => start.toString(16).padStart(13, 'a').padEnd(16, '0');

test('the epochs of the last starts are known as own, others are not, and little is kept', () => {
  const kept = new Map<string, number>();
  const numbers = {
    number: (name: string) => kept.get(name),
    keepNumber: (name: string, value: number) => void kept.set(name, value),
  };
  for (let start = 1; start < 500; start += 1) openOwnEpochs({ epoch: epochOf(start), start, ...numbers });
  const isOwn = openOwnEpochs({ epoch: epochOf(500), start: 500, ...numbers });
  expect([500, 499, 450, 437, 436, 1, 501].map((start) => isOwn(epochOf(start)))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(kept.size).toBe(64);
});
