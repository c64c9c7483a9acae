import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { postFactsOf } from './post-facts.js';
import {
  checkDevices,
  listScenarios,
  loadScenario,
  parseScenario,
  SCENARIOS_FOLDER,
  scenarioNames,
} from './scenario.js';
import { SCENARIO_SCHEMA_FILE, scenarioJsonSchema } from './scenario-schema.js';

const { profiles } = loadCatalog();
const profileOf = (id: string) => profiles.get(id)?.profile;
const device = { id: 'meter', profile: 'eastron/sdm630', unit: 1 };
const scenario = (posts: unknown) => ({ name: 'test', summary: 'a test', seed: 1, posts });

describe('scenarios that come with the product', () => {
  test('are listed with a line each', () => {
    expect(listScenarios().map(({ name }) => name)).toContain('demo');
    expect(listScenarios()).toHaveLength(scenarioNames().length);
  });

  test.each(scenarioNames())('%s is sound and its devices exist', (name) => {
    const loaded = loadScenario(name);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
    expect(loaded.value.name).toBe(name);
    expect(checkDevices(loaded.value, profileOf)).toEqual([]);
  });

  test('tell what an owner would write down about a post', () => {
    const loaded = loadScenario('demo');
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault));
    const facts = postFactsOf(loaded.value.posts[0]!, (id) => profileOf(id)?.kind);
    expect(facts).toMatchObject({
      id: 'kyzyl-art',
      altitudeM: 4280,
      tankVolumeM3: 10.016,
      pump: { device: 'pump', deadHeadPowerW: 873.397, staticHeadM: 45, shutOffHeadM: 80, ratedFlowM3h: 2.82 },
    });
  });
});

describe('a scenario that is wrong', () => {
  test('and unknown is answered with what there is', () => {
    const loaded = loadScenario('sunny');
    expect(loaded).toMatchObject({ ok: false, fault: [{ code: 'SCENARIO_UNKNOWN' }] });
    expect(!loaded.ok && loaded.fault[0]!.message).toContain('clear-day');
  });

  test('in several places names all of them', () => {
    const faults = parseScenario(
      scenario([
        {
          id: 'a',
          name: 'A',
          devices: [device, { ...device, unit: 2 }, { ...device, id: 'other' }],
          faults: [
            { kind: 'silence', device: 'nobody', fromS: 0 },
            { kind: 'dryWell', fromS: 10, toS: 5 },
          ],
        },
        { id: 'a', name: 'A again', devices: [device] },
      ]),
    );
    if (faults.ok) throw new Error('taken for sound');
    expect(faults.fault.map(({ path }) => path).sort()).toEqual([
      '/posts',
      '/posts/0/devices',
      '/posts/0/devices',
      '/posts/0/faults/0/device',
      '/posts/0/faults/1/toS',
    ]);
  });

  test('in its faults is told by the kind that each is meant to be', () => {
    const faults = parseScenario({
      ...scenario([
        {
          id: 'a',
          name: 'A',
          devices: [device],
          faults: [
            { kind: 'tankLeek', fromS: 0 },
            { kind: 'tankLeak', fromS: 0 },
            { kind: 'dryWell', fromS: 0 },
          ],
        },
      ]),
      from: 'tomorrow',
    });
    if (faults.ok) throw new Error('taken for sound');
    expect(faults.fault.map(({ path }) => path)).toEqual(['/from', '/posts/0/faults/0/kind', '/posts/0/faults/1']);
    expect(faults.fault[1]!.message).toContain('"tankLeek" is no fault; there are: batterySoc');
    expect(faults.fault[2]!.message).toContain('flowM3h');
  });

  test('in its calendar is refused', () => {
    const sound = scenario([{ id: 'a', name: 'A', devices: [device] }]);
    expect(parseScenario({ ...sound, from: '2026-13-45T00:00:00Z' })).toMatchObject({
      ok: false,
      fault: [{ path: '/from' }],
    });
  });

  test.each([
    ['a name that no topic can have', { id: 'Post A' }],
    ['a fact that is not known', { world: { pump: { colour: 'red' } } }],
    ['no device', { devices: [] }],
    ['a fault that does not exist', { faults: [{ kind: 'earthquake', fromS: 0 }] }],
  ])('with %s is refused', (_, wrong) => {
    expect(parseScenario(scenario([{ id: 'a', name: 'A', devices: [device], ...wrong }])).ok).toBe(false);
  });

  test('against the profiles names the device', () => {
    const parsed = parseScenario(
      scenario([
        {
          id: 'a',
          name: 'A',
          devices: [
            { ...device, profile: 'no/such' },
            { ...device, id: 'b', unit: 2, variant: 'gold' },
            { id: 'c', profile: 'generic/qdy30a', unit: 3, role: 'load' },
          ],
        },
      ]),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
    expect(checkDevices(parsed.value, profileOf).map(({ path }) => path)).toEqual([
      '/posts/0/devices/0/profile',
      '/posts/0/devices/1/variant',
      '/posts/0/devices/2/role',
    ]);
  });
});

test('many faulty faults hide nothing else that is wrong', () => {
  const faults = Array.from({ length: 30 }, () => ({ kind: 'stuck', fromS: 0 }));
  const parsed = parseScenario(
    scenario([{ id: 'post', name: 'Post', devices: [device], faults, chance: { days: 0 } }]),
  );
  const paths = parsed.ok ? [] : parsed.fault.map(({ path }) => path);
  expect(paths).toHaveLength(31);
  expect(paths).toContain('/posts/0/chance/days');
});

test('scenarios are described to editors by a schema that is up to date', () => {
  const stored = JSON.parse(readFileSync(join(SCENARIOS_FOLDER, SCENARIO_SCHEMA_FILE), 'utf8')) as unknown;
  expect(
    stored,
    `scenario.ts has changed. Run: node --conditions=source --import tsx -e "import('./simulators/scenarios/scenario-schema.ts').then((m) => m.writeScenarioSchema())" && npx biome check --write simulators`,
  ).toEqual(scenarioJsonSchema());
});
