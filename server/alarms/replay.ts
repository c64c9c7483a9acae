// Late data, judged by the same engine from the state at its start: what would have happened had the link been there.
import type { AlarmEvent } from '#domain/alarm.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { Point, Store, StoreFault } from '../ports.js';
import { type JudgedTransition, judgeCommand, judgePoints, judgeTime, type PostEngine } from './judge.js';
import type { AlarmPlan } from './plan.js';

/** What a person said while the data was away. */
export interface Command {
  readonly id: string;
  readonly event: AlarmEvent;
  readonly at: number;
}

export interface Replayed {
  readonly engine: PostEngine;
  readonly transitions: readonly JudgedTransition[];
}

/** Read at once; bounds the memory that a gap of weeks takes. */
const PART_MS = 6 * 3_600_000;

/**
 * Judges everything stored of a post with from ≤ at < to, and the commands given before `to`. The silence of the post itself is not judged again: it is a fact
 * of the server's clock, and late data does not undo it.
 */
export async function replay(
  store: Pick<Store, 'read'>,
  plan: AlarmPlan,
  start: PostEngine,
  span: { readonly from: number; readonly to: number },
  commands: readonly Command[],
): Promise<Result<Replayed, StoreFault>> {
  const silentPlan = {
    ...plan,
    alarms: plan.alarms.filter(({ test }) => test.kind !== 'contact' && test.kind !== 'identity'),
  };
  const transitions: JudgedTransition[] = [];
  let engine = start;
  for (const part of partsOf(span, commands)) {
    const points = await readPart(store, plan, part);
    if (!points.ok) return points;
    const steps = [judgePoints(silentPlan, engine, points.value)];
    const passed = () => steps.at(-1)?.engine ?? engine;
    steps.push(judgeTime(silentPlan, passed(), part.to));
    for (const { id, event, at } of commands)
      if (Math.max(at, span.from) === part.to) steps.push(judgeCommand(silentPlan, passed(), id, event, at));
    engine = passed();
    for (const step of steps) transitions.push(...step.transitions);
  }
  return ok({ engine, transitions });
}

/** The span in parts of limited length, cut also where somebody gave a command. */
function partsOf(
  span: { readonly from: number; readonly to: number },
  commands: readonly Command[],
): { from: number; to: number }[] {
  const cuts = new Set<number>([span.to]);
  for (let at = span.from + PART_MS; at < span.to; at += PART_MS) cuts.add(at);
  for (const { at } of commands) cuts.add(Math.max(at, span.from));
  let from = span.from;
  return [...cuts]
    .sort((a, b) => a - b)
    .map((to) => {
      const part = { from, to };
      from = to;
      return part;
    });
}

async function readPart(
  store: Pick<Store, 'read'>,
  plan: AlarmPlan,
  part: { readonly from: number; readonly to: number },
): Promise<Result<Point[], StoreFault>> {
  const points: Point[] = [];
  for (const key of plan.listeners.keys()) {
    const slash = key.indexOf('/');
    const series = { post: plan.post, device: key.slice(0, slash), metric: key.slice(slash + 1) };
    const read = await store.read(series, part.from, part.to);
    if (!read.ok) return failed(read.fault);
    for (const point of read.value) points.push(point);
  }
  return ok(points);
}
