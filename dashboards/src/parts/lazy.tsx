// A part whose code is fetched only when somebody comes to it, after what is on the screen already.
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { useApp } from '../app.js';

interface LazyProps<P extends object> {
  readonly load: () => Promise<ComponentType<P>>;
  readonly props: P;
  readonly failed: string;
}

export function Lazy<P extends object>({ load, props, failed }: LazyProps<P>) {
  const { texts } = useApp();
  const loaded = useSignal<{ readonly Part: ComponentType<P> } | null>(null);
  const hasFailed = useSignal(false);
  const fetchPart = (): void => {
    hasFailed.value = false;
    load().then(
      (Part) => {
        loaded.value = { Part };
      },
      () => {
        hasFailed.value = true;
      },
    );
  };
  // Once, after the first paint; a failure is tried again by hand.
  useEffect(fetchPart, []);
  if (loaded.value !== null) {
    const { Part } = loaded.value;
    return <Part {...props} />;
  }
  if (!hasFailed.value) return <p class="waiting">{texts.value.chart.loading}</p>;
  return (
    <p class="problem">
      {failed}{' '}
      <button type="button" onClick={fetchPart}>
        {texts.value.app.reload}
      </button>
    </p>
  );
}
