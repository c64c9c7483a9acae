// The directory as the registry remembers it.
import type { Registry } from '../ports.js';
import { createBirthShelf } from './birth-shelf.js';
import { BIRTHS_MAX, type MutableDirectory } from './directory.js';
import type { IdentityWatch } from './identity-watch.js';
import { indexBirth } from './ingest.js';

export function loadPosts(
  registry: Pick<Registry, 'births' | 'identities' | 'placings' | 'postStates'>,
  directory: MutableDirectory,
  identity: Pick<IdentityWatch, 'load'>,
): void {
  for (const { post, placings } of registry.placings()) {
    const entry = directory.admit(post);
    if (entry !== undefined) entry.births = createBirthShelf(BIRTHS_MAX, placings);
  }
  for (const { post, birth, receivedAt } of registry.births()) {
    const entry = directory.admit(post);
    const placing = indexBirth(birth);
    if (entry === undefined || !placing.ok) continue;
    entry.births.take(placing.value);
    Object.assign(entry, { birth, lastContactAt: receivedAt });
  }
  for (const { post, state, connection, at } of registry.postStates()) {
    const entry = directory.admit(post);
    if (entry === undefined) continue;
    // A post that was there when the server stopped may be anywhere now.
    Object.assign(entry, { connection, link: state === 'offline' ? 'offline' : 'unknown' });
    entry.lastContactAt = Math.max(at, entry.lastContactAt ?? at);
  }
  for (const { post, facts } of registry.identities()) {
    const entry = directory.admit(post);
    if (entry !== undefined) identity.load(entry, facts);
  }
}
