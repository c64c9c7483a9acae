// Tells people of alarms: words each announcement, and keeps it until its channel has taken it.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { Announcement } from '../alarms/alarm-service.js';
import type { Log } from '../ingest/log.js';
import type { NoticeChannel } from '../ports.js';

/** What a person reads of a rule. */
export interface NoticeText {
  readonly title: string;
  readonly meaning: string;
  readonly action: string;
}

export interface NotifierDeps {
  readonly channel: NoticeChannel;
  /** Alarms of this priority and above (1 is highest) are told. */
  readonly minPriority: 1 | 2 | 3;
  readonly textOf: (rule: string) => NoticeText | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly limits?: Partial<NotifierLimits>;
}

export interface NotifierLimits {
  /** Notices that wait; beyond it the least important, then oldest one is dropped. */
  readonly waitingMax: number;
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** After so long a notice is of no use. */
  readonly ageMsMax: number;
}

const LIMITS: NotifierLimits = {
  waitingMax: 200,
  retryMs: 15_000,
  retryMsMax: 15 * 60_000,
  ageMsMax: 24 * 3_600_000,
};

export interface Notifier {
  announce(announcement: Announcement): void;
  counters(): Readonly<Record<string, number>>;
  /** Stops trying. What still waits is counted as dropped; a send in progress is left to end by itself. */
  stop(): void;
}

interface Waiting {
  readonly announcement: Announcement;
  readonly since: number;
}

export function createNotifier(deps: NotifierDeps): Notifier {
  const limits = { ...LIMITS, ...deps.limits };
  const waiting: Waiting[] = [];
  const counts = { noticesSent: 0, noticesFailed: 0, noticesDropped: 0, noticesExpired: 0 };
  let isSending = false;
  let isStopped = false;
  let failures = 0;
  let cancelRetry: () => void = () => {};

  async function sendNext(): Promise<void> {
    const now = deps.clock.monotonic();
    while (waiting[0] !== undefined && now - waiting[0].since > limits.ageMsMax) {
      waiting.shift();
      counts.noticesExpired += 1;
    }
    const [next] = waiting;
    if (next === undefined || isStopped || isSending) return;
    isSending = true;
    try {
      await deps.channel.send(wordNotice(next.announcement, deps.textOf, deps.clock.now()));
      counts.noticesSent += 1;
      failures = 0;
      const index = waiting.indexOf(next);
      if (index >= 0) waiting.splice(index, 1);
    } catch (error) {
      counts.noticesFailed += 1;
      failures += 1;
      if (failures === 1) deps.log.warn({ err: error }, 'a notice could not be sent; trying again');
    } finally {
      isSending = false;
    }
    if (isStopped || waiting.length === 0) return;
    const delayMs = failures === 0 ? 0 : Math.min(limits.retryMsMax, limits.retryMs * 2 ** (failures - 1));
    cancelRetry();
    cancelRetry = deps.scheduler.after(delayMs, () => void sendNext());
  }

  return {
    announce(announcement) {
      if (isStopped || announcement.alarm.priority > deps.minPriority) return;
      waiting.push({ announcement, since: deps.clock.monotonic() });
      if (waiting.length > limits.waitingMax) {
        waiting.splice(leastImportant(waiting), 1);
        counts.noticesDropped += 1;
      }
      if (failures === 0) void sendNext();
    },
    counters: () => ({ ...counts, noticesWaiting: waiting.length }),
    stop() {
      isStopped = true;
      cancelRetry();
      counts.noticesDropped += waiting.length;
      waiting.length = 0;
    },
  };
}

function leastImportant(waiting: readonly Waiting[]): number {
  const lowest = Math.max(...waiting.map(({ announcement }) => announcement.alarm.priority));
  return waiting.findIndex(({ announcement }) => announcement.alarm.priority === lowest);
}

/** The message: which post, what, since when, what it means, what to do first. Times in UTC, as the reader may be anywhere. */
export function wordNotice(
  { alarm, postName, at }: Announcement,
  textOf: NotifierDeps['textOf'],
  now: number,
): { subject: string; text: string } {
  const text = textOf(alarm.rule);
  const title = text?.title ?? alarm.rule;
  const measured = alarm.value === null ? [] : [`Value: ${withUnit(alarm.value, alarm.unit)}`];
  const limit = alarm.limit === null ? [] : [`Limit: ${withUnit(alarm.limit, alarm.unit)}`];
  return {
    // A line break in a name must not start a new header.
    subject: `[P${alarm.priority}] ${postName}: ${title}`.replace(/[\r\n]+/g, ' '),
    text: [
      `${postName}: ${title}`,
      `Since: ${utc(alarm.since ?? at)}`,
      ...(alarm.device === null ? [] : [`Device: ${alarm.device}`]),
      ...measured,
      ...limit,
      '',
      ...(text === undefined ? [] : [text.meaning, `What to do: ${text.action}`, '']),
      `Alarm ${alarm.id}, told ${utc(now)}`,
    ].join('\n'),
  };
}

function withUnit(value: number, unit: string | null): string {
  const rounded = Math.round(value * 100) / 100;
  return unit === null || unit === '1' ? `${rounded}` : `${rounded} ${unit}`;
}

function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
