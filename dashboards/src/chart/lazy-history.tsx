// The charts of a post: fetched only when somebody opens it, after its live values are on the screen.
import { useApp } from '../app.js';
import { Lazy } from '../parts/lazy.js';
import type { HistoryProps } from './history.js';

const load = () => import('./history.js').then(({ History }) => History);

export function LazyHistory(props: HistoryProps) {
  const { texts } = useApp();
  return <Lazy load={load} props={props} failed={texts.value.chart.failed} />;
}
