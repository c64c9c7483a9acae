// The fleet page: which post needs somebody first.
import type { AlarmView, PostSummary } from '#contract/view.js';
import { bySeverity, isCounted, isUnacknowledged } from './alarms.js';

/** `silent` stands apart from `bad`: of a silent post nothing is known, and that is no verdict on its battery. */
export type Standing = 'bad' | 'silent' | 'fine';

export interface FleetRow {
  readonly post: PostSummary;
  readonly standing: Standing;
  /** Highest priority that counts; null without alarms. */
  readonly priority: 1 | 2 | 3 | null;
  /** The worst first. The browser may know fewer than `post.alarms` counts. */
  readonly alarms: readonly AlarmView[];
}

export interface FleetView {
  readonly bad: readonly FleetRow[];
  readonly silent: readonly FleetRow[];
  readonly fine: readonly FleetRow[];
  readonly counts: {
    readonly posts: number;
    readonly p1: number;
    readonly p2: number;
    readonly p3: number;
    readonly silent: number;
    readonly unacknowledged: number;
  };
}

function rowOf(post: PostSummary, alarms: readonly AlarmView[]): FleetRow {
  const { p1, p2, p3 } = post.alarms;
  const priority = p1 > 0 ? 1 : p2 > 0 ? 2 : p3 > 0 ? 3 : null;
  const standing = post.link !== 'online' ? 'silent' : priority === null ? 'fine' : 'bad';
  return { post, standing, priority, alarms };
}

/**
 * Posts by need. Bad ones: by highest priority, then those where such an alarm
 * waits for a person, then by how many wait and are active, then by lowest battery. Silent ones: the
 * shortest silence first, so that a new one is seen above those that have been dead for weeks. Fine ones: by name.
 */
export function fleetView(posts: Iterable<PostSummary>, alarms: Iterable<AlarmView>): FleetView {
  const ofPost = new Map<string, AlarmView[]>();
  for (const alarm of alarms) {
    if (!isCounted(alarm)) continue;
    ofPost.set(alarm.post, [...(ofPost.get(alarm.post) ?? []), alarm]);
  }
  const rows = [...posts].map((post) => rowOf(post, (ofPost.get(post.id) ?? []).sort(bySeverity)));
  const of = (standing: Standing): FleetRow[] => rows.filter((row) => row.standing === standing);
  const sum = (key: 'p1' | 'p2' | 'p3' | 'unacknowledged'): number =>
    rows.reduce((total, row) => total + row.post.alarms[key], 0);
  return {
    bad: of('bad').sort((one, other) => compareBad(one, other) || compareName(one, other)),
    silent: of('silent').sort((one, other) => compareSilent(one, other) || compareName(one, other)),
    fine: of('fine').sort(compareName),
    counts: {
      posts: rows.length,
      p1: sum('p1'),
      p2: sum('p2'),
      p3: sum('p3'),
      silent: rows.filter((row) => row.standing === 'silent').length,
      unacknowledged: sum('unacknowledged'),
    },
  };
}

function compareName(one: FleetRow, other: FleetRow): number {
  return one.post.name < other.post.name ? -1 : one.post.name > other.post.name ? 1 : 0;
}

function compareSilent(one: FleetRow, other: FleetRow): number {
  return (other.post.lastContactAt ?? 0) - (one.post.lastContactAt ?? 0);
}

function compareBad(one: FleetRow, other: FleetRow): number {
  const { p1, p2, p3, unacknowledged } = one.post.alarms;
  const its = other.post.alarms;
  return (
    (one.priority ?? 4) - (other.priority ?? 4) ||
    Number(isWaiting(other)) - Number(isWaiting(one)) ||
    its.unacknowledged - unacknowledged ||
    its.p1 - p1 ||
    its.p2 - p2 ||
    its.p3 - p3 ||
    chargeOf(one) - chargeOf(other)
  );
}

/** One of its worst alarms waits for a person. */
export function isWaiting(row: FleetRow): boolean {
  return row.alarms.some((alarm) => alarm.priority === row.priority && isUnacknowledged(alarm));
}

function chargeOf(row: FleetRow): number {
  const value = row.post.flows.batterySoc?.value;
  return typeof value === 'number' ? value : 101;
}

/** Rows whose name or id contains what was typed. */
export function matching(rows: readonly FleetRow[], typed: string): readonly FleetRow[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === '') return rows;
  return rows.filter(({ post }) => post.id.includes(wanted) || post.name.toLowerCase().includes(wanted));
}
