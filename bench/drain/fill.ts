// Fills an outbox with what a post records by exception in days without a link: one day from the simulated post, again and
// again with its times moved.
import { join } from 'node:path';
import type { RecordDraft } from '#gateway/outbox/outbox.js';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import type { WirePost } from '../wire/posts.js';
import { VirtualPost } from '../wire/virtual-post.js';

const DAY_MS = 86_400_000;
const DRAFTS_PER_APPEND = 500;

export interface Filled {
  readonly records: number;
  readonly samples: number;
  readonly seconds: number;
}

/** What the post records in a day without a link. */
async function recordDay(post: WirePost, startAt: number): Promise<RecordDraft[]> {
  const drafts: RecordDraft[] = [];
  const running = new VirtualPost({ post, full: false, startAt, record: (draft) => drafts.push(draft) });
  running.cutLink(true);
  await running.live(DAY_MS);
  await running.close();
  return drafts.filter(({ at }) => at < startAt + DAY_MS);
}

/** Puts the days before `until` into the outbox of the folder. */
export async function fillOutbox(post: WirePost, folder: string, days: number, until: number): Promise<Filled> {
  const startAt = until - days * DAY_MS;
  const drafts = await recordDay(post, startAt);
  const opened = openSqliteOutbox({ file: join(folder, 'outbox.sqlite') });
  if (!opened.ok) throw new Error(opened.fault.message);
  const outbox = opened.value;
  const startedAt = performance.now();
  let [records, samples] = [0, 0];
  for (let day = 0; day < days; day += 1)
    for (let from = 0; from < drafts.length; from += DRAFTS_PER_APPEND) {
      const moved = drafts.slice(from, from + DRAFTS_PER_APPEND).map((draft) => moveDraft(draft, day * DAY_MS));
      const stored = outbox.append(moved);
      if (!stored.ok) throw new Error(stored.fault.message);
      records += moved.length;
      samples += moved.reduce((sum, draft) => sum + draft.samples.length, 0);
    }
  outbox.close();
  return { records, samples, seconds: (performance.now() - startedAt) / 1000 };
}

function moveDraft(draft: RecordDraft, ms: number): RecordDraft {
  return {
    offline: true,
    at: draft.at + ms,
    samples: draft.samples.map((sample) => ({ ...sample, at: sample.at + ms })),
  };
}
