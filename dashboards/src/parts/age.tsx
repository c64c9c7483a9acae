import { formatAge, formatDateTime } from '#texts/format.js';
import { useApp } from '../app.js';

/** How old something is, counting on by itself. `zone` is for the exact time that shows when asked for. */
export function Age({ at, zone = 'UTC' }: { at: number; zone?: string }) {
  const { now, texts } = useApp();
  return (
    <time
      class="age"
      dateTime={new Date(at).toISOString()}
      title={`${formatDateTime(at, zone, texts.value)} (${zone})`}
    >
      {formatAge(now.value - at, texts.value)}
    </time>
  );
}
