// A whole server tells what adds up over the days of a post.
import { afterEach, expect, test } from 'vitest';
import { BalancesResponseSchema } from '#contract/balances.js';
import { doorOf } from '#contract/door.js';
import { API_ROOT } from '#contract/http.js';
import { dayWindow } from '#domain/window.js';
import { createMemoryStore } from '#tests/support/memory-store.js';
import { KYZYL_ART } from './fake-server.js';
import { closeAll, configOf, gateway, running } from './running-server.js';

afterEach(closeAll);

const HOUR_MS = 3_600_000;
const counters = { 'inverter/pv.energy': 500, 'meter-1/load.energy': 400, 'water/water.volume': 0.5 } as const;

test('energy and water of each local day, with what is missing told', async () => {
  const store = createMemoryStore();
  const today = dayWindow(Date.now(), 'Asia/Dushanbe');
  const from = today.from - 48 * HOUR_MS;
  const points = Object.entries(counters).flatMap(([name, step]) => {
    const [device = '', metric = ''] = name.split('/');
    // The second day of the meter is silent from noon on.
    const until = device === 'meter-1' ? 36 : 48;
    return Array.from({ length: until * 6 + 1 }, (_, i) => ({
      ...{ post: 'kyzyl-art', device, metric, at: from + (i * HOUR_MS) / 6 - 1, value: 1000 + (i * step) / 6, code: 0 },
    }));
  });
  await store.write(points);
  const config = configOf({ posts: [{ ...KYZYL_ART, tankVolumeM3: 10, tankHeightM: 2 }] });
  const server = await running(config, { store });
  const { mqttUrl: _, url } = server;
  const profile = { profile: 'a/b', model: 'm', pollPeriodMs: 10_000 };
  const metric = { kind: 'counter', pollPeriodMs: 600_000, heartbeatS: 600 } as const;
  await gateway(server, {
    devices: [
      { id: 'inverter', kind: 'inverter', ...profile },
      { id: 'meter-1', kind: 'meter', role: 'load', ...profile },
      { id: 'water', kind: 'water-meter', ...profile },
      { id: 'tank', kind: 'tank', ...profile },
    ],
    metrics: [
      { index: 0, device: 'inverter', metric: 'pv.energy', unit: 'Wh', ...metric },
      { index: 1, device: 'meter-1', metric: 'load.energy', unit: 'Wh', ...metric },
      { index: 2, device: 'water', metric: 'water.volume', unit: 'm³', ...metric },
      { index: 3, device: 'tank', metric: 'tank.level', unit: 'm', ...metric, kind: 'gauge' },
    ],
  });
  const ask = async (words: string): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${url}${API_ROOT}/posts/kyzyl-art/balances?${words}`);
    return { status: answer.status, body: await answer.json() };
  };
  let body: unknown;
  // The birth is on its way.
  await expect
    .poll(async () => (body = (await ask(`from=${from}&to=${today.from}`)).body))
    .toMatchObject({ days: [{}, {}] });
  const read = doorOf(BalancesResponseSchema)(body);
  if (!read.ok) throw new Error(JSON.stringify(read.fault));
  const [first, second] = read.value.days;
  expect(first).toMatchObject({
    from,
    closed: true,
    energy: { sides: { pv: { value: 12_000 }, load: { value: 9600 } }, residual: { value: 2400 }, isWhole: true },
    water: { pumped: { value: 12 }, gained: { value: null, doubts: ['noData'] }, unaccounted: { value: null } },
  });
  expect(second?.energy).toMatchObject({ sides: { load: { doubts: ['gaps'] } }, isWhole: false });
  expect(await ask('from=yesterday&to=x')).toMatchObject({
    status: 400,
    body: { faults: [{ path: 'from' }, { path: 'to' }] },
  });
  expect(await ask(`from=${today.from}&to=${from}`)).toMatchObject({ status: 400, body: { code: 'API_RANGE' } });
  expect(await ask(`from=${from - 500 * 24 * HOUR_MS}&to=${from}`)).toMatchObject({ body: { code: 'API_RANGE' } });
});
