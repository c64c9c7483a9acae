// A program for a test to kill: writes lots of points to the embedded store in a folder, and says on its output how many
// points are confirmed, at once, one line for each write.
import { writeSync } from 'node:fs';
import { openEmbeddedStoreHere } from '#server/store/embedded-store.js';
import { pointsOf } from './counted-points.js';

const [, , folder = '', first = '0'] = process.argv;
const store = openEmbeddedStoreHere({ folder });
if (!store.ok) throw new Error(store.fault.message);
for (let count = Number(first); ; ) {
  const size = 1 + ((count * 7919) % 997);
  const written = await store.value.write(pointsOf(count, size));
  if (!written.ok) throw new Error(written.fault.message);
  count += size;
  writeSync(1, `${count}\n`);
}
