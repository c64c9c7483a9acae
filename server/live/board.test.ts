import { expect, test } from 'vitest';
import { FakeAlarms, FakeIngest, KYZYL_ART, meterBirth, NOON } from '#tests/api/fake-server.js';
import { emptyTotals } from '../rollup/totals-reader.js';
import { createLiveBoard } from './board.js';

test('a gateway in doubt is told to every screen, without its keys, until it is settled', () => {
  const empty = emptyTotals({ from: NOON, to: NOON }, 'UTC');
  const totals = {
    ofPost: () => ({ today: empty, month: empty }),
    ofFleet: () => ({ today: empty, month: empty }),
    subscribe: () => () => {},
  };
  const ingest = new FakeIngest();
  ingest.bear('kyzyl-art', meterBirth(), NOON);
  const board = createLiveBoard({ posts: [KYZYL_ART], ingest, alarms: new FakeAlarms(), totals });
  expect(board.summary('kyzyl-art')).not.toHaveProperty('identity');
  const key = { key: 'MCowBQYDK2VwAyEA', firstSeenAt: NOON, accepted: false };
  const identity = { kind: 'restored', kinds: ['restored'], since: NOON, lastAt: NOON + 5, keys: [key, key] } as const;
  const told = (raised: boolean) => {
    const before = board.seq();
    const stands = raised ? identity : undefined;
    ingest.know('kyzyl-art', { identity: stands });
    ingest.emit({ type: 'identity', post: 'kyzyl-art', at: NOON, kind: 'restored', raised, identity: stands });
    return board.changes({ page: 'alarms' }, before).posts;
  };
  expect(told(true)).toMatchObject([{ identity: { kinds: ['restored'], since: NOON, lastAt: NOON + 5, keys: 2 } }]);
  expect(JSON.stringify(board.summary('kyzyl-art'))).not.toContain(key.key);
  const [settled] = told(false);
  expect(settled?.id).toBe('kyzyl-art');
  expect(settled).not.toHaveProperty('identity');
});
