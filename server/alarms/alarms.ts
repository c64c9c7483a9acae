// The alarms as the rest of the server sees them.
import type { AlarmView } from '#contract/view.js';
import type { AlarmRefusal } from '#domain/alarm.js';
import type { Result } from '#domain/result.js';

/** `ALARM_UNKNOWN`: no alarm has this id. The others: its state does not allow it; `message` says why. */
export interface AlarmFault {
  readonly code: 'ALARM_UNKNOWN' | AlarmRefusal;
  readonly message: string;
}

/** Reading side: what screens need. */
export interface AlarmReader {
  /** Every alarm of a post, or of the fleet; also the normal ones. */
  views(post?: string): readonly AlarmView[];
  /** Calls the listener with every alarm that changed, whole. */
  subscribe(listener: (changed: readonly AlarmView[]) => void): () => void;
}

export interface AlarmCommandRequest {
  /** `post/rule/device`. */
  readonly alarm: string;
  /** The person's name. */
  readonly by: string;
  readonly comment?: string | undefined;
}

export interface Alarms extends AlarmReader {
  acknowledge(request: AlarmCommandRequest): Result<AlarmView, AlarmFault>;
  /** Lets go of a latched alarm whose condition is gone and that somebody has acknowledged. */
  reset(request: AlarmCommandRequest): Result<AlarmView, AlarmFault>;
  counters(): Readonly<Record<string, number>>;
}
