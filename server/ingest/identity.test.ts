import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  IngestScene,
  type SceneGateway,
  sceneSample as sample,
  SCENE_START as T0,
} from '#tests/support/ingest-scene.js';

const HOUR = 3_600_000;
const first: SceneGateway = { key: 'K1', epoch: 'a1a1a1a1a1a1a1a1', start: 7 };
const restarted: SceneGateway = { ...first, epoch: 'a2a2a2a2a2a2a2a2', start: 8 };
/** A copy of the card: same key, same count. Its devices are wired in another order. */
const clone: SceneGateway = {
  ...first,
  epoch: 'c1c1c1c1c1c1c1c1',
  start: 8,
  metrics: ['ac.voltage', 'ac.power'],
};
const stranger: SceneGateway = { key: 'K2', epoch: 'b1b1b1b1b1b1b1b1', start: 1 };

let scene: IngestScene;
beforeEach(() => {
  scene = new IngestScene();
});
afterEach(() => scene.close());

const conflict = () => scene.engine.directory.post('langar')?.identity;
const accept = () => scene.engine.acceptIdentity('langar', 'Рустам');

describe('one gateway', () => {
  test('starts again and again, renews its birth, and is late with what it sent before: no conflict', async () => {
    scene.birth(first, 1);
    scene.birth(first, 2);
    scene.data(2, first.epoch, [sample(1, T0)]);
    await scene.time.advance(HOUR);
    scene.birth(restarted, 3);
    await scene.time.advance(30_000);
    scene.data(2, first.epoch, [sample(2, T0 + 1)]);
    await scene.time.advance(HOUR);
    scene.data(3, first.epoch, [sample(2, T0 + 1)], { historical: true });
    scene.data(3, restarted.epoch, [sample(1, T0 + 2)]);
    scene.birth(restarted, 4);
    await scene.settle();
    expect([conflict(), scene.identities(), scene.store.points.size]).toEqual([undefined, [], 3]);
  });

  test('is the same after a restart of the server, also where the broker gives an old birth back', async () => {
    scene.birth(first, 1);
    await scene.time.advance(HOUR);
    scene.birth(restarted, 2);
    await scene.restart();
    scene.birth(first, 1, { retained: true });
    await scene.time.advance(HOUR);
    scene.birth(restarted, 2);
    scene.birth({ ...first, epoch: 'a3a3a3a3a3a3a3a3', start: 9 }, 3);
    expect([conflict(), scene.identities()]).toEqual([undefined, []]);
  });
});

describe('another key', () => {
  test('is told with both keys, data of both is stored, and it stands until a person accepts it', async () => {
    scene.birth(first, 1);
    scene.birth(stranger, 2);
    scene.data(1, first.epoch, [sample(1, T0, 11)]);
    scene.data(2, stranger.epoch, [sample(1, T0 + 1, 22)]);
    await scene.settle();
    expect([...scene.store.points.values()].map(({ value }) => value)).toEqual([11, 22]);
    expect(conflict()).toMatchObject({
      kind: 'keyChanged',
      kinds: ['keyChanged'],
      since: T0,
      keys: [
        { key: 'K1', accepted: true },
        { key: 'K2', accepted: false },
      ],
    });
    await scene.time.advance(100 * HOUR);
    expect(conflict()?.kind).toBe('keyChanged');
    expect(accept()).toMatchObject({ ok: true });
    scene.birth({ ...stranger, epoch: 'b2b2b2b2b2b2b2b2', start: 2 }, 5);
    expect([conflict(), scene.identities()]).toEqual([undefined, ['keyChanged raised', 'keyChanged cleared']]);
    expect(scene.logged.map(({ code }) => code)).toContain('INGEST_KEY_CHANGED');
  });

  test('stands after a restart of the server, and is told again to those who listen then', async () => {
    scene.birth(first, 1);
    scene.birth(stranger, 2);
    scene.events.length = 0;
    await scene.restart();
    expect([conflict()?.kind, scene.identities()]).toEqual(['keyChanged', ['keyChanged raised']]);
    scene.birth(stranger, 2, { retained: true });
    expect(scene.identities()).toHaveLength(1);
  });

  test('a birth without a key is a stranger’s where a key is known, and nobody’s where none is', () => {
    scene.birth({ ...first, key: '' }, 1);
    expect(conflict()).toBeUndefined();
    scene.birth(first, 2);
    expect(conflict()).toBeUndefined();
    scene.birth({ ...stranger, key: '' }, 3);
    expect(conflict()?.kind).toBe('keyChanged');
  });

  test('a flood of keys does not push out the one that is trusted', () => {
    scene.birth(first, 1);
    for (let i = 0; i < 50; i += 1) scene.birth({ ...stranger, key: `F${i}`, epoch: `${1e15 + i}` }, 10 + i);
    expect(conflict()?.keys).toHaveLength(8);
    expect(conflict()?.keys[0]).toMatchObject({ key: 'K1', accepted: true });
  });
});

describe('an older copy of the outbox', () => {
  test('is seen by its count of starts, and once accepted its next start is no news', async () => {
    scene.birth(first, 1);
    scene.birth(restarted, 2);
    await scene.time.advance(HOUR);
    scene.birth({ ...first, epoch: 'd1d1d1d1d1d1d1d1', start: 3 }, 3);
    expect(conflict()?.kind).toBe('restored');
    accept();
    scene.birth({ ...first, epoch: 'd2d2d2d2d2d2d2d2', start: 4 }, 4);
    expect(conflict()).toBeUndefined();
    scene.birth({ ...first, epoch: 'd3d3d3d3d3d3d3d3', start: 4 }, 5);
    expect(conflict()?.kind).toBe('restored');
  });
});

describe('a cloned card', () => {
  test('is seen when it starts and while both take turns; every sample of both is stored where it belongs', async () => {
    scene.birth(first, 1);
    scene.birth(restarted, 2);
    scene.birth(clone, 3);
    expect(conflict()?.kind).toBe('restored');
    for (let turn = 0; turn < 5; turn += 1) {
      await scene.time.advance(61_000);
      scene.data(2, restarted.epoch, [sample(turn + 1, T0 + turn, 100 + turn, 0)]);
      scene.data(3, clone.epoch, [sample(turn + 1, T0 + turn, 220 + turn, 0)]);
    }
    await scene.settle();
    expect(conflict()?.kinds).toEqual(['restored', 'twoGateways']);
    const values = (metric: string): unknown[] =>
      [...scene.store.points.values()].filter((point) => point.metric === metric).map(({ value }) => value);
    expect(values('ac.power')).toEqual([100, 101, 102, 103, 104]);
    expect(values('ac.voltage')).toEqual([220, 221, 222, 223, 224]);
    expect(scene.stored()).toHaveLength(10);
    expect(scene.identities()).toEqual(['restored raised', 'twoGateways raised']);
  });

  test('two that take turns are one again after a day without; the other goes on alone as it likes', async () => {
    scene.birth(restarted, 2);
    scene.birth({ ...clone, start: 9 }, 3);
    await scene.time.advance(61_000);
    scene.data(2, restarted.epoch, [sample(1, T0)]);
    expect(conflict()?.kind).toBe('twoGateways');
    for (let hour = 0; hour < 30; hour += 1) {
      await scene.time.advance(HOUR);
      if (hour === 22) expect(conflict()?.kind).toBe('twoGateways');
      scene.data(2, restarted.epoch, [sample(2 + hour, T0 + 2 + hour)]);
    }
    expect([conflict(), scene.identities()]).toEqual([undefined, ['twoGateways raised', 'twoGateways cleared']]);
    await scene.restart();
    await scene.time.advance(HOUR);
    scene.data(2, restarted.epoch, [sample(99, T0 + 99)]);
    expect(conflict()).toBeUndefined();
    scene.data(3, clone.epoch, [sample(1, T0 + 100)]);
    expect(conflict()?.kind).toBe('twoGateways');
  });

  test('the day goes on counting over a restart of the server', async () => {
    scene.birth(restarted, 2);
    scene.birth({ ...clone, start: 9 }, 3);
    await scene.time.advance(61_000);
    scene.data(2, restarted.epoch, [sample(1, T0)]);
    await scene.time.advance(20 * HOUR);
    await scene.restart();
    expect(conflict()?.kind).toBe('twoGateways');
    await scene.time.advance(4 * HOUR);
    expect(conflict()).toBeUndefined();
  });
});

describe('births by number', () => {
  test('one number for two different births places nothing wrongly: both gateways are asked for another', async () => {
    scene.birth(restarted, 5);
    scene.birth({ ...clone, start: 9 }, 5);
    expect(scene.sent.at(-1)?.receipt).toMatchObject({ birthNeeded: 5 });
    scene.data(5, restarted.epoch, [sample(1, T0, 100, 0)]);
    scene.data(5, clone.epoch, [sample(1, T0, 220, 0)]);
    await scene.settle();
    expect([scene.store.points.size, scene.engine.counters().birthNumbersContested]).toEqual([0, 1]);
    await scene.restart();
    scene.birth({ ...clone, start: 9 }, 5, { retained: true });
    scene.data(5, restarted.epoch, [sample(1, T0, 100, 0)]);
    await scene.settle();
    expect(scene.store.points.size).toBe(0);
    scene.birth(restarted, 6);
    scene.birth({ ...clone, start: 9 }, 7);
    scene.data(6, restarted.epoch, [sample(1, T0, 100, 0)]);
    scene.data(7, clone.epoch, [sample(1, T0, 220, 0)]);
    await scene.settle();
    expect([...scene.store.points.values()].map(({ metric, value }) => [metric, value])).toEqual([
      ['ac.power', 100],
      ['ac.voltage', 220],
    ]);
  });

  test('data under an earlier birth is placed by that birth, also after a restart of the server', async () => {
    scene.birth(restarted, 5);
    scene.birth({ ...clone, start: 9 }, 6);
    await scene.restart();
    scene.birth({ ...clone, start: 9 }, 6, { retained: true });
    scene.data(5, restarted.epoch, [sample(1, T0, 100, 0)]);
    scene.data(6, clone.epoch, [sample(1, T0, 220, 0)]);
    await scene.settle();
    expect([...scene.store.points.values()].map(({ metric, value }) => [metric, value])).toEqual([
      ['ac.power', 100],
      ['ac.voltage', 220],
    ]);
    expect(scene.engine.directory.post('langar')?.birth?.birth).toBe(6);
  });

  test('the data of two gateways that overtook their births waits for both', async () => {
    scene.data(5, restarted.epoch, [sample(1, T0, 100, 0)]);
    scene.data(6, clone.epoch, [sample(1, T0 + 1, 220, 0)]);
    const asked = scene.sent.map(({ receipt }) => receipt.birthNeeded);
    expect(asked).toEqual([5, 6]);
    scene.birth(restarted, 5);
    scene.birth(clone, 6);
    await scene.settle();
    expect(scene.store.points.size).toBe(2);
  });

  test('made-up birth numbers make the server ask a few times only', async () => {
    for (let number = 1; number <= 200; number += 1) scene.data(number, first.epoch, [sample(1, T0)]);
    expect(scene.engine.counters().birthsAsked).toBe(4);
  });
});

describe('the presence of two gateways', () => {
  const link = (): unknown => scene.engine.directory.post('langar')?.link;

  test('the will of one does not mark the post dead while the other is there', () => {
    scene.state('online', 5);
    scene.birth(first, 1);
    scene.state('online', 9);
    scene.birth(stranger, 2);
    scene.state('offline', 9);
    expect([link(), scene.engine.counters().statesOfOneOfTwo]).toEqual(['online', 1]);
    scene.state('offline', 5);
    expect(link()).toBe('offline');
    scene.state('online', 12);
    scene.state('online', 14);
    scene.state('offline', 12);
    expect(link()).toBe('online');
    scene.state('offline', 14);
    expect(link()).toBe('offline');
  });

  test('without the broker nothing is known of either', () => {
    scene.birth(first, 1);
    scene.birth(stranger, 2);
    scene.state('online', 5);
    scene.state('online', 9);
    scene.engine.brokerLost();
    expect(link()).toBe('unknown');
    scene.state('online', 11);
    scene.state('offline', 11);
    expect(link()).toBe('offline');
  });
});
