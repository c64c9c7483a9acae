// What the alarm service remembers of one post: its plan, its engine, and the state to judge late data from.
import type { Birth } from '#contract/session.js';
import type { KnownPost } from '../ingest/directory.js';
import type { Point } from '../ports.js';
import { EMPTY_ENGINE, type JudgedTransition, type PostEngine } from './judge.js';
import type { AlarmPlan } from './plan.js';
import type { Command } from './replay.js';

/** The engine as it was when live data stopped, and what has happened since. */
export interface Kept {
  engine: PostEngine;
  /** From when on data may be judged anew: the last live sample then, or the earliest late one. null before both. */
  from: number | null;
  readonly commands: Command[];
  /** What has been written into the journal since. */
  readonly transitions: JudgedTransition[];
  /** Alarms that people have been told of since. */
  readonly told: Set<string>;
  /** Monotonic time since which live data flows and no late data came; null while there is none. */
  idleSince: number | null;
}

export interface Watch {
  readonly post: string;
  birth: Birth | undefined;
  plan: AlarmPlan;
  engine: PostEngine;
  /** The newest live sample, and when it was heard, by the monotonic clock. */
  source: { readonly at: number; readonly heardAt: number } | null;
  kept: Kept | null;
  /** Alarms found in late data that will be told when they turn out to be true now. */
  readonly untold: Set<string>;
  /** Late data that could not be read, and when (monotonic) to try again. */
  again: { readonly from: number; readonly to: number; readonly dueAt: number } | null;
  /** Live points that come while late data is being judged. */
  during: Point[] | null;
}

/** Late data follows soon after the link is back; a post that sends none has none. */
const KEPT_MS = 15 * 60_000;
/** A sample needs a moment from its poll to the server. */
const TRANSPORT_MS = 1000;

export function newWatch(post: string, birth: Birth | undefined, plan: AlarmPlan): Watch {
  return {
    post,
    birth,
    plan,
    engine: EMPTY_ENGINE,
    source: null,
    kept: null,
    untold: new Set(),
    again: null,
    during: null,
  };
}

/** Keeps the present state, unless an earlier one is kept already: that one is then kept for the new gap as well. */
export function keepState(watch: Watch): void {
  if (watch.kept !== null) {
    watch.kept.idleSince = null;
    return;
  }
  watch.kept = {
    engine: watch.engine,
    from: watch.source?.at ?? null,
    commands: [],
    transitions: [],
    told: new Set(),
    idleSince: null,
  };
}

/** True while late data may still come for a kept state. */
export function isHeld(kept: Kept, post: KnownPost | undefined, monotonic: number): boolean {
  if (post?.backfilling === true || post?.link === 'offline' || kept.idleSince === null) return true;
  return monotonic - kept.idleSince < KEPT_MS;
}

/**
 * The post's own time now, as far as its last sample tells. A change that matters is sent at once, so that no news means
 * no change; but not before it can have arrived.
 */
export function sourceTime(watch: Watch, monotonic: number): number | undefined {
  if (watch.source === null) return undefined;
  return watch.source.at + Math.max(0, Math.floor(monotonic - watch.source.heardAt - TRANSPORT_MS));
}

/** Transitions that are remembered beside a kept state. Beyond it a journal entry may come a second time, as historical. */
const TRANSITIONS_MAX = 5000;

/** Notes what the journal has; false when there is no room. */
export function remember(kept: Kept, transitions: readonly JudgedTransition[]): boolean {
  if (kept.transitions.length + transitions.length > TRANSITIONS_MAX) return false;
  kept.transitions.push(...transitions);
  return true;
}
