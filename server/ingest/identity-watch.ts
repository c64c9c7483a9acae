// The identity of every post over time: what is remembered, when a conflict is told, and when it ends by itself.
import type { Clock, Scheduler } from '#domain/clock.js';
import type { MutableDirectory, PostEntry } from './directory.js';
import type { ServerEvent } from './events.js';
import {
  acceptIdentity,
  clearConflict,
  conflictOf,
  type GatewayFacts,
  hearBirth,
  hearKey,
  hearSpeech,
  type IdentityConflict,
  type IdentityFacts,
  type IdentityKind,
  NO_IDENTITY,
} from './identity.js';
import type { Log } from './log.js';

export interface IdentityWatch {
  /** @param retained the broker kept it: it tells of a key, not of who is there now */
  heardBirth(entry: PostEntry, gateway: GatewayFacts, retained: boolean): void;
  /** Data came under a birth of this start of a gateway. */
  heardData(entry: PostEntry, epoch: string): void;
  /** Whether a key may speak for the post otherwise than by radio: one that is accepted, or any where none is known. */
  knowsKey(entry: PostEntry, publicKey: string): boolean;
  /** The first key of a post is trusted; where one is known this changes nothing. */
  trustFirst(entry: PostEntry, publicKey: string): void;
  accept(entry: PostEntry): IdentityConflict | undefined;
  load(entry: PostEntry, facts: IdentityFacts): void;
  counters(): Readonly<Record<string, number>>;
  stop(): void;
}

export interface IdentityWatchDeps {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly directory: MutableDirectory;
  readonly emit: (event: ServerEvent) => void;
  readonly save: (post: string, facts: IdentityFacts) => void;
  readonly log: Log;
}

/** What was under way when a gateway's next start began has arrived by then. */
const STRAGGLERS_MS = 60_000;
/** Two gateways that no longer take turns are one again. */
const TURNS_QUIET_MS = 24 * 3_600_000;

const CODES = {
  keyChanged: 'INGEST_KEY_CHANGED',
  restored: 'INGEST_OUTBOX_RESTORED',
  twoGateways: 'INGEST_TWO_GATEWAYS',
} as const;
const WORDS = {
  keyChanged: 'A gateway with a key that is not known speaks for this post; its data is stored. Look who it is',
  restored: 'The gateway of this post runs on an older copy of its outbox, or on a cloned card; its data is stored',
  twoGateways: 'Two gateways speak for this post in turn; the data of both is stored. Switch one of them off',
} as const;

interface Watched {
  facts: IdentityFacts;
  /** Monotonic time at which the gateway of now began to speak. */
  headSince: number;
  cancelQuiet: (() => void) | undefined;
}

export function createIdentityWatch(deps: IdentityWatchDeps): IdentityWatch {
  const { clock, directory, scheduler } = deps;
  const watched = new Map<string, Watched>();
  const counters = { identityKeyChanged: 0, identityRestored: 0, identityTwoGateways: 0, identityCleared: 0 };
  const nameOf = {
    keyChanged: 'identityKeyChanged',
    restored: 'identityRestored',
    twoGateways: 'identityTwoGateways',
  } as const;

  function watchedOf(post: string): Watched {
    let present = watched.get(post);
    if (present === undefined) {
      present = { facts: NO_IDENTITY, headSince: clock.monotonic(), cancelQuiet: undefined };
      watched.set(post, present);
    }
    return present;
  }

  const headIsFresh = ({ headSince }: Watched): boolean => clock.monotonic() - headSince <= STRAGGLERS_MS;

  function change(entry: PostEntry, next: IdentityFacts): void {
    const own = watchedOf(entry.id);
    const before = own.facts;
    if (next === before) return;
    own.facts = next;
    if (next.starts.at(-1)?.epoch !== before.starts.at(-1)?.epoch) own.headSince = clock.monotonic();
    entry.identity = conflictOf(next);
    waitForQuiet(entry, own);
    for (const { kind, lastAt } of next.conflicts) {
      const known = before.conflicts.find((conflict) => conflict.kind === kind);
      if (known?.lastAt !== lastAt) counters[nameOf[kind]] += 1;
      if (known === undefined) announce(entry, kind, true);
    }
    for (const { kind } of before.conflicts)
      if (!next.conflicts.some((conflict) => conflict.kind === kind)) {
        counters.identityCleared += 1;
        announce(entry, kind, false);
      }
    deps.save(entry.id, next);
  }

  function announce(entry: PostEntry, kind: IdentityKind, raised: boolean): void {
    const fields = { code: CODES[kind], post: entry.id };
    if (raised) deps.log.warn(fields, WORDS[kind]);
    else deps.log.info(fields, 'One gateway speaks for this post again');
    deps.emit({ type: 'identity', post: entry.id, at: clock.now(), kind, raised, identity: entry.identity });
  }

  function waitForQuiet(entry: PostEntry, own: Watched): void {
    own.cancelQuiet?.();
    own.cancelQuiet = undefined;
    const turns = own.facts.conflicts.find(({ kind }) => kind === 'twoGateways');
    if (turns === undefined) return;
    const leftMs = Math.min(Math.max(0, turns.lastAt + TURNS_QUIET_MS - clock.now()), TURNS_QUIET_MS);
    own.cancelQuiet = scheduler.after(leftMs, () => change(entry, clearConflict(own.facts, 'twoGateways')));
  }

  return {
    heardBirth(entry, gateway, retained) {
      const own = watchedOf(entry.id);
      const known = hearKey(own.facts, gateway, clock.now());
      change(entry, retained ? known : hearBirth(known, gateway, headIsFresh(own), clock.now()));
    },
    heardData(entry, epoch) {
      const own = watchedOf(entry.id);
      change(entry, hearSpeech(own.facts, epoch, headIsFresh(own), clock.now()));
    },
    knowsKey({ id }, publicKey) {
      const { keys } = watchedOf(id).facts;
      return keys.length === 0 || keys.some(({ accepted, key }) => accepted && key === publicKey);
    },
    trustFirst(entry, publicKey) {
      const { facts } = watchedOf(entry.id);
      if (facts.keys.length === 0) change(entry, hearKey(facts, { publicKey }, clock.now()));
    },
    accept(entry) {
      const stood = entry.identity;
      change(entry, acceptIdentity(watchedOf(entry.id).facts));
      return stood;
    },
    load(entry, facts) {
      const own = watchedOf(entry.id);
      own.facts = facts;
      entry.identity = conflictOf(facts);
      waitForQuiet(entry, own);
      for (const { kind } of facts.conflicts) announce(entry, kind, true);
    },
    counters: () => ({
      ...counters,
      postsInDoubt: directory.posts().filter(({ identity }) => identity !== undefined).length,
    }),
    stop() {
      for (const own of watched.values()) own.cancelQuiet?.();
    },
  };
}
