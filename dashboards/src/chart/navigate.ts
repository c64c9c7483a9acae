// Moving through a chart by keys and fingers. Arithmetic of spans is pure; the rest binds it to a plot.
import type uPlot from 'uplot';

export type Span = readonly [from: number, to: number];

/** Below this a chart shows single samples; closer in there is nothing. */
const SPAN_MIN_MS = 5 * 60_000;

/** `span` scaled by `factor` around `centre`, kept inside `whole`. */
export function zoomSpan(span: Span, factor: number, centre: number, whole: Span): Span {
  const size = Math.min(whole[1] - whole[0], Math.max(SPAN_MIN_MS, (span[1] - span[0]) * factor));
  const share = (centre - span[0]) / (span[1] - span[0] || 1);
  return shiftInside([centre - share * size, centre + (1 - share) * size], 0, whole);
}

/** `span` moved by `by`, kept inside `whole`. */
export function shiftInside(span: Span, by: number, whole: Span): Span {
  const size = Math.min(span[1] - span[0], whole[1] - whole[0]);
  const from = Math.min(Math.max(span[0] + by, whole[0]), whole[1] - size);
  return [from, from + size];
}

function spanOf(plot: uPlot, whole: Span): Span {
  const { min, max } = plot.scales.x ?? {};
  return [min ?? whole[0], max ?? whole[1]];
}

const show = (plot: uPlot, span: Span): void => plot.setScale('x', { min: span[0], max: span[1] });

/** Arrow keys move the cursor, with Shift the span; + and − zoom; Escape shows all. Returns what undoes it. */
export function addKeys(plot: uPlot, wholeSpan: () => Span, showAll: () => void): () => void {
  const onKey = (event: KeyboardEvent): void => {
    const whole = wholeSpan();
    const span = spanOf(plot, whole);
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (step !== 0 && event.shiftKey) show(plot, shiftInside(span, (step * (span[1] - span[0])) / 4, whole));
    else if (step !== 0) moveCursor(plot, step);
    else if (event.key === '+' || event.key === '=') show(plot, zoomSpan(span, 0.5, centreOf(plot, span), whole));
    else if (event.key === '-') show(plot, zoomSpan(span, 2, centreOf(plot, span), whole));
    else if (event.key === 'Escape') showAll();
    else return;
    event.preventDefault();
  };
  plot.root.addEventListener('keydown', onKey);
  return () => plot.root.removeEventListener('keydown', onKey);
}

function centreOf(plot: uPlot, span: Span): number {
  const at = typeof plot.cursor.idx === 'number' ? plot.data[0][plot.cursor.idx] : undefined;
  return at !== undefined && at >= span[0] && at <= span[1] ? at : (span[0] + span[1]) / 2;
}

function moveCursor(plot: uPlot, step: number): void {
  const times = plot.data[0];
  const [first, last] = plot.series[0]?.idxs ?? [0, times.length - 1];
  const now = typeof plot.cursor.idx === 'number' ? plot.cursor.idx : step > 0 ? first - 1 : last + 1;
  const index = Math.min(last, Math.max(first, now + step));
  const at = times[index];
  if (at === undefined) return;
  plot.setCursor({ left: plot.valToPos(at, 'x'), top: plot.over.clientHeight / 2 }, true);
}

/** Two fingers zoom; one pans where the chart is zoomed, and otherwise scrolls the page. Returns what undoes it. */
export function addTouch(plot: uPlot, wholeSpan: () => Span): () => void {
  const touches = new Map<number, number>();
  const { over } = plot;
  const valueAt = (x: number): number => plot.posToVal(x - over.getBoundingClientRect().left, 'x');
  const isTouch = (event: PointerEvent): boolean => event.pointerType === 'touch';
  over.style.touchAction = 'pan-y';

  const down = (event: PointerEvent): void => {
    if (isTouch(event)) touches.set(event.pointerId, event.clientX);
  };
  const move = (event: PointerEvent): void => {
    const before = touches.get(event.pointerId);
    if (before === undefined) return;
    const whole = wholeSpan();
    const span = spanOf(plot, whole);
    const other = [...touches].find(([id]) => id !== event.pointerId)?.[1];
    touches.set(event.pointerId, event.clientX);
    if (other !== undefined) {
      const factor = Math.abs(before - other) / Math.max(10, Math.abs(event.clientX - other));
      show(plot, zoomSpan(span, factor, valueAt((event.clientX + other) / 2), whole));
    } else show(plot, shiftInside(span, valueAt(before) - valueAt(event.clientX), whole));
  };
  const up = (event: PointerEvent): void => {
    touches.delete(event.pointerId);
  };
  const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up } as const;
  for (const [name, listener] of Object.entries(listeners)) over.addEventListener(name, listener as EventListener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) over.removeEventListener(name, listener as EventListener);
  };
}
