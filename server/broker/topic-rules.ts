// Who may say and hear what: a post its own topics, the server those of its fleet.
import { type PostChannel, parsePostTopic, postTopic, postTopicFilters, serverTopic } from '#contract/topic.js';
import { isIdentifier } from '#domain/identifier.js';

export type Party = { readonly kind: 'server' } | { readonly kind: 'post'; readonly post: string };

/** What a gateway's start adds to its client id: part of its epoch, so that two gateways of one post do not throw each other out. */
const START_SUFFIX = /\.[0-9a-f]{8}$/;

/** Who a client id says that it is (`post-<fleet>-<post>` or `post-<fleet>-<post>.<8 hex>`); `undefined` for anybody else, who may not connect. */
export function partyOf(fleet: string, clientId: string): Party | undefined {
  if (clientId === `server-${fleet}`) return { kind: 'server' };
  const prefix = `post-${fleet}-`;
  if (!clientId.startsWith(prefix)) return undefined;
  const post = clientId.slice(prefix.length).replace(START_SUFFIX, '');
  return isIdentifier(post) ? { kind: 'post', post } : undefined;
}

const FROM_POST: readonly PostChannel[] = ['birth', 'state', 'data'];
const TO_POST: readonly PostChannel[] = ['receipt', 'attention', 'replay'];

export function mayPublish(fleet: string, party: Party, topic: string): boolean {
  const address = parsePostTopic(topic);
  if (party.kind === 'post')
    return address?.fleet === fleet && address.post === party.post && FROM_POST.includes(address.channel);
  return topic === serverTopic(fleet) || (address?.fleet === fleet && TO_POST.includes(address.channel));
}

/** Nobody but the server gets wildcards; shared subscriptions, which the broker would grant and never serve, nobody. */
export function maySubscribe(fleet: string, party: Party, filter: string): boolean {
  if (filter === serverTopic(fleet)) return true;
  if (party.kind === 'server') return postTopicFilters(fleet).includes(filter);
  return TO_POST.some((channel) => filter === postTopic(fleet, party.post, channel));
}
