import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeData } from '#contract/data.js';
import {
  IngestScene,
  type SceneGateway,
  sceneSample as sample,
  sceneBirth,
  SCENE_START as T0,
} from '#tests/support/ingest-scene.js';
import type { CarryIntake } from './carry-intake.js';

const gateway: SceneGateway = { key: 'K1', epoch: 'a1a1a1a1a1a1a1a1', start: 7 };
const earlier: SceneGateway = { ...gateway, epoch: 'a0a0a0a0a0a0a0a0', start: 6, metrics: ['ac.voltage', 'ac.power'] };
const EPOCH = 'e0e0e0e0e0e0e0e0';

let scene: IngestScene;
beforeEach(() => {
  scene = new IngestScene();
});
afterEach(() => scene.close());

function open(post = 'langar', key = 'K1'): CarryIntake {
  const opened = scene.engine.openCarry(post, key);
  if (!opened.ok) throw new Error(opened.fault.code);
  return opened.value;
}
const payload = (birth: number, samples: ReturnType<typeof sample>[]): Buffer =>
  encodeData({ birth, epoch: EPOCH, historical: false, samples });

test('carried data is placed by the birth that came with it, is late data, and is receipted to nobody', async () => {
  scene.birth(gateway, 9);
  scene.data(9, gateway.epoch, [sample(1, T0, 17)]);
  await scene.settle();
  scene.sent.length = 0;
  scene.events.length = 0;
  const intake = open();
  expect(intake.birth(sceneBirth(earlier, 9))).toEqual({ ok: true, value: undefined });
  const outcome = intake.data(payload(9, [sample(1, T0 - 5000, 230), sample(2, T0 + 5000, 231)]));
  await scene.settle();
  expect(await outcome).toEqual({ ok: true, value: { stored: 2, refused: 0 } });
  const placed = [...scene.store.points.values()].map(({ metric, value }) => [metric, value]);
  expect(placed).toEqual([
    ['ac.power', 17],
    ['ac.voltage', 230],
    ['ac.voltage', 231],
  ]);
  expect(scene.sent).toEqual([]);
  expect(scene.engine.latest.get('langar', 'meter', 'ac.voltage')).toBeUndefined();
  expect(scene.engine.directory.post('langar')?.birth).toEqual(sceneBirth(gateway, 9));
  expect(scene.events).toMatchObject([{ type: 'samples', historical: true }]);
  scene.data(9, gateway.epoch, [sample(2, T0 + 1, 18)]);
  await scene.settle();
  expect(scene.store.points.get(`langar/meter/ac.power/${T0 + 1}`)?.value).toBe(18);
  expect(scene.identities()).toEqual([]);
});

test('a post known by hand only is shown by what came with its data', async () => {
  const intake = open('karakul', 'K7');
  intake.birth(sceneBirth(gateway, 3));
  await Promise.all([intake.data(payload(3, [sample(1, T0)])), scene.settle()]);
  expect(scene.engine.directory.post('karakul')).toMatchObject({
    birth: { birth: 3 },
    link: 'unknown',
    lastContactAt: null,
  });
  expect(scene.engine.openCarry('karakul', 'K8')).toMatchObject({ ok: false, fault: { code: 'IMPORT_KEY_FOREIGN' } });
  await scene.restart();
  expect(scene.engine.mayCarry('karakul', 'K8')).toMatchObject({ ok: false });
  expect(scene.engine.mayCarry('karakul', 'K7')).toMatchObject({ ok: true });
});

test('a store that is away for a while is waited for; one that stays away is a fault, and nothing of it is lost on the stick', async () => {
  const intake = open();
  intake.birth(sceneBirth(gateway, 3));
  scene.store.fault = { code: 'STORE_FULL', message: 'no space' };
  const patient = intake.data(payload(3, [sample(1, T0)]));
  await scene.time.advance(10_000);
  scene.store.fault = undefined;
  await scene.time.advance(5000);
  expect(await patient).toEqual({ ok: true, value: { stored: 1, refused: 0 } });
  scene.store.fault = { code: 'STORE_UNAVAILABLE', message: 'gone' };
  const impatient = intake.data(payload(3, [sample(2, T0 + 1)]));
  await scene.time.advance(70_000);
  expect(await impatient).toMatchObject({ ok: false, fault: { code: 'STORE_UNAVAILABLE' } });
});

test('refusals of birth and store are counted apart from what is stored; data without its birth is a dead letter', async () => {
  const intake = open();
  intake.birth(sceneBirth(gateway, 3));
  scene.store.refuse = ({ value }) => (value === 2 ? 'STORE_TIME' : undefined);
  const mixed = intake.data(payload(3, [sample(1, T0, 1), sample(2, T0 + 1, 2), sample(3, T0 + 2, 3, 55)]));
  const stray = intake.data(payload(4, [sample(4, T0 + 3)]));
  await scene.settle();
  expect([await mixed, await stray]).toEqual([
    { ok: true, value: { stored: 1, refused: 2 } },
    { ok: true, value: { stored: 0, refused: 0 } },
  ]);
  const letters = await scene.engine.deadLetters(10);
  expect(letters.map(({ code }) => code).sort()).toEqual([
    'INGEST_BIRTH_UNKNOWN',
    'INGEST_METRIC_UNKNOWN',
    'STORE_TIME',
  ]);
});

test('what is carried leaves room for what comes by radio, and comes in when there is some again', async () => {
  await scene.restart({ memoryBytesMax: 1000 });
  scene.birth(gateway, 9);
  let release: () => void = () => undefined;
  scene.store.gate = new Promise((resolve) => {
    release = resolve;
  });
  const intake = open();
  intake.birth(sceneBirth(gateway, 3));
  const carried = [1, 2, 3, 4, 5, 6].map((record) => intake.data(payload(3, [sample(record, T0 - record)])));
  for (const record of [1, 2, 3, 4]) scene.data(9, gateway.epoch, [sample(record, T0 + record)]);
  expect(scene.engine.counters()).toMatchObject({ memoryBytes: 960, payloadsDroppedForMemory: 2 });
  await scene.settle();
  release();
  await scene.time.advance(2000);
  expect((await Promise.all(carried)).every(({ ok }) => ok)).toBe(true);
  expect([scene.store.points.size, scene.stored()]).toEqual([10, [[1, 4]]]);
});

test('a birth that contradicts itself is told', () => {
  const birth = sceneBirth(gateway, 3);
  expect(open().birth({ ...birth, metrics: [...birth.metrics, ...birth.metrics] })).toMatchObject({ ok: false });
});

test('a server that stops ends what is being carried in, with what it has confirmed', async () => {
  const intake = open();
  intake.birth(sceneBirth(gateway, 3));
  const outcome = intake.data(payload(3, [sample(1, T0)]));
  await scene.engine.stop();
  expect(await outcome).toMatchObject({ ok: true, value: { stored: 1 } });
  expect(await intake.data(payload(3, [sample(2, T0)]))).toMatchObject({ ok: false });
});
