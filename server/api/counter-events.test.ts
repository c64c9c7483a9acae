import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JournalEntry } from '#contract/view.js';
import { type FakeServer, fakeServer, NOON } from '#tests/api/fake-server.js';
import { VirtualTime } from '#tests/support/virtual-time.js';
import type { StoredCounterEvent } from '../ports.js';
import { COUNTER_EVENTS_MAX, type CounterEvents, createCounterEvents } from '../rollup/counter-events.js';

const URL = '/api/v1/posts/kyzyl-art/counter-events';
const HOUR = 3_600_000;
const SWAP = {
  device: 'meter-1',
  metric: 'load.energy',
  at: NOON - HOUR,
  kind: 'swap',
  closing: 99_812,
  opening: 3,
  by: 'Рустам',
};

let server: FakeServer;
let counterEvents: CounterEvents;
let saved: Map<number, StoredCounterEvent>;
let journal: Omit<JournalEntry, 'seq'>[];
let touched: unknown[][];
let isDiskFull: boolean;

beforeEach(async () => {
  saved = new Map();
  journal = [];
  touched = [];
  isDiskFull = false;
  counterEvents = createCounterEvents({
    clock: new VirtualTime(NOON),
    touch: (...place) => touched.push(place),
    registry: {
      counterEvents: () => [...saved.values()],
      saveCounterEvent(event, entry) {
        if (isDiskFull) throw new Error('no space');
        const id = event.id ?? saved.size + 1;
        saved.set(id, { ...event, id });
        journal.push(entry);
        return id;
      },
    },
  });
  server = await fakeServer({ counterEvents });
});
afterEach(() => server.app.close());

const post = (payload: object) => server.app.inject({ method: 'POST', url: URL, payload });
const put = (id: string, payload: object) => server.app.inject({ method: 'PUT', url: `${URL}/${id}`, payload });

test('a swapped meter is told by a person, stands in the journal, and its windows are rolled up again', async () => {
  const answer = await post(SWAP);
  expect(answer.statusCode).toBe(201);
  const event = { ...SWAP, id: 1, withdrawn: false, comment: null, enteredAt: NOON };
  expect(answer.json()).toEqual({ event });
  expect((await server.app.inject({ url: URL })).json()).toEqual({ events: [event] });
  expect(touched).toEqual([['kyzyl-art', 'meter-1', 'load.energy', NOON - HOUR]]);
  expect(journal).toMatchObject([
    {
      at: NOON,
      post: 'kyzyl-art',
      rule: 'counterEvent',
      event: 'added',
      by: 'Рустам',
      comment: 'swap of meter-1/load.energy at 2026-06-21T06:00:00.000Z: 99812 to 3',
    },
  ]);
});

test('a correction changes the windows of both times, and tells what was said before and by whom', async () => {
  await post(SWAP);
  const answer = await put('1', { ...SWAP, at: NOON - 2 * HOUR, opening: 4, by: 'Зарина', comment: 'read the photo' });
  expect(answer.statusCode).toBe(200);
  expect(touched.slice(1).map((place) => place[3])).toEqual([NOON - HOUR, NOON - 2 * HOUR]);
  expect(journal[1]).toMatchObject({
    event: 'corrected',
    by: 'Зарина',
    comment:
      'swap of meter-1/load.energy at 2026-06-21T05:00:00.000Z: 99812 to 4; ' +
      'was swap of meter-1/load.energy at 2026-06-21T06:00:00.000Z: 99812 to 3, said by Рустам; read the photo',
  });
  const series = { post: 'kyzyl-art', device: 'meter-1', metric: 'load.energy' };
  expect(counterEvents.ofSeries(series)).toEqual([{ at: NOON - 2 * HOUR, kind: 'swap', closing: 99_812, opening: 4 }]);
  await put('1', { ...SWAP, withdrawn: true });
  expect(journal[2]?.event).toBe('withdrawn');
  expect(counterEvents.ofSeries(series)).toEqual([]);
  expect(counterEvents.ofPost('kyzyl-art')).toHaveLength(1);
});

test('what cannot be is refused with what to do, and changes nothing', async () => {
  await post(SWAP);
  const refused: [object, number, string][] = [
    [{ ...SWAP, by: ' ' }, 400, 'API_INVALID'],
    [{ ...SWAP, opening: '3' }, 400, 'API_INVALID'],
    [{ ...SWAP, at: NOON + 1 }, 400, 'API_INVALID'],
    [{ ...SWAP, metric: 'load.power' }, 400, 'API_METRIC_KIND'],
    [{ ...SWAP, metric: 'load.nonsense' }, 404, 'API_METRIC_UNKNOWN'],
    [SWAP, 409, 'API_COUNTER_EVENT_TWICE'],
  ];
  for (const [body, status, code] of refused) {
    const answer = await post(body);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
  }
  for (const id of ['2', '0', 'x'])
    expect((await put(id, SWAP)).json()).toMatchObject({ code: 'API_COUNTER_EVENT_UNKNOWN' });
  expect((await server.app.inject({ url: '/api/v1/posts/nowhere/counter-events' })).statusCode).toBe(404);
  isDiskFull = true;
  expect((await post({ ...SWAP, at: NOON - 1 })).json()).toMatchObject({ code: 'REGISTRY_FAULT' });
  expect(saved.size).toBe(1);
  expect(counterEvents.ofPost('kyzyl-art')).toHaveLength(1);
});

test('a post has a limited number of events, and refusals are counted', async () => {
  const words = { ...SWAP, kind: 'swap', withdrawn: false, comment: null } as const;
  for (let n = 0; n < COUNTER_EVENTS_MAX; n += 1) counterEvents.add('kyzyl-art', { ...words, at: n });
  expect((await post(SWAP)).json()).toMatchObject({ code: 'API_COUNTER_EVENTS_LIMIT' });
  expect(server.counts.apiCounterEventsRefused).toBe(1);
});
