// What the tests drill: three devices of the demo's post with gauges, counters, states and words.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type DrillOptions, type DrillReport, runDrill } from '#cli/drill/run-drill.js';
import { demoSite, smallerSite } from '#cli/drill/site.js';
import { loadCatalog } from '#profiles/catalog.js';

const PERIODS = { pollPeriodMs: 30_000, batchPeriodMs: 60_000 };
/** Memory where the system has it as a folder: the drill has its own idea of what a power cut leaves. */
const MEMORY = '/dev/shm';
const folder = existsSync(MEMORY) ? MEMORY : tmpdir();
const demo = demoSite(loadCatalog().profiles);
if (!demo.ok) throw new Error(demo.fault.message);
const site = smallerSite(demo.value, ['pump', 'water-meter', 'tank'], PERIODS);

/** An hour of it, unless told otherwise. */
export function drillPost(options: Partial<DrillOptions> & Pick<DrillOptions, 'seed' | 'full'>): Promise<DrillReport> {
  return runDrill(site, { hours: 1, folder, ...options });
}

/** Drills these seeds in both modes, and gives what a person needs to see of those that went wrong. */
export async function faultsOfSeeds(first: number, count: number): Promise<{ faults: string[]; readings: number }> {
  const faults: string[] = [];
  let readings = 0;
  for (let seed = first; seed < first + count; seed += 1)
    for (const full of [true, false]) {
      const { tally, differences, history } = await drillPost({ seed, full });
      readings += tally.produced;
      if (differences.length > 0)
        faults.push([`seed ${seed}, full: ${full}`, ...history, ...differences.slice(0, 5)].join('\n  '));
    }
  return { faults, readings };
}
