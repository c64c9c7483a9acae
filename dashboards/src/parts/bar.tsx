import type { Judged } from '../model/figure.js';

/** A level from 0 to 100 % as a bar. Grey: a level is no alarm. Old ones are hatched, unknown ones empty and dashed. */
export function Bar({ judged }: { judged: Judged }) {
  const level = typeof judged.value === 'number' ? Math.min(100, Math.max(0, judged.value)) : null;
  return (
    <svg class={`bar ${judged.trust}`} width="100%" height="10" aria-hidden="true" preserveAspectRatio="none">
      <rect class="bar-frame" x="0.5" y="0.5" width="100%" height="9" />
      {level !== null && <rect class="bar-level" x="0" y="0" width={`${level}%`} height="10" />}
    </svg>
  );
}
