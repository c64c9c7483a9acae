// What people say of counters: kept with who said so, told in the journal, and followed by new rollups.
import type { Clock } from '#domain/clock.js';
import type { CounterEvent } from '#domain/counter-event.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Registry, SeriesName, StoredCounterEvent } from '../ports.js';

/** What a person says. */
export interface CounterEventWords extends CounterEvent {
  readonly device: string;
  readonly metric: string;
  readonly withdrawn: boolean;
  readonly by: string;
  readonly comment: string | null;
}

export interface CounterEventFault {
  readonly code:
    | 'API_COUNTER_EVENT_UNKNOWN'
    | 'API_COUNTER_EVENT_TWICE'
    | 'API_COUNTER_EVENTS_LIMIT'
    | 'REGISTRY_FAULT';
  readonly message: string;
}

export interface CounterEvents {
  ofPost(post: string): readonly StoredCounterEvent[];
  /** Those of one counter that stand, by time. */
  ofSeries(series: SeriesName): readonly CounterEvent[];
  add(post: string, words: CounterEventWords): Result<StoredCounterEvent, CounterEventFault>;
  /** @returns what the event is now */
  correct(post: string, id: number, words: CounterEventWords): Result<StoredCounterEvent, CounterEventFault>;
}

export interface CounterEventDeps {
  readonly registry: Pick<Registry, 'counterEvents' | 'saveCounterEvent'>;
  readonly clock: Clock;
  /** Windows around this time are to be rolled up again. Before the event is saved: durable then. */
  readonly touch: (post: string, device: string, metric: string, at: number) => void;
}

export const COUNTER_EVENTS_MAX = 1000;

/** Reads what is known. Throws like the registry. */
export function createCounterEvents({ clock, registry, touch }: CounterEventDeps): CounterEvents {
  const posts = new Map<string, StoredCounterEvent[]>();
  for (const event of registry.counterEvents()) posts.set(event.post, [...(posts.get(event.post) ?? []), event]);
  const ofPost = (post: string): readonly StoredCounterEvent[] => posts.get(post) ?? [];

  function save(
    post: string,
    words: CounterEventWords,
    before: StoredCounterEvent | undefined,
  ): Result<StoredCounterEvent, CounterEventFault> {
    const twin = ofPost(post).find((other) => other.id !== before?.id && isSame(other, words) && !other.withdrawn);
    if (twin !== undefined && !words.withdrawn)
      return failed({
        code: 'API_COUNTER_EVENT_TWICE',
        message: `event ${twin.id} of this counter has the same time; correct that one`,
      });
    const event = { ...words, post, enteredAt: clock.now() };
    const what = before === undefined ? 'added' : words.withdrawn ? 'withdrawn' : 'corrected';
    try {
      for (const place of before === undefined ? [words] : [before, words])
        touch(post, place.device, place.metric, place.at);
      const id = registry.saveCounterEvent(
        { ...event, ...(before !== undefined && { id: before.id }) },
        entryOf(event, what, before),
      );
      const saved = { ...event, id };
      const others = ofPost(post).filter((other) => other.id !== id);
      posts.set(
        post,
        [...others, saved].sort((a, b) => a.at - b.at || a.id - b.id),
      );
      return ok(saved);
    } catch (error) {
      return failed({ code: 'REGISTRY_FAULT', message: error instanceof Error ? error.message : String(error) });
    }
  }

  return {
    ofPost,
    ofSeries: ({ device, metric, post }) =>
      ofPost(post)
        .filter((event) => event.device === device && event.metric === metric && !event.withdrawn)
        .map(({ at, closing, kind, opening }) => ({ at, kind, closing, opening })),
    add(post, words) {
      if (ofPost(post).length >= COUNTER_EVENTS_MAX)
        return failed({
          code: 'API_COUNTER_EVENTS_LIMIT',
          message: `this post has ${COUNTER_EVENTS_MAX} counter events; correct one of them instead`,
        });
      return save(post, words, undefined);
    },
    correct(post, id, words) {
      const before = ofPost(post).find((event) => event.id === id);
      if (before !== undefined) return save(post, words, before);
      return failed({ code: 'API_COUNTER_EVENT_UNKNOWN', message: `this post has no counter event ${id}` });
    },
  };
}

function isSame(a: CounterEventWords, b: CounterEventWords): boolean {
  return a.at === b.at && a.device === b.device && a.metric === b.metric;
}

function entryOf(
  event: Omit<StoredCounterEvent, 'id'>,
  what: 'added' | 'corrected' | 'withdrawn',
  before: StoredCounterEvent | undefined,
): Parameters<Registry['saveCounterEvent']>[1] {
  const was = before === undefined ? '' : `; was ${wordsOf(before)}, said by ${before.by}`;
  const comment = event.comment === null ? '' : `; ${event.comment}`;
  return {
    at: event.enteredAt,
    alarm: `${event.post}/counterEvent/${event.device}`,
    post: event.post,
    rule: 'counterEvent',
    from: 'normal',
    to: 'normal',
    event: what,
    by: event.by,
    comment: `${wordsOf(event)}${was}${comment}`,
    historical: false,
  };
}

function wordsOf({ at, closing, device, kind, metric, opening }: Omit<StoredCounterEvent, 'id'>): string {
  return `${kind} of ${device}/${metric} at ${new Date(at).toISOString()}: ${closing ?? 'unread'} to ${opening}`;
}
