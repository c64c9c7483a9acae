// Which posts there are, what they have, and whether they are there.
import type { Birth } from '#contract/session.js';
import { type BirthShelf, createBirthShelf } from './birth-shelf.js';
import type { IdentityConflict } from './identity.js';

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
  /** What data is placed by. */
  births: BirthShelf;
  /** Highest connection number heard of; -1 before the first. */
  connection: number;
  /** Connections that were told to be there, and not yet to be gone. */
  readonly openConnections: Set<number>;
  /** Monotonic times of the last requests for births, by their numbers. */
  readonly birthsAskedAt: Map<number, number>;
}

export interface MutableDirectory extends Directory {
  posts(): readonly PostEntry[];
  post(id: string): PostEntry | undefined;
  /** The post's entry, made when there is none; `undefined` when there are too many. */
  admit(id: string): PostEntry | undefined;
}

/** Births remembered per post: those of a few gateways, and of a few starts of each. */
export const BIRTHS_MAX = 8;

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
        births: createBirthShelf(BIRTHS_MAX),
        connection: -1,
        openConnections: new Set(),
        birthsAskedAt: new Map(),
      };
      entries.set(id, entry);
      return entry;
    },
  };
}
