import { expect, test } from 'vitest';
import { mayPublish, maySubscribe, type Party, partyOf } from './topic-rules.js';

const post: Party = { kind: 'post', post: 'langar' };
const server: Party = { kind: 'server' };

test('a client id says who it is, also where names hold hyphens', () => {
  expect(partyOf('pamir', 'post-pamir-langar')).toEqual(post);
  expect(partyOf('pamir-east', 'post-pamir-east-kyzyl-art')).toEqual({ kind: 'post', post: 'kyzyl-art' });
  expect(partyOf('pamir', 'post-pamir-langar.0123abcd')).toEqual(post);
  expect(partyOf('pamir', 'server-pamir')).toEqual(server);
  for (const id of [
    '',
    'mqttjs_1',
    'post-other-langar',
    'post-pamir-',
    'post-pamir-Langar',
    'server-other',
    'post-pamir-a/b',
    'post-pamir-langar.',
    'post-pamir-langar.0123ABCD',
    'post-pamir-langar.0123abcd0',
    'post-pamir-langar.0123abcd.0123abcd',
    'post-pamir-.0123abcd',
    'server-pamir.0123abcd',
  ])
    expect(partyOf('pamir', id)).toBeUndefined();
});

test('a post speaks under its own name only, and not with the server’s voice', () => {
  for (const channel of ['birth', 'state', 'data'])
    expect(mayPublish('pamir', post, `oftob/1/pamir/langar/${channel}`)).toBe(true);
  for (const topic of [
    'oftob/1/pamir/kyzyl-art/data',
    'oftob/1/other/langar/data',
    'oftob/2/pamir/langar/data',
    'oftob/1/pamir/langar/receipt',
    'oftob/1/pamir/langar/attention',
    'oftob/1/pamir/server',
    '$SYS/x',
  ])
    expect(mayPublish('pamir', post, topic)).toBe(false);
});

test('the server speaks to the posts, and not for them', () => {
  for (const topic of ['oftob/1/pamir/server', 'oftob/1/pamir/langar/receipt', 'oftob/1/pamir/langar/attention'])
    expect(mayPublish('pamir', server, topic)).toBe(true);
  expect(mayPublish('pamir', server, 'oftob/1/pamir/langar/data')).toBe(false);
});

test('a post hears what is for it; wildcards and shared subscriptions are for nobody but the server', () => {
  for (const filter of ['oftob/1/pamir/server', 'oftob/1/pamir/langar/receipt', 'oftob/1/pamir/langar/attention'])
    expect(maySubscribe('pamir', post, filter)).toBe(true);
  for (const filter of [
    '#',
    'oftob/1/pamir/#',
    'oftob/1/pamir/+/data',
    'oftob/1/pamir/+/receipt',
    'oftob/1/pamir/kyzyl-art/receipt',
    '$share/x/oftob/1/pamir/langar/receipt',
  ])
    expect(maySubscribe('pamir', post, filter)).toBe(false);
  expect(maySubscribe('pamir', server, 'oftob/1/pamir/+/data')).toBe(true);
  for (const filter of ['#', '$share/x/oftob/1/pamir/+/data', 'oftob/1/other/+/data'])
    expect(maySubscribe('pamir', server, filter)).toBe(false);
});
