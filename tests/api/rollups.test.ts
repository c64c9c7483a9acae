// Marks and counter events through a whole server, and over its end.
import { afterEach, expect, test } from 'vitest';
import { encodeData } from '#contract/data.js';
import { API_ROOT } from '#contract/http.js';
import { postTopic } from '#contract/topic.js';
import { createMemoryRollups } from '#tests/support/memory-rollups.js';
import { createMemoryStore } from '#tests/support/memory-store.js';
import { closeAll, configOf, gateway, running } from './running-server.js';

afterEach(closeAll);

const EVENTS = `${API_ROOT}/posts/kyzyl-art/counter-events`;
const SWAP = { device: 'meter-1', metric: 'load.energy', kind: 'swap', closing: 99_812, opening: 3, by: 'Рустам' };

const withRollups = () => ({ store: { ...createMemoryStore(), ...createMemoryRollups() } });

test('what was written, and what people said of counters, is known to the next run', async () => {
  const config = configOf();
  const first = await running(config, withRollups());
  const client = await gateway(first);
  // The first receipt only greets the birth.
  const receipt = new Promise<void>((resolve) => {
    client.on('message', () => {
      if (first.counters().pointsStored === 1) resolve();
    });
  });
  await client.subscribeAsync(postTopic('pamir', 'kyzyl-art', 'receipt'));
  // Not near midnight, so that all lies on one day.
  const at = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 43_200_000;
  const samples = [{ record: 1, index: 1, at, value: 5000, code: 0 }];
  const payload = encodeData({ birth: 1, epoch: '0123456789abcdef', historical: true, samples });
  await client.publishAsync(postTopic('pamir', 'kyzyl-art', 'data'), payload);
  await receipt;
  expect(first.counters()).toMatchObject({ rollupMarksAdded: 1, rollupMarks: 1, rollupSeriesWaiting: 1 });
  const answer = await fetch(first.url + EVENTS, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: first.url },
    body: JSON.stringify({ ...SWAP, at }),
  });
  expect(answer.status).toBe(201);
  await client.endAsync();
  await first.stop();

  const second = await running(config, withRollups());
  expect(second.counters()).toMatchObject({ rollupMarks: 1, rollupSeriesWaiting: 1, rollupMarksAdded: 0 });
  expect(await (await fetch(second.url + EVENTS)).json()).toMatchObject({ events: [{ id: 1, ...SWAP, at }] });
  const journal = await (await fetch(`${second.url}${API_ROOT}/journal`)).json();
  expect(journal).toMatchObject({ entries: [{ rule: 'counterEvent', event: 'added', by: 'Рустам' }] });
});
