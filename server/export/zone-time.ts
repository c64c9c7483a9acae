// Times as a post's wall clock shows them, with the zone's offset. Pure.
import { zoneOffsetMs } from '#domain/window.js';

/** No zone of today changes its offset but on a quarter of an hour. */
const SLOT_MS = 900_000;
const MINUTE_MS = 60_000;

export interface ZoneTimes {
  /** `2026-01-15T11:00:00.000+05:00` */
  iso(at: number): string;
  /** Milliseconds that the wall clock is ahead of UTC. */
  offsetMs(at: number): number;
}

/** Finding an offset takes microseconds: it is kept for the quarter of an hour. */
export function createZoneTimes(zone: string): ZoneTimes {
  let slot = Number.NaN;
  let offset = 0;
  const offsetMs = (at: number): number => {
    const now = Math.floor(at / SLOT_MS);
    if (now !== slot) {
      slot = now;
      offset = zoneOffsetMs(at, zone);
    }
    return offset;
  };
  return {
    offsetMs,
    iso(at) {
      const ahead = offsetMs(at);
      const local = new Date(at + ahead).toISOString().slice(0, -1);
      return `${local}${zoneText(ahead)}`;
    },
  };
}

function zoneText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / MINUTE_MS);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${offsetMs < 0 ? '-' : '+'}${hours}:${rest}`;
}
