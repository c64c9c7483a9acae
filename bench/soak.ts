// Long runs with a seed: hostile payloads at the wire's door, hostile frames at the serial line's. `--count N --seed N`.
import { parseArgs } from 'node:util';
import { decodeData, encodeData } from '#contract/data.js';
import { findAnswer, shapeOf } from '#gateway/bus/rtu-frame.js';
import { printTable } from './table.js';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const count = Number(values.count);
let state = Number(values.seed) >>> 0;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 4_294_967_296;
};
const below = (limit: number): number => Math.floor(random() * limit);

const honest = encodeData({
  birth: 1,
  epoch: '00112233445566aa',
  historical: false,
  samples: Array.from({ length: 60 }, (_, index) => ({
    record: 1,
    index,
    at: 1_750_000_000_000,
    value: index / 10,
    code: 0,
  })),
});
const answered = { payloads: 0, opened: 0, frames: 0, believed: 0 };
for (let run = 0; run < count; run += 1) {
  const bytes = run % 2 === 0 ? Buffer.from(honest) : Buffer.from(Array.from({ length: below(64) }, () => below(256)));
  for (let flips = below(4); flips > 0 && bytes.length > 0; flips -= 1) bytes[below(bytes.length)] = below(256);
  answered.payloads += 1;
  if (decodeData(bytes).ok) answered.opened += 1;
}
const shape = shapeOf({ unit: 1, table: 'holding', count: 10 });
for (let run = 0; run < count; run += 1) {
  const frame = Uint8Array.from({ length: below(40) }, () => below(256));
  if (run % 2 === 0 && frame.length > 3) frame.set([1, 3, 20]);
  answered.frames += 1;
  const found = findAnswer(frame, [shape]);
  if (found !== undefined && 'answer' in found) answered.believed += 1;
}
printTable(
  `Seed ${values.seed}: nothing threw`,
  ['what', 'tried', 'taken for good'],
  [
    ['payloads, honest ones with up to 3 bytes changed and noise', answered.payloads, answered.opened],
    ['RTU frames of noise', answered.frames, answered.believed],
  ],
);
