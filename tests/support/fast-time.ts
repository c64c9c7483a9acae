import type { Clock, Scheduler } from '#domain/clock.js';

/** Real time, several times as fast, from a chosen moment on: minutes of a demo pass in seconds, sockets stay real. */
export function fastTime(startAt: number, factor: number): Clock & Scheduler {
  const origin = performance.now();
  const elapsed = (): number => (performance.now() - origin) * factor;
  return {
    now: () => Math.round(startAt + elapsed()),
    monotonic: elapsed,
    after(delayMs, task) {
      const timer = setTimeout(task, delayMs / factor);
      return () => clearTimeout(timer);
    },
  };
}
