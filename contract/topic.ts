// The one place that knows how topics are spelled.
import { isIdentifier } from '#domain/identifier.js';
import { WIRE_VERSION } from './version.js';

const ROOT = `oftob/${WIRE_VERSION}`;

export const POST_CHANNELS = ['birth', 'state', 'data', 'receipt', 'attention', 'replay'] as const;
/** What flows between one post and the server. The first three come from the post, the others from the server. */
export type PostChannel = (typeof POST_CHANNELS)[number];

export function postTopic(fleet: string, post: string, channel: PostChannel): string {
  return `${ROOT}/${fleet}/${post}/${channel}`;
}

/** Where the server says that it is there. A post cannot be called `server`: the level below tells them apart. */
export function serverTopic(fleet: string): string {
  return `${ROOT}/${fleet}/server`;
}

/** What the server subscribes to: births, states and data of every post. */
export function postTopicFilters(fleet: string): string[] {
  return [`${ROOT}/${fleet}/+/birth`, `${ROOT}/${fleet}/+/state`, `${ROOT}/${fleet}/+/data`];
}

export interface PostTopic {
  readonly fleet: string;
  readonly post: string;
  readonly channel: PostChannel;
}

/** The parts of a post's topic; `undefined` for any other. */
export function parsePostTopic(topic: string): PostTopic | undefined {
  const [root, version, fleet, post, channel, ...rest] = topic.split('/');
  if (root !== 'oftob' || version !== String(WIRE_VERSION) || rest.length > 0) return undefined;
  if (fleet === undefined || post === undefined || !isIdentifier(fleet) || !isIdentifier(post)) return undefined;
  const known = POST_CHANNELS.find((name) => name === channel);
  return known === undefined ? undefined : { fleet, post, channel: known };
}
