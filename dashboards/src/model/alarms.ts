// The alarm list: what waits for a person first.
import type { AlarmView } from '#contract/view.js';

/** Waits for a person to say "I have seen it". */
export function isUnacknowledged(alarm: AlarmView): boolean {
  return alarm.state === 'unacknowledged' || alarm.state === 'returned' || alarm.state === 'latchedUnacknowledged';
}

/** Set aside by a person or by a rule: shown, but it asks for nobody. */
export function isSetAside(alarm: AlarmView): boolean {
  return alarm.state === 'shelved' || alarm.state === 'suppressed' || alarm.state === 'outOfService';
}

/** Counts among the post's alarms. */
export function isCounted(alarm: AlarmView): boolean {
  return alarm.state !== 'normal' && !isSetAside(alarm);
}

/** Its cause is gone: `returned` and the latched states. */
export function isOver(alarm: AlarmView): boolean {
  return alarm.state === 'returned' || alarm.state === 'latchedUnacknowledged' || alarm.state === 'latchedAcknowledged';
}

/** The order that a person can give now; null where none makes sense. */
export function orderFor(alarm: AlarmView): 'acknowledge' | 'reset' | null {
  if (isUnacknowledged(alarm)) return 'acknowledge';
  return alarm.state === 'latchedAcknowledged' ? 'reset' : null;
}

/** By priority, then those that wait for a person, then those still true, then the newest. */
export function bySeverity(one: AlarmView, other: AlarmView): number {
  return (
    one.priority - other.priority ||
    Number(isUnacknowledged(other)) - Number(isUnacknowledged(one)) ||
    Number(isOver(one)) - Number(isOver(other)) ||
    (other.since ?? 0) - (one.since ?? 0) ||
    (one.id < other.id ? -1 : 1)
  );
}

export interface AlarmGroups {
  readonly toAcknowledge: readonly AlarmView[];
  readonly active: readonly AlarmView[];
  readonly setAside: readonly AlarmView[];
}

/** Alarms of the fleet, or of one post, in the order in which they ask for attention. */
export function alarmGroups(alarms: Iterable<AlarmView>, post?: string): AlarmGroups {
  const shown = [...alarms].filter((alarm) => alarm.state !== 'normal' && (post === undefined || alarm.post === post));
  shown.sort(bySeverity);
  return {
    toAcknowledge: shown.filter(isUnacknowledged),
    active: shown.filter((alarm) => isCounted(alarm) && !isUnacknowledged(alarm)),
    setAside: shown.filter(isSetAside),
  };
}
