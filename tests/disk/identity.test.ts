import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openIdentity, openRisingNumber } from '#gateway/identity.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { describeOnSmallDisks } from './on-small-disks.js';

describeOnSmallDisks('who a gateway is, on a full disk', import.meta.url, () => {
  test('a key that cannot be made is a fault with a code, and is made when there is room', () => {
    const disk = mountSmallDisk(2);
    disk.fill();
    expect(openIdentity(join(disk.folder, 'data'))).toMatchObject({
      ok: false,
      fault: { code: 'IDENTITY_UNWRITABLE' },
    });
    disk.clear();
    expect(openIdentity(join(disk.folder, 'data')).ok).toBe(true);
  });

  test('a key that is there is read', () => {
    const disk = mountSmallDisk(2);
    const before = openIdentity(disk.folder);
    disk.fill();
    const after = openIdentity(disk.folder);
    expect(after.ok && after.value.publicKey).toBe(before.ok && before.value.publicKey);
  });

  test('a running gateway gets its next number, and the number before is not half overwritten', () => {
    const disk = mountSmallDisk(2);
    const file = join(disk.folder, 'connection-number');
    const numbers = openRisingNumber(file, 1);
    const first = numbers.next(0);
    disk.fill();
    const second = numbers.next(0);
    expect(second).toBeGreaterThan(first);
    expect(openRisingNumber(file, 1).next(0)).toBeGreaterThan(first);
    disk.clear();
    const third = numbers.next(0);
    expect(third).toBeGreaterThan(second);
    expect(openRisingNumber(file, 1).next(0)).toBeGreaterThan(third);
  });
});
