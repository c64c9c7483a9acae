// What goes wrong in a drill, as a list drawn from its seed.
import type { Random } from '#domain/clock.js';

export const TROUBLES = [
  'linkCut',
  'halfDeadLink',
  'lossyLink',
  'brokerKill',
  'serverKill',
  'databaseKill',
  'gatewayKill',
  'powerCut',
  'postDiskFull',
  'serverDiskFull',
  'clockWithoutBattery',
  'clockStep',
  'deviceSilence',
  'duplicateDelivery',
  'reordering',
  'slowDatabase',
  'clonedCard',
] as const;
export type TroubleKind = (typeof TROUBLES)[number];

/**
 * Not drilled where a small outbox lets receipted records go at once and makes means of others: a clock that steps back meets
 * times that the post no longer knows of, and a sudden end takes the newest notes of what was sent.
 */
export const NOT_WITH_SMALL_OUTBOX: ReadonlySet<TroubleKind> = new Set([
  'clockStep',
  'gatewayKill',
  'powerCut',
  'clockWithoutBattery',
  'clonedCard',
]);

export interface Trouble {
  readonly kind: TroubleKind;
  /** From the start of the drill, ms. */
  readonly at: number;
  readonly forMs: number;
}

const PER_HOUR = 8;
const LEAST = 5;
/** Nothing new goes wrong in the last part: what was lost by then is looked for. */
const CALM_SHARE = 0.1;
const SHORTEST_MS = 5_000;
const LONGEST_MS = 40 * 60_000;

/** Troubles of so many hours, by their time. Every kind comes once before one comes again. */
export function drawTroubles(hours: number, random: Random, kinds: readonly TroubleKind[]): Trouble[] {
  const count = Math.max(LEAST, Math.round(hours * PER_HOUR));
  const spanMs = hours * 3_600_000 * (1 - CALM_SHARE);
  const troubles: Trouble[] = [];
  while (troubles.length < count)
    for (const kind of shuffled(kinds, random).slice(0, count - troubles.length)) {
      // Many short ones, some long ones.
      const forMs = SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** random();
      troubles.push({ kind, at: Math.round(random() * spanMs), forMs: Math.round(Math.min(forMs, spanMs / 2)) });
    }
  return troubles.sort((a, b) => a.at - b.at);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const deck = [...items];
  for (let place = deck.length - 1; place > 0; place -= 1) {
    const other = Math.floor(random() * (place + 1));
    [deck[place], deck[other]] = [deck[other] as T, deck[place] as T];
  }
  return deck;
}
