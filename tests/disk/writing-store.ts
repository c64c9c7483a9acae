// A program to kill: writes lots of points to the embedded store in a folder, and says on its output, at once and a line each, how
// many are confirmed, and when it begins and ends to seal and compact. Now and then it writes some again, as a post does.
import { writeSync } from 'node:fs';
import { openEmbeddedStore } from '#server/store/embedded-store.js';
import { pointsOf, sizeOf } from './counted-points.js';

const [, , folder = '', first = '0', sealEvery = '0'] = process.argv;
const opened = await openEmbeddedStore({ folder });
if (!opened.ok) throw new Error(opened.fault.message);
const store = opened.value;
const say = (word: string | number): void => void writeSync(1, `${word}\n`);

async function put(from: number, size: number): Promise<void> {
  const written = await store.write(pointsOf(from, size));
  if (!written.ok) throw new Error(written.fault.message);
}

let writes = 0;
for (let count = Number(first); ; writes += 1) {
  const size = sizeOf(count);
  await put(count, size);
  count += size;
  say(count);
  if (writes % 5 === 4) await put(Math.max(0, count - 3000), 500);
  if (Number(sealEvery) === 0 || writes % Number(sealEvery) !== 0) continue;
  say('sealing');
  // Far from now: every day is compacted too.
  await store.seal(Number.MAX_SAFE_INTEGER / 2);
  say('sealed');
}
