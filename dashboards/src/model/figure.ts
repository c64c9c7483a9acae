// One number with its honesty: what is shown for it, and how far it may be believed.
import type { Figure } from '#contract/view.js';
import { qualityOf, reasonOf } from '#domain/quality.js';
import type { Texts } from '#texts/en.js';
import { formatAge } from '#texts/format.js';

/**
 * `good`; `questionable`: a value with a reason to doubt; `stale`: good when it came, but not renewed in time;
 * `missing`: no value, with the reason why.
 */
export type Trust = 'good' | 'questionable' | 'stale' | 'missing';

export interface Judged {
  readonly trust: Trust;
  /** null where there is no value to show. Never zero for a missing one. */
  readonly value: number | string | null;
  /** Source time; null where nothing was ever received. */
  readonly at: number | null;
  readonly code: number;
}

/** Longest silence of a figure whose metric is not known here (fleet page): a usual heartbeat, two batches, and some more. */
export const FIGURE_STALE_MS = 10 * 60_000;

/** Judges a figure at `now` (server time). `undefined` stands for "nothing received yet". */
export function judge(figure: Figure | undefined, now: number, staleAfterMs: number = FIGURE_STALE_MS): Judged {
  if (figure === undefined) return { trust: 'missing', value: null, at: null, code: 0 };
  const { value, at, code } = figure;
  if (value === null) return { trust: 'missing', value, at, code };
  const reason = reasonOf(code);
  const quality = reason === undefined ? 'questionable' : qualityOf(reason);
  if (quality === 'invalid') return { trust: 'missing', value: null, at, code };
  if (now - at > staleAfterMs) return { trust: 'stale', value, at, code };
  return { trust: quality === 'good' ? 'good' : 'questionable', value, at, code };
}

/** Why a figure is not simply good, in words; empty for a good one. */
export function trustWords(judged: Judged, now: number, texts: Texts): string {
  if (judged.trust === 'good') return '';
  if (judged.at === null) return texts.app.nothingYet;
  if (judged.trust === 'stale') return texts.app.staleSince(formatAge(now - judged.at, texts));
  const reason = reasonOf(judged.code);
  if (reason === undefined || reason === 'good') return judged.trust === 'missing' ? texts.app.nothingYet : '';
  return texts.reasons[reason];
}

/** The number of a figure that may be reckoned with: good or doubtful, and not older than allowed. */
export function numberOf(judged: Judged): number | null {
  if (judged.trust === 'missing' || judged.trust === 'stale') return null;
  return typeof judged.value === 'number' ? judged.value : null;
}
