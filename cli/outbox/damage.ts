// What opening a damaged outbox came to, for a person.
import type { Outbox } from '#gateway/outbox/outbox.js';

/** What opening found damaged, where it did. */
export interface Damage {
  /** Where the damaged outbox lies now. */
  readonly setAside: string | undefined;
  /** Records that are in the outbox again, and rows that were not whole. */
  readonly recovered: number;
  readonly damaged: number;
}

export function damageOf({ setAside, salvage }: Outbox): Damage | undefined {
  if (setAside === undefined && salvage === undefined) return undefined;
  return { setAside: setAside ?? salvage?.file, recovered: salvage?.recovered ?? 0, damaged: salvage?.damaged ?? 0 };
}

/** A line, or nothing where nothing was damaged. */
export function damageText(damage: Damage | undefined): string {
  if (damage === undefined) return '';
  const { setAside, recovered, damaged } = damage;
  const place = setAside === undefined ? '' : `; the old file is ${setAside}`;
  return `The outbox was damaged: ${recovered} records were saved from it, ${damaged} are not whole${place}\n`;
}
