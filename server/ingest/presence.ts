// Whether a post is there, by what it says itself and by what the broker says in its place.
import type { PostState } from '#contract/session.js';
import type { PostEntry } from './directory.js';

/** `old` where the message tells of a connection that is over already, `same` where another gateway of the post is still there. */
export type Presence = 'online' | 'offline' | 'same' | 'old';

/** Connections remembered per post. */
const CONNECTIONS_MAX = 8;

type Connections = Pick<PostEntry, 'connection' | 'openConnections' | 'identity'>;

/**
 * What a state message means for the post, with the connections in the entry brought up to date.
 *
 * An older connection number does not count: a broker may send the will of a connection that it gave up long after the
 * post is back. But a post that says itself, now, that it is online may have lost its count with its disk. And where two
 * gateways speak for one post, the going of one is not the going of the post.
 */
export function hearState(entry: Connections, message: PostState, retained: boolean): Presence {
  const { connection, state } = message;
  const open = entry.openConnections;
  if (state === 'online') {
    if (connection < entry.connection && retained) return 'old';
    entry.connection = connection;
    open.add(connection);
    if (open.size > CONNECTIONS_MAX) open.delete(Math.min(...open));
    return 'online';
  }
  const isNewest = connection >= entry.connection;
  open.delete(connection);
  if (entry.identity === undefined) {
    if (!isNewest) return 'old';
  } else {
    if (open.size > 0) return 'same';
    if (!isNewest && retained) return 'old';
  }
  entry.connection = Math.max(connection, entry.connection);
  return 'offline';
}
