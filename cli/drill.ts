// `oftob drill`: the proof that nothing is lost, on the demo's post or on somebody's own configuration.
import { failed, ok, type Result } from '#domain/result.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { loadCatalog } from '#profiles/catalog.js';
import { type Command, type CommandFault, done, fault, integerOf, type Options, textOf } from './command.js';
import { readConfig } from './config-file.js';
import { type DrillReport, runDrill } from './drill/run-drill.js';
import { type DrillSite, demoSite, siteOf } from './drill/site.js';
import { NO_TALLY, type Tally } from './drill/verdict.js';

/** Differences of one run that are printed; the first ones tell the cause. */
const DIFFERENCES_SHOWN = 8;
const SEED_MAX = 4_294_967_295;

export const drill: Command = {
  name: 'drill',
  summary: 'Proves that no sample is lost: the whole chain on virtual time, while things go wrong by a seed.',
  usage: '--seed N [options]',
  options: [
    {
      name: 'seed',
      value: 'N',
      meaning: 'decides what goes wrong and when; the same seed gives the same drill',
      preset: '1',
    },
    { name: 'seeds', value: 'K', meaning: 'drill K seeds, from N on', preset: '1' },
    { name: 'hours', value: 'H', meaning: 'virtual hours of each drill', preset: '1' },
    {
      name: 'config',
      value: 'FILE',
      meaning: 'a gateway’s configuration (YAML); its devices are simulated. Without it: the demo’s first post',
    },
    { name: 'json', meaning: 'print one JSON document instead of lines' },
  ],
  example: 'oftob drill --seed 7 --hours 6 --config /etc/oftob/gateway.yaml',
  async run(options) {
    const seed = integerOf(options, 'seed', 0, SEED_MAX);
    if (!seed.ok) return seed;
    const seeds = integerOf(options, 'seeds', 1, 1_000_000);
    if (!seeds.ok) return seeds;
    const hours = hoursOf(options);
    if (!hours.ok) return hours;
    const site = chooseSite(options);
    if (!site.ok) return site;
    const first = seed.value ?? 1;
    return drillSeeds(site.value, hours.value, first, seeds.value ?? 1, options.json === true);
  },
};

function hoursOf(options: Options): Result<number, CommandFault> {
  const text = textOf(options, 'hours') ?? '1';
  const hours = Number(text);
  if (Number.isFinite(hours) && hours >= 0.1 && hours <= 1000) return ok(hours);
  return fault('USAGE', `--hours must be a number from 0.1 to 1000, not "${text}"`);
}

function chooseSite(options: Options): Result<DrillSite, CommandFault> {
  const { profiles: catalog } = loadCatalog();
  const file = textOf(options, 'config');
  if (file === undefined) return demoSite(catalog);
  const config = readConfig(file, 'drill', (text) => parseGatewayConfig(text, catalog));
  return config.ok ? siteOf(config.value, catalog) : config;
}

async function drillSeeds(
  site: DrillSite,
  hours: number,
  first: number,
  count: number,
  asJson: boolean,
): Promise<Result<undefined, CommandFault>> {
  const total = { ...NO_TALLY };
  const failures: DrillReport[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    // Once with every reading a sample, and once as the exception rule decides.
    for (const full of [true, false]) {
      const report = await runDrill(site, { seed, hours, full });
      for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += report.tally[name];
      if (report.differences.length > 0) failures.push(report);
      if (!asJson) process.stdout.write(linesOf(report));
    }
  }
  process.stdout.write(
    asJson ? `${JSON.stringify({ seed: first, seeds: count, hours, ...total, failures })}\n` : `${lineOf(total)}\n`,
  );
  const [worst] = failures;
  if (worst === undefined) return done;
  return failed({
    code: 'DRILL_DIFFERENCE',
    message: `the store does not have what the devices gave, with seed ${failures.map(({ seed }) => seed).join(', ')}. The same seed shows it again`,
  });
}

function linesOf({ seed, full, tally, troubles, differences, history }: DrillReport): string {
  const title = `seed ${seed}, ${full ? 'full' : 'by exception'}: ${tally.produced} readings, ${troubles} troubles`;
  if (differences.length === 0) return `${title}\n`;
  const more = differences.length - DIFFERENCES_SHOWN;
  return [
    `${title}, ${differences.length} differences`,
    ...history.map((line) => `  ${line}`),
    ...differences.slice(0, DIFFERENCES_SHOWN).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    '',
  ].join('\n');
}

/** The line that a drill ends with. */
export function lineOf(tally: Tally): string {
  return Object.entries(tally)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
