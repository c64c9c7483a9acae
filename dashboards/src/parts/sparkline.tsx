import { type TracePoint, tracePath } from '../model/trace.js';

const WIDTH = 72;
const HEIGHT = 20;

/** How a figure moved since the page was opened. For eyes only: the number beside it says the same as far as it is known. */
export function Sparkline({ points }: { points: readonly TracePoint[] | undefined }) {
  const path = tracePath(points ?? [], WIDTH, HEIGHT);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      {path !== '' && <path d={path} />}
    </svg>
  );
}
