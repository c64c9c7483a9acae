// Which posts there are, what they have, and whether they are there.
import type { Birth, PostState } from '#contract/session.js';
import type { IdentityConflict } from './identity.js';
import type { BirthIndex } from './ingest.js';

export interface KnownPost {
  readonly id: string;
  readonly birth: Birth | undefined;
  readonly link: 'online' | 'offline' | 'unknown';
  /** When anything was last received from it, by the server's clock. */
  readonly lastContactAt: number | null;
  /** Source time of its newest live sample. */
  readonly lastSampleAt: number | null;
  /** Late data is arriving. */
  readonly backfilling: boolean;
  /** More than one gateway seems to speak in its name, until a person or time settles it. */
  readonly identity?: IdentityConflict | undefined;
}

export interface Directory {
  posts(): readonly KnownPost[];
  post(id: string): KnownPost | undefined;
}

/** A post as the ingest keeps it. */
export interface PostEntry extends KnownPost {
  birth: Birth | undefined;
  link: KnownPost['link'];
  lastContactAt: number | null;
  lastSampleAt: number | null;
  backfilling: boolean;
  identity: IdentityConflict | undefined;
  index: BirthIndex | undefined;
  /** Highest connection number heard of; -1 before the first. */
  connection: number;
  /** Monotonic time of the last request for a birth. */
  birthAskedAt: number | undefined;
}

export interface MutableDirectory extends Directory {
  posts(): readonly PostEntry[];
  post(id: string): PostEntry | undefined;
  /** The post's entry, made when there is none; `undefined` when there are too many. */
  admit(id: string): PostEntry | undefined;
}

export function createDirectory(postsMax: number): MutableDirectory {
  const entries = new Map<string, PostEntry>();
  return {
    posts: () => [...entries.values()],
    post: (id) => entries.get(id),
    admit(id) {
      const present = entries.get(id);
      if (present !== undefined || entries.size >= postsMax) return present;
      const entry: PostEntry = {
        id,
        birth: undefined,
        link: 'unknown',
        lastContactAt: null,
        lastSampleAt: null,
        backfilling: false,
        identity: undefined,
        index: undefined,
        connection: -1,
        birthAskedAt: undefined,
      };
      entries.set(id, entry);
      return entry;
    },
  };
}

/**
 * Whether a state message counts. One with an older connection number does not: a broker may send the will of a connection
 * that it gave up long after the post is back. But a post that says itself, now, that it is online may have lost its count
 * with its disk.
 */
export function stateCounts(entry: Pick<PostEntry, 'connection'>, message: PostState, retained: boolean): boolean {
  return message.connection >= entry.connection || (message.state === 'online' && !retained);
}
