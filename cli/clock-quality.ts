// How far this machine's wall clock may be trusted.
import { existsSync } from 'node:fs';
import type { ClockQuality } from '#domain/clock.js';

/** systemd-timesyncd and chrony touch these once they have set the clock. */
const SYNCHRONISED_FILES = ['/run/systemd/timesync/synchronized', '/run/chrony/synchronized'];
/** A clock without battery wakes in the past: before this release was made. */
const RELEASED_AT = Date.UTC(2026, 10, 1);

/** `synchronised` by a time service, `unsynchronised` when it is at least plausible, `unknown` when it lies in the past. */
export function machineClockQuality(now: number): ClockQuality {
  if (SYNCHRONISED_FILES.some((file) => existsSync(file))) return 'synchronised';
  return now >= RELEASED_AT ? 'unsynchronised' : 'unknown';
}
