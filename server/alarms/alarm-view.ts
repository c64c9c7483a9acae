// An alarm as people see it, and its way into the registry and back.
import type { AlarmView, JournalEntry } from '#contract/view.js';
import { type AlarmRefusal, stepAlarm } from '#domain/alarm.js';
import type { StoredAlarm } from '../ports.js';
import type { AlarmMemory, JudgedTransition } from './judge.js';
import type { PlannedAlarm } from './plan.js';

export function viewOf(post: string, planned: PlannedAlarm, memory: AlarmMemory): AlarmView {
  const { alarm, value, limit } = memory;
  return {
    id: planned.id,
    post,
    device: planned.device,
    rule: planned.rule,
    priority: planned.priority,
    state: alarm.state,
    condition: alarm.condition,
    since: alarm.since,
    returnedAt: alarm.returnedAt,
    count: alarm.count,
    value,
    // Of a counter's increase the limit is where the counting began, which is nobody's limit.
    limit: planned.test.kind === 'increase' ? null : limit,
    unit: planned.unit,
    latching: planned.options.latching,
    acknowledgedBy: alarm.acknowledgedBy,
    acknowledgedAt: alarm.acknowledgedAt,
    comment: alarm.comment,
  };
}

export function entryOf(post: string, transition: JudgedTransition, historical: boolean): Omit<JournalEntry, 'seq'> {
  const { at, from, to, event, by, comment, alarm } = transition;
  return { at, alarm: alarm.id, post, rule: alarm.rule, from, to, event, by, comment, historical };
}

export function storedOf(id: string, memory: AlarmMemory): StoredAlarm {
  return { id, alarm: memory.alarm, value: memory.value, limit: memory.limit };
}

/** Takes a stored alarm up again. Nobody watched meanwhile, so no delay ran. */
export function memoryOfStored(stored: StoredAlarm, options: PlannedAlarm['options']): AlarmMemory {
  const at = stored.alarm.delayed.at ?? 0;
  const { alarm } = stepAlarm(stored.alarm, { type: 'input', input: 'unknown' }, at, options);
  return { alarm, value: stored.value, limit: stored.limit, beyond: alarm.delayed.condition === 'true' };
}

/** Why a command was refused, and what to do instead, for a person. */
export const REFUSALS: Readonly<Record<AlarmRefusal, string>> = {
  ALARM_NO_PERSON: 'say who you are',
  ALARM_NO_REASON: 'say why',
  ALARM_NOTHING_TO_ACKNOWLEDGE: 'there is nothing to acknowledge: somebody has done it, or the alarm is normal',
  ALARM_NOTHING_TO_RESET: 'there is nothing to reset: the alarm is not latched, or its cause is still there',
  ALARM_ACKNOWLEDGE_FIRST: 'acknowledge it first, then reset it',
  ALARM_SHELVED_TOO_LONG: 'that is longer than an alarm of this priority may be shelved',
  ALARM_NOT_SHELVED: 'it is not shelved',
  ALARM_NOT_OUT_OF_SERVICE: 'it is not out of service',
  ALARM_SET_ASIDE: 'it has been set aside; bring it back first',
  ALARM_LATCHED: 'it is latched; reset it first',
};
