// Priority as colour, shape and digit together: any one of them alone would fail somebody.
import { useApp } from '../app.js';

export type Priority = 1 | 2 | 3;

const SHAPES: Readonly<Record<Priority, string>> = {
  1: 'M12 2 23 21.5H1Z',
  2: 'M12 .8 23.2 12 12 23.2.8 12Z',
  3: 'M2.5 2.5h19v19h-19Z',
};

interface BadgeProps {
  readonly priority: Priority;
  /** Nobody has acknowledged it. Only an unacknowledged critical alarm moves. */
  readonly isWaiting?: boolean;
  /** Shelved, suppressed or out of service: shape and digit without colour, since it asks for nobody. */
  readonly isSetAside?: boolean;
}

export function Badge({ priority, isWaiting = false, isSetAside = false }: BadgeProps) {
  const { texts } = useApp();
  const label = texts.value.alarmList.priority(texts.value.priorities[priority]);
  return (
    <svg
      class={`badge ${isSetAside ? 'quiet' : `p${priority}`}${isWaiting && priority === 1 ? ' pulse' : ''}`}
      viewBox="0 0 24 24"
      width="22"
      height="22"
      role="img"
      aria-label={label}
    >
      <path d={SHAPES[priority]} />
      <text x="12" y={priority === 1 ? 19 : 16.6} text-anchor="middle">
        {priority}
      </text>
    </svg>
  );
}

/** Of a silent post nothing is known: an empty, broken outline. */
export function SilentMark() {
  const { texts } = useApp();
  return (
    <svg
      class="badge silent"
      viewBox="0 0 24 24"
      width="22"
      height="22"
      role="img"
      aria-label={texts.value.fleet.offline}
    >
      <circle cx="12" cy="12" r="9.5" />
      <path d="M8 12h8" />
    </svg>
  );
}

/** Everything as it should be: small and grey, since normal needs no eye. */
export function FineMark() {
  const { texts } = useApp();
  return (
    <svg class="badge fine" viewBox="0 0 24 24" width="22" height="22" role="img" aria-label={texts.value.fleet.fine}>
      <circle cx="12" cy="12" r="4" />
    </svg>
  );
}
