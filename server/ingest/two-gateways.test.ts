// Gateways that share a post, a server that restarts, births that come late, twice or out of order: data is never placed wrongly.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IngestScene, type SceneGateway, sceneSample, SCENE_START as T0 } from '#tests/support/ingest-scene.js';
import { BIRTHS_MAX } from './directory.js';

const ORDERS = [
  ['ac.power', 'ac.voltage', 'ac.current'],
  ['ac.voltage', 'ac.current', 'ac.power'],
  ['ac.current', 'ac.power'],
] as const;

interface Step {
  readonly kind: 'birth' | 'renewed' | 'old birth' | 'retained' | 'data' | 'restart' | 'wait';
  readonly who: number;
  readonly order: number;
  /** Births of small numbers, so that two gateways draw one number now and then. */
  readonly number: number;
  readonly waitMs: number;
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('birth', 'renewed', 'old birth', 'retained', 'data', 'data', 'data', 'restart', 'wait'),
    who: fc.nat(2),
    order: fc.nat(2),
    number: fc.integer({ min: 1, max: 4 }),
    waitMs: fc.constantFrom(10, 1000, 61_000),
  }),
  { minLength: 5, maxLength: 60 },
);

interface Told {
  readonly gateway: SceneGateway;
  readonly number: number;
}

test('whatever two gateways and their broker do, a stored value is of the metric that its gateway measured', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const scene = new IngestScene();
      try {
        const told: Told[][] = [[], [], []];
        let record = 0;
        const wanted = new Map<number, string>();
        for (const { kind, number, order, waitMs, who } of plan) {
          const own = told[who] as Told[];
          const now = own.at(-1);
          const numbers = new Set(told.flat().map((known) => known.number));
          // A gateway never gives one number twice, and the server remembers so many.
          const isFree = !own.some((known) => known.number === number) && numbers.add(number).size <= BIRTHS_MAX;
          if ((kind === 'birth' || kind === 'renewed') && !isFree) continue;
          if (kind === 'birth' || (kind === 'renewed' && now === undefined)) {
            const epoch = `${who}${own.length}`.padStart(16, 'a');
            const gateway = { key: 'K1', epoch, start: own.length, metrics: ORDERS[order] as readonly string[] };
            own.push({ gateway, number });
            scene.birth(gateway, number);
          } else if (kind === 'renewed' && now !== undefined) {
            own.push({ gateway: now.gateway, number });
            scene.birth(now.gateway, number);
          } else if (kind === 'old birth' || kind === 'retained') {
            const old = own[order] ?? now;
            if (old !== undefined) scene.birth(old.gateway, old.number, { retained: kind === 'retained' });
          } else if (kind === 'data' && now !== undefined) {
            const metrics = now.gateway.metrics ?? [];
            record += 1;
            const index = record % metrics.length;
            wanted.set(record, metrics[index] as string);
            scene.data(now.number, now.gateway.epoch, [sceneSample(record, T0 + record, record, index)]);
          } else if (kind === 'restart') {
            await scene.settle();
            await scene.restart();
          } else if (kind === 'wait') await scene.time.advance(waitMs);
        }
        await scene.settle();
        for (const { metric, value } of scene.store.points.values()) expect(metric).toBe(wanted.get(value as number));
        // What was receipted is stored: a record that could not be placed is sent again.
        for (const [first, last] of scene.stored())
          for (let id = first; id <= last; id += 1)
            expect([...scene.store.points.values()].some(({ value }) => value === id)).toBe(true);
      } finally {
        await scene.close();
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
