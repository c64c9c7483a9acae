// Which posts there are, what they have, and whether they are there.
import type { Birth } from '#contract/session.js';

export interface KnownPost {
  readonly id: string;
  readonly birth: Birth | undefined;
  readonly link: 'online' | 'offline' | 'unknown';
  /** When anything was last received from it, by the server's clock. */
  readonly lastContactAt: number | null;
  /** Source time of its newest live sample. */
  readonly lastSampleAt: number | null;
  /** Late data is arriving. */
  readonly backfilling: boolean;
}

export interface Directory {
  posts(): readonly KnownPost[];
  post(id: string): KnownPost | undefined;
}
