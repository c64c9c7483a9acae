import { mkdirSync, readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { outbox as command } from '#cli/outbox.js';
import { describeOnSmallDisks } from '../disk/on-small-disks.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { backlog, makePostFolder, NOON, type PostFolder } from './post-folder.js';

let post: PostFolder | undefined;
afterEach(() => post?.remove());

describeOnSmallDisks('a stick that runs full', import.meta.url, () => {
  test.each([0, 12_000])('with %i bytes free: is told in one line, and nothing is left on it', async (freeBytes) => {
    post = makePostFolder();
    mkdirSync(post.config.dataFolder);
    const pending = post.withOutbox((opened) => {
      opened.append(backlog(NOON, 20_000));
      return opened.status().pendingRecords;
    });
    const stick = mountSmallDisk(1);
    stick.fill(freeBytes);
    const before = stick.freeBytes();
    const result = await command.run({ config: post.configFile, to: stick.folder }, ['export']);
    expect(result).toMatchObject({ ok: false, fault: { code: 'CARRY_DISK_FULL' } });
    expect(readdirSync(stick.folder)).toEqual(['foreign']);
    expect(stick.freeBytes()).toBe(before);
    expect(post.withOutbox((opened) => opened.status().pendingRecords)).toBe(pending);
  });
});
