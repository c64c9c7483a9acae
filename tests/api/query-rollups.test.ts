// A whole server answers from what its store has rolled up, also where the points are gone.
import { afterEach, expect, test } from 'vitest';
import { API_ROOT } from '#contract/http.js';
import type { QueryResponse } from '#contract/query.js';
import { dayWindow } from '#domain/window.js';
import { createMemoryRollups } from '#tests/support/memory-rollups.js';
import { createMemoryStore } from '#tests/support/memory-store.js';
import { closeAll, configOf, running } from './running-server.js';

afterEach(closeAll);

test('a day of three years ago is told by its rollup, and its tag stays', async () => {
  const store = createMemoryStore();
  const rollups = createMemoryRollups();
  const series = { post: 'kyzyl-art', device: 'meter-1', metric: 'load.energy' };
  await store.write([{ ...series, at: Date.now() - 3_600_000, value: 7, code: 0 }]);
  const day = dayWindow(Date.now() - 3 * 365 * 86_400_000, 'Asia/Dushanbe');
  const window = { kind: 'counter', ...day, count: 1440, coverage: 1, increase: 4711, estimated: false } as const;
  const windows = [{ ...window, first: 10, last: 4721 }];
  await rollups.saveRollups([{ series, span: 'day', windows, ...day }]);
  const { url } = await running(configOf(), { store: { ...store, ...rollups } });
  const words = `series=kyzyl-art/meter-1/load.energy&resolution=day&from=${day.from}&to=${day.to}`;
  const answer = await fetch(`${url}${API_ROOT}/query?${words}`);
  const body = (await answer.json()) as QueryResponse;
  expect(body).toMatchObject({ closed: true, series: [{ increase: [4711], coverage: [1], gaps: [] }] });
  const headers = { 'if-none-match': String(answer.headers.get('etag')) };
  expect((await fetch(`${url}${API_ROOT}/query?${words}`, { headers })).status).toBe(304);
});
