// What late data adds to what live data has told already. Pure.
import type { Alarm } from '#domain/alarm.js';
import { type AlarmMemory, type JudgedTransition, memoryOf, type PostEngine } from './judge.js';
import type { PlannedAlarm } from './plan.js';
import type { Kept, Watch } from './watch.js';

/**
 * The transitions of a replay that the journal does not have yet. What a person did is there already. After the gap live
 * data has told the same story with slightly other times: each of its entries stands for one of the replay's.
 */
export function newsOf(transitions: readonly JudgedTransition[], gapTo: number, kept: Kept): JudgedTransition[] {
  const known = [...kept.transitions];
  return transitions.filter((transition) => {
    if (transition.by !== null) return false;
    const same = (other: JudgedTransition) =>
      other.alarm.id === transition.alarm.id && other.to === transition.to && other.event === transition.event;
    const index = known.findIndex(
      (other) => same(other) && (other.at === transition.at || (transition.at >= gapTo && other.at >= gapTo)),
    );
    if (index < 0) return true;
    known.splice(index, 1);
    return false;
  });
}

/**
 * The engine after a replay. Silence of the post is known to the live side only; and an alarm that live data has raised is
 * not taken back to be raised again, where the replay is only a little behind.
 */
export function mergeEngines(alarms: readonly PlannedAlarm[], live: PostEngine, replayed: PostEngine): PostEngine {
  const merged = new Map(replayed.alarms);
  for (const { id, test } of alarms) {
    const [before, after] = [memoryOf(live, id), memoryOf(replayed, id)];
    if (test.kind === 'contact' || test.kind === 'identity' || isBehind(before, after)) merged.set(id, before);
  }
  return { ...replayed, alarms: merged };
}

function isBehind(live: AlarmMemory, replayed: AlarmMemory): boolean {
  return (
    live.alarm.delayed.condition === 'true' &&
    replayed.alarm.delayed.condition !== 'true' &&
    replayed.alarm.delayed.input === 'true'
  );
}

/** Alarms whose present activation began in late data and has been told to nobody. */
export function beganLate(watch: Watch, kept: Kept): PlannedAlarm[] {
  return watch.plan.alarms.filter((planned) => {
    const { alarm } = memoryOf(watch.engine, planned.id);
    if (!waits(planned, alarm) || kept.told.has(planned.id)) return false;
    return alarm.since !== memoryOf(kept.engine, planned.id).alarm.since;
  });
}

/**
 * Nobody has seen it, and it stands. What a counter has counted is not undone when it stops rising: it stands until somebody
 * has looked, where the rule latches.
 */
function waits({ test }: PlannedAlarm, { state }: Alarm): boolean {
  return state === 'unacknowledged' || (test.kind === 'increase' && state === 'latchedUnacknowledged');
}

/** Of the alarms that wait to be told, those that are true now. One that is over, or that somebody has seen, waits no longer. */
export function dueToTell(watch: Watch): PlannedAlarm[] {
  return watch.plan.alarms.filter((planned) => {
    if (!watch.untold.has(planned.id)) return false;
    const { alarm } = memoryOf(watch.engine, planned.id);
    if (!waits(planned, alarm)) watch.untold.delete(planned.id);
    const { input } = alarm.delayed;
    return waits(planned, alarm) && (planned.test.kind === 'increase' ? input !== 'unknown' : input === 'true');
  });
}
