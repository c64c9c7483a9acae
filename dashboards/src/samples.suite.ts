// Posts, alarms and messages as the server would send them. For tests only.
import type { Snapshot } from '#contract/live.js';
import type { AlarmView, Figure, PostSummary } from '#contract/view.js';

export const NOW = Date.UTC(2026, 10, 24, 8);

export function figure(value: number | null, ageMs = 1000, code = 0): Figure {
  return { value, code, at: NOW - ageMs };
}

export function post(id: string, over: Partial<PostSummary> = {}): PostSummary {
  return {
    id,
    name: id.toUpperCase(),
    link: 'online',
    lastSampleAt: NOW - 1000,
    lastContactAt: NOW - 1000,
    backfilling: false,
    registered: true,
    flows: {},
    today: null,
    alarms: { p1: 0, p2: 0, p3: 0, unacknowledged: 0 },
    ...over,
  };
}

export function alarm(id: string, over: Partial<AlarmView> = {}): AlarmView {
  const [postId = '', rule = '', device] = id.split('/');
  return {
    id,
    post: postId,
    device: device ?? null,
    rule,
    priority: 1,
    state: 'unacknowledged',
    condition: 'true',
    since: NOW - 60_000,
    returnedAt: null,
    count: 1,
    value: null,
    limit: null,
    unit: null,
    latching: false,
    acknowledgedBy: null,
    acknowledgedAt: null,
    comment: null,
    ...over,
  };
}

export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  return {
    t: 'snapshot',
    session: 's',
    view: { page: 'fleet' },
    seq: 1,
    now: NOW,
    posts: [],
    alarms: [],
    values: [],
    devices: [],
    metrics: [],
    facts: null,
    ...over,
  };
}
