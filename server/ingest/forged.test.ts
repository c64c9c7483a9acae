// What somebody sends who is not the gateway that he says he is.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeData } from '#contract/data.js';
import { encodeJson } from '#contract/session.js';
import { postTopic } from '#contract/topic.js';
import {
  IngestScene,
  type SceneGateway,
  sceneSample as sample,
  sceneBirth,
  SCENE_START as T0,
} from '#tests/support/ingest-scene.js';

const gateway: SceneGateway = { key: 'K1', epoch: 'a1a1a1a1a1a1a1a1', start: 7 };

let scene: IngestScene;
beforeEach(() => {
  scene = new IngestScene();
  scene.birth(gateway, 1);
  scene.sent.length = 0;
});
afterEach(() => scene.close());

const receive = (channel: Parameters<typeof postTopic>[2], payload: Buffer): void =>
  scene.engine.receive(postTopic('pamir', 'langar', channel), payload, false);

test('receipts, attention and replays that come from outside are counted and change nothing', () => {
  receive('receipt', encodeJson({ epoch: gateway.epoch, stored: [[1, 9]], refused: [], time: T0 }));
  receive('attention', encodeJson({ forS: 300 }));
  receive('replay', encodeJson({ at: T0, deadLetters: true }));
  expect([scene.engine.counters().topicsForeign, scene.sent, scene.store.writes]).toEqual([3, [], 0]);
});

test('an epoch or a record id that cannot be is refused as a whole, and counted', async () => {
  const samples = [sample(1, T0)];
  for (const epoch of ['', '../../../../etc/p'])
    receive('data', encodeData({ birth: 1, epoch, historical: false, samples }));
  receive('data', encodeData({ birth: 1, epoch: gateway.epoch, historical: false, samples: [sample(-5, T0)] }));
  receive('data', encodeData({ birth: 1, epoch: gateway.epoch, historical: false, samples: [sample(2 ** 53, T0)] }));
  await scene.settle();
  expect([scene.store.points.size, scene.sent]).toEqual([0, []]);
  expect(scene.engine.counters()).toMatchObject({ payloadsUnreadable: 4, deadLetters: 4 });
});

test('data under another’s epoch is receipted by the ids that it held, and by no more', async () => {
  receive(
    'data',
    encodeData({ birth: 1, epoch: 'ffffffffffffffff', historical: false, samples: [sample(7, T0), sample(9, T0 + 1)] }),
  );
  await scene.settle();
  expect(scene.sent.map(({ receipt }) => [receipt.epoch, receipt.stored])).toEqual([
    [
      'ffffffffffffffff',
      [
        [7, 7],
        [9, 9],
      ],
    ],
  ]);
  expect(scene.identities()).toEqual([]);
});

test('a birth with a number, an epoch or a key that cannot be is a dead letter, and the post goes on by its own', async () => {
  const birth = sceneBirth(gateway, 2);
  const wrong = [
    { ...birth, birth: 0 },
    { ...birth, birth: 1.5 },
    { ...birth, gateway: { ...birth.gateway, epoch: 'zz' } },
    { ...birth, gateway: { ...birth.gateway, start: -1 } },
    { ...birth, gateway: { ...birth.gateway, publicKey: 'x'.repeat(200) } },
    { ...birth, metrics: birth.metrics.map((metric) => ({ ...metric, device: '../x' })) },
  ];
  for (const message of wrong) receive('birth', encodeJson(message));
  expect(scene.engine.counters()).toMatchObject({ birthsUnreadable: wrong.length });
  scene.data(1, gateway.epoch, [sample(1, T0)]);
  await scene.settle();
  expect([scene.store.points.size, scene.engine.directory.post('langar')?.birth?.birth]).toEqual([1, 1]);
});

test('a payload of a birth that is long gone is not placed by a guess', async () => {
  for (let number = 2; number <= 30; number += 1)
    scene.birth(
      { ...gateway, metrics: number % 2 === 0 ? ['ac.voltage', 'ac.power'] : ['ac.power', 'ac.voltage'] },
      number,
    );
  scene.sent.length = 0;
  scene.data(3, gateway.epoch, [sample(1, T0)]);
  await scene.settle();
  expect([scene.store.points.size, scene.sent.map(({ receipt }) => receipt.birthNeeded)]).toEqual([0, [3]]);
});

test('a refused record is kept with all its samples; of one beyond measure it is said how many are left out', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => sample(count, T0 + i, i, 40_000));
  for (const count of [300, 600]) scene.data(1, gateway.epoch, many(count));
  await scene.settle();
  const letters = await scene.engine.deadLetters(10);
  expect(letters.map(({ record, samples, samplesLeftOut }) => [record, samples?.length, samplesLeftOut])).toEqual([
    [600, 500, 100],
    [300, 300, undefined],
  ]);
  expect(letters[1]?.samples?.[0]).toEqual({
    record: 300,
    index: 40_000,
    at: T0,
    value: 0,
    code: 0,
    refused: 'INGEST_METRIC_UNKNOWN',
  });
  expect(scene.engine.counters()).toMatchObject({ samplesRefused: 900, deadLetters: 2, deadLettersSkipped: 0 });
});
