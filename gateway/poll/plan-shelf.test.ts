import { expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { createPlanShelf, PLANS_MAX } from './plan-shelf.js';

const { profiles } = loadCatalog();
const profile = [...profiles.values()].map((loaded) => loaded.profile).find(({ variants }) => variants !== undefined);
const plan = { blocks: [], unreadable: [] };

test('devices of one profile and variant share its registers and plans; others have their own', () => {
  if (profile === undefined) throw new Error('no profile has variants');
  const shelf = createPlanShelf();
  const variant = profile.variants?.[0]?.name ?? '';
  const base = shelf.resolve(profile);
  expect(shelf.resolve(profile)).toBe(base);
  expect(shelf.resolve(profile, variant)).toBe(shelf.resolve(profile, variant));
  expect(shelf.resolve(profile, variant)).not.toBe(base);
  let made = 0;
  const make = () => ({ ...plan, made: ++made });
  expect(shelf.plan(base, 'fast', make)).toBe(shelf.plan(base, 'fast', make));
  shelf.plan(base, 'fast,slow', make);
  shelf.plan(shelf.resolve(profile, variant), 'fast', make);
  expect(made).toBe(3);
});

test('plans without end are not kept', () => {
  if (profile === undefined) throw new Error('no profile has variants');
  const shelf = createPlanShelf();
  const resolved = shelf.resolve(profile);
  const first = shelf.plan(resolved, 'first', () => ({ ...plan }));
  for (let n = 0; n <= PLANS_MAX; n += 1) shelf.plan(resolved, `${n}`, () => ({ ...plan }));
  expect(shelf.plan(resolved, 'first', () => ({ ...plan }))).not.toBe(first);
});
