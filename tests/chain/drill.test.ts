import { expect, test } from 'vitest';
import { faultsOfSeeds } from './drill.js';

test('whatever goes wrong at a post by a hundred seeds, the store has what its devices gave', {
  timeout: 600_000,
}, async () => {
  const { faults, readings } = await faultsOfSeeds(1, 100);
  expect(faults).toEqual([]);
  expect(readings).toBeGreaterThan(500_000);
});
