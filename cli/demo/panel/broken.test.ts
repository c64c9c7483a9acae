import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { FAULT_KINDS } from '#simulators/fault/fault.js';
import { groupsAt, kindsAt } from '#simulators/fault/usual-faults.js';
import { loadScenario } from '#simulators/scenarios/scenario.js';
import { createSimulation, type PostSimulation } from '#simulators/simulation.js';
import { faultTextsOf } from '#texts/faults.js';
import { LANGUAGES } from '#texts/language.js';
import { createBreakage } from './broken.js';
import { type PanelView, renderPanel } from './panel-page.js';

const LIVE = Date.UTC(2026, 5, 21, 7);
const loaded = loadScenario('demo');
if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
const { profiles: catalog } = loadCatalog();
const posts = (): ReadonlyMap<string, PostSimulation> =>
  createSimulation(loaded.value, { startAt: LIVE, catalog }).posts;
const order = { post: 'kyzyl-art', kind: 'dryWell', device: '', severity: 1 };

describe('breaking by hand', () => {
  test('begins now, stands until it is mended, and is over then', () => {
    const all = posts();
    const breakage = createBreakage(all);
    const broken = breakage.breakIt(order, LIVE);
    expect(broken).toMatchObject({ ok: true, value: { number: 1, fault: { kind: 'dryWell' }, since: LIVE } });
    expect(all.get('kyzyl-art')!.activeFaults()).toMatchObject([{ kind: 'dryWell' }]);
    expect(breakage.standing('kyzyl-art')).toHaveLength(1);
    expect(breakage.standing('karakul')).toEqual([]);
    expect([breakage.mend(1), breakage.mend(1)]).toEqual([true, false]);
    all.get('kyzyl-art')!.stepTo(LIVE + 1000);
    expect(all.get('kyzyl-art')!.activeFaults()).toEqual([]);
  });

  test('everything that a post offers can be broken, badly and a little, and mended at once', () => {
    const all = posts();
    for (const post of all.values()) {
      const breakage = createBreakage(all);
      for (const group of groupsAt(post.spec))
        for (const kind of kindsAt(post.spec, group))
          for (const severity of [0, 1]) {
            const device = group === 'device' ? 'load-meter' : '';
            expect(breakage.breakIt({ post: post.id, kind, device, severity }, LIVE), kind).toMatchObject({ ok: true });
            breakage.mendAll(post.id);
          }
      expect(breakage.standing(post.id)).toEqual([]);
    }
  });

  test.each([
    [{ post: 'moon' }, 'noPost'],
    [{ kind: 'earthquake' }, 'unknownKind'],
    [{ kind: 'gridLost' }, 'unknownKind'],
    [{ kind: 'stuck' }, 'needsDevice'],
    [{ kind: 'stuck', device: 'radio' }, 'noDevice'],
  ])('%j is refused as %s', (wrong, fault) => {
    expect(createBreakage(posts()).breakIt({ ...order, ...wrong }, LIVE)).toEqual({ ok: false, fault });
  });

  test('has a limit', () => {
    const breakage = createBreakage(posts());
    for (let count = 0; count < 100; count += 1) expect(breakage.breakIt(order, LIVE).ok).toBe(true);
    expect(breakage.breakIt(order, LIVE)).toEqual({ ok: false, fault: 'tooMany' });
  });
});

test.each(LANGUAGES)('every kind of fault has a name in %s', (language) => {
  const texts = faultTextsOf(language);
  expect(Object.keys(texts.kinds).sort()).toEqual([...FAULT_KINDS.keys()].sort());
});

describe('the page', () => {
  const post = {
    id: 'p',
    name: '<b>"Post"</b>',
    devices: [{ id: 'd', name: '&' }],
    groups: [{ group: 'pump' as const, kinds: ['dryWell' as const] }],
  };
  const view: PanelView = {
    post,
    posts: [post],
    broken: [],
    scripted: [],
    alarms: [],
    isOffline: false,
    zone: 'Asia/Dushanbe',
    language: 'en',
    path: '/demo',
  };

  test('lets no name become a tag', () => {
    const page = renderPanel(view);
    expect(page).not.toContain('<b>');
    expect(page).toContain('&#60;b&#62;');
    expect(page).toContain('Nothing is broken.');
  });

  test('says what the product says', () => {
    expect(renderPanel({ ...view, isOffline: true })).toContain('offline');
    expect(renderPanel({ ...view, problem: 'needsDevice' })).toContain('choose one');
  });
});
