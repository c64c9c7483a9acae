// What the ingest tells the rest of the server. Samples are told after the store has confirmed them.
import type { Birth } from '#contract/session.js';
import type { Point } from '../ports.js';
import type { KnownPost } from './directory.js';
import type { IdentityConflict, IdentityKind } from './identity.js';

export type ServerEvent =
  | {
      readonly type: 'samples';
      readonly post: string;
      readonly points: readonly Point[];
      /** Recorded while unconnected or sent late: it moves no live value and notifies nobody. */
      readonly historical: boolean;
    }
  | { readonly type: 'birth'; readonly post: string; readonly birth: Birth }
  | { readonly type: 'link'; readonly post: string; readonly link: KnownPost['link']; readonly at: number }
  | {
      /**
       * Who speaks in a post's name came into doubt (`raised`), or out of it. Told when a kind begins or ends, and at the start of
       * the server for each that stands; not for each sign of one that stands already.
       */
      readonly type: 'identity';
      readonly post: string;
      readonly at: number;
      readonly kind: IdentityKind;
      readonly raised: boolean;
      /** What stands now; the same as `directory.post(post)?.identity`. */
      readonly identity: IdentityConflict | undefined;
    }
  | {
      /** Late data of a post has come to an end; `from` and `to` are the source times that it spanned, `to` exclusive. */
      readonly type: 'gapClosed';
      readonly post: string;
      readonly from: number;
      readonly to: number;
    };

export type Listener = (event: ServerEvent) => void;
