// Fetches the code of the charts only when somebody opens a post, after its live values are on the screen.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useApp } from '../app.js';
import type { HistoryProps } from './history.js';

export function LazyHistory(props: HistoryProps) {
  const { texts } = useApp();
  const loaded = useSignal<{ readonly History: typeof import('./history.js').History } | null>(null);
  const hasFailed = useSignal(false);
  const load = (): void => {
    hasFailed.value = false;
    import('./history.js').then(
      (module) => {
        loaded.value = module;
      },
      () => {
        hasFailed.value = true;
      },
    );
  };
  // Once, after the first paint; a failure is tried again by hand.
  useEffect(load, []);
  if (loaded.value !== null) {
    const { History } = loaded.value;
    return <History {...props} />;
  }
  if (!hasFailed.value) return <p class="waiting">{texts.value.chart.loading}</p>;
  return (
    <p class="problem">
      {texts.value.chart.failed}{' '}
      <button type="button" onClick={load}>
        {texts.value.app.reload}
      </button>
    </p>
  );
}
