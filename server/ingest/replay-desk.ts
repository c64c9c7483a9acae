// An operator's word to send again, until the post has heard it.
import type { Replay } from '#contract/session.js';
import type { Clock } from '#domain/clock.js';
import type { Registry, StoredReplay } from '../ports.js';

export interface ReplayRequest {
  /** Source time, epoch ms: what was receipted since then. */
  readonly since?: number | undefined;
  /** The records that were refused. */
  readonly deadLetters?: boolean | undefined;
  /** Who asks. */
  readonly by: string;
}

export interface ReplayAnswer {
  /** By the server's clock; the post does each request once. */
  readonly at: number;
  /** `waiting`: the post is not there, and is told when it comes. */
  readonly state: 'sent' | 'waiting';
}

export interface ReplayDesk {
  /** Keeps the request and tells it. Throws what the registry throws: nothing was asked then. */
  ask(post: string, request: ReplayRequest): ReplayAnswer;
  /** The post has just come: it is told its newest request again, in case it never heard it. */
  cameOnline(post: string): void;
  /** As kept by the registry. */
  load(): void;
  counters(): Readonly<Record<'replaysAsked' | 'replaysSent', number>>;
}

/** A post that was away for longer hears no more of it: its outbox keeps receipted records for about so long. */
const RETELL_MS = 7 * 24 * 3_600_000;

export function createReplayDesk(deps: {
  readonly clock: Clock;
  readonly registry: Pick<Registry, 'replays' | 'saveReplay'>;
  readonly isOnline: (post: string) => boolean;
  /** QoS 1; false when there is no connection to a broker. */
  readonly publish: (post: string, replay: Replay) => boolean;
}): ReplayDesk {
  const { clock, isOnline, publish, registry } = deps;
  const newest = new Map<string, StoredReplay>();
  const counters = { replaysAsked: 0, replaysSent: 0 };

  function send(replay: StoredReplay): boolean {
    const message: Replay = {
      at: replay.at,
      ...(replay.since !== null && { since: replay.since }),
      ...(replay.deadLetters && { deadLetters: true }),
    };
    if (!isOnline(replay.post) || !publish(replay.post, message)) return false;
    counters.replaysSent += 1;
    return true;
  }

  function keep(replay: StoredReplay): void {
    registry.saveReplay(replay);
    newest.set(replay.post, replay);
  }

  return {
    ask(post, { by, deadLetters = false, since }) {
      const before = newest.get(post);
      // One that the post has not been told yet is not forgotten for the next.
      const untold = before !== undefined && before.sentAt === null ? before : undefined;
      const sinces = [since, untold?.since].filter((at) => at !== undefined && at !== null);
      const replay: StoredReplay = {
        post,
        at: Math.max(clock.now(), (before?.at ?? 0) + 1),
        since: sinces.length > 0 ? Math.min(...sinces) : null,
        deadLetters: deadLetters || untold?.deadLetters === true,
        by,
        sentAt: null,
      };
      keep(replay);
      counters.replaysAsked += 1;
      const sent = send(replay);
      if (sent) keep({ ...replay, sentAt: clock.now() });
      return { at: replay.at, state: sent ? 'sent' : 'waiting' };
    },
    cameOnline(post) {
      const replay = newest.get(post);
      if (replay === undefined || clock.now() - replay.at > RETELL_MS) return;
      if (send(replay) && replay.sentAt === null) keep({ ...replay, sentAt: clock.now() });
    },
    load() {
      for (const replay of registry.replays()) newest.set(replay.post, replay);
    },
    counters: () => counters,
  };
}
