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
