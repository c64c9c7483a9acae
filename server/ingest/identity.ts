// Whether one post is one gateway: what the births and the data of a post say about who speaks in its name.

/**
 * `keyChanged`: a gateway with a key that is not known of this post. `restored`: an outbox that is an older copy, or a cloned
 * card: the post's key with another epoch and a start that was there before. `twoGateways`: two of them speak in turn.
 */
export type IdentityKind = 'keyChanged' | 'restored' | 'twoGateways';

export interface IdentityKey {
  /** Ed25519 public key, base64 (SPKI), as the birth told it. */
  readonly key: string;
  /** When it was first heard, by the server's clock. */
  readonly firstSeenAt: number;
  /** The first key of a post, and those that a person has accepted. */
  readonly accepted: boolean;
}

/** A conflict that stands. Data of both gateways is stored all the while. */
export interface IdentityConflict {
  /** The gravest of `kinds`. */
  readonly kind: IdentityKind;
  /** All that stand at once, gravest first. */
  readonly kinds: readonly IdentityKind[];
  /** When the first of them was raised, and when something last told of it; by the server's clock. */
  readonly since: number;
  readonly lastAt: number;
  /** Every key heard of the post, oldest first. */
  readonly keys: readonly IdentityKey[];
}

export interface StartFacts {
  readonly epoch: string;
  readonly start: number;
  readonly key: string;
}

/** What is remembered of a post's gateways, also over a restart of the server. Plain data. */
export interface IdentityFacts {
  readonly keys: readonly (IdentityKey & { readonly highestStart: number })[];
  /** Starts heard, in the order in which they began, or began again, to speak: the last one is the gateway of now. */
  readonly starts: readonly StartFacts[];
  readonly conflicts: readonly { readonly kind: IdentityKind; readonly since: number; readonly lastAt: number }[];
}

export const NO_IDENTITY: IdentityFacts = { keys: [], starts: [], conflicts: [] };

/** What a birth tells of the gateway behind it. */
export interface GatewayFacts {
  readonly publicKey: string;
  readonly epoch: string;
  readonly start: number;
}

/** Gravest first: a stranger, then a copy, then two at once. */
const GRAVEST: readonly IdentityKind[] = ['keyChanged', 'restored', 'twoGateways'];
/** Starts and keys remembered per post. Of too many keys those that nobody accepted are forgotten, oldest first. */
const STARTS_MAX = 16;
const KEYS_MAX = 8;

/** What stands, for the rest of the server; `undefined` where nothing does. */
export function conflictOf({ conflicts, keys }: IdentityFacts): IdentityConflict | undefined {
  const kinds = GRAVEST.filter((kind) => conflicts.some((conflict) => conflict.kind === kind));
  const [kind] = kinds;
  if (kind === undefined) return undefined;
  return {
    kind,
    kinds,
    since: Math.min(...conflicts.map(({ since }) => since)),
    lastAt: Math.max(...conflicts.map(({ lastAt }) => lastAt)),
    keys: keys.map(({ key, firstSeenAt, accepted }) => ({ key, firstSeenAt, accepted })),
  };
}

/**
 * Takes the key of a birth. The first key of a post is trusted; another one is kept beside it and raises `keyChanged`. A
 * birth without a key where keys are known is a stranger's too.
 */
export function hearKey(
  facts: IdentityFacts,
  { publicKey }: Pick<GatewayFacts, 'publicKey'>,
  at: number,
): IdentityFacts {
  const isFirst = facts.keys.length === 0;
  if (publicKey === '' && isFirst) return facts;
  const present = facts.keys.find(({ key }) => key === publicKey);
  if (present?.accepted === true) return facts;
  if (present !== undefined) return raise(facts, 'keyChanged', at);
  const keys = [...facts.keys, { key: publicKey, firstSeenAt: at, accepted: isFirst, highestStart: -1 }];
  return isFirst ? { ...facts, keys } : raise({ ...facts, keys: dropKeys(keys) }, 'keyChanged', at);
}

/**
 * Takes a birth that a gateway has just sent (not one that a broker kept).
 * @param headIsFresh the gateway of now began to speak so lately that what an earlier one said may still be under way
 */
export function hearBirth(
  facts: IdentityFacts,
  gateway: GatewayFacts,
  headIsFresh: boolean,
  at: number,
): IdentityFacts {
  if (facts.starts.some(({ epoch }) => epoch === gateway.epoch))
    return hearSpeech(facts, gateway.epoch, headIsFresh, at);
  const { epoch, publicKey: key, start } = gateway;
  const highest = facts.keys.find((known) => known.key === key)?.highestStart ?? -1;
  const starts = [...facts.starts, { epoch, start, key }].slice(-STARTS_MAX);
  const keys = facts.keys.map((known) =>
    known.key === key ? { ...known, highestStart: Math.max(highest, start) } : known,
  );
  const next = { ...facts, starts, keys };
  return start <= highest ? raise(next, 'restored', at) : next;
}

/**
 * Takes that a gateway's start said something just now. A gateway goes from one start to the next and never back: one that
 * speaks again after a later one began is another gateway. It counts as the gateway of now from then on, so that only taking
 * turns goes on raising the conflict.
 */
export function hearSpeech(facts: IdentityFacts, epoch: string, headIsFresh: boolean, at: number): IdentityFacts {
  const speaker = facts.starts.find((start) => start.epoch === epoch);
  if (speaker === undefined || speaker === facts.starts.at(-1) || headIsFresh) return facts;
  const starts = [...facts.starts.filter((start) => start !== speaker), speaker];
  return raise({ ...facts, starts }, 'twoGateways', at);
}

/** A person knows these keys and this state of affairs: nothing stands any more, until something new tells of it. */
export function acceptIdentity(facts: IdentityFacts): IdentityFacts {
  const newest = (key: string): number | undefined => facts.starts.findLast((start) => start.key === key)?.start;
  return {
    ...facts,
    // From here the restored copy counts: its next start is no news.
    keys: facts.keys.map((known) => ({
      ...known,
      accepted: true,
      highestStart: newest(known.key) ?? known.highestStart,
    })),
    conflicts: [],
  };
}

export function clearConflict(facts: IdentityFacts, kind: IdentityKind): IdentityFacts {
  return { ...facts, conflicts: facts.conflicts.filter((conflict) => conflict.kind !== kind) };
}

function raise(facts: IdentityFacts, kind: IdentityKind, at: number): IdentityFacts {
  const since = facts.conflicts.find((conflict) => conflict.kind === kind)?.since ?? at;
  const others = facts.conflicts.filter((conflict) => conflict.kind !== kind);
  return { ...facts, conflicts: [...others, { kind, since, lastAt: at }] };
}

function dropKeys(keys: IdentityFacts['keys']): IdentityFacts['keys'] {
  if (keys.length <= KEYS_MAX) return keys;
  const leaving = keys.findIndex(({ accepted }) => !accepted);
  return keys.filter((_, i) => i !== (leaving < 0 ? 1 : leaving));
}
