// The post that is drilled: its configuration as the gateway reads it, and simulated devices for each device in it.
import { failed, ok, type Result } from '#domain/result.js';
import { type GatewayConfig, parseGatewayConfig } from '#gateway/config.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import { checkDevices, loadScenario, parseScenario, type Scenario } from '#simulators/scenarios/scenario.js';
import { type CommandFault, fault } from '../command.js';
import { gatewayYaml } from '../demo/fleet-of.js';

export type Catalog = ReadonlyMap<string, LoadedProfile>;

export interface DrillSite {
  readonly config: GatewayConfig;
  readonly scenario: Scenario;
  readonly catalog: Catalog;
}

/** The demo's first post. */
export function demoSite(catalog: Catalog): Result<DrillSite, CommandFault> {
  const scenario = loadScenario('demo');
  const post = scenario.ok ? scenario.value.posts[0] : undefined;
  if (!scenario.ok || post === undefined) return fault('SCENARIO_INVALID', 'the demo has no post');
  const busPorts = new Map(post.devices.map(({ bus }) => [bus, 502]));
  const yaml = gatewayYaml(post, { mqttUrl: 'mqtt://127.0.0.1', dataFolder: '.', busPorts });
  const config = parseGatewayConfig(yaml, catalog);
  if (!config.ok) return faulty(config.fault);
  return ok({ config: config.value, scenario: { ...scenario.value, posts: [post] }, catalog });
}

/** A site of somebody's own: every device of its configuration as a simulated one, at its place on its bus. */
export function siteOf(config: GatewayConfig, catalog: Catalog): Result<DrillSite, CommandFault> {
  const scenario = parseScenario({
    name: 'drill',
    summary: 'Simulated devices of one configuration',
    seed: 1,
    posts: [
      {
        id: config.post,
        name: config.post,
        devices: config.devices.map(({ id, profile, unit, role }, place) => ({
          id,
          // Where two profiles read one unit, each has a device of its own to read.
          bus: `line-${place}`,
          profile,
          unit,
          ...(role === undefined ? {} : { role }),
        })),
      },
    ],
  });
  if (!scenario.ok) return faulty(scenario.fault);
  const faults = checkDevices(scenario.value, (id) => catalog.get(id)?.profile);
  return faults.length > 0 ? faulty(faults) : ok({ config, scenario: scenario.value, catalog });
}

function faulty(faults: readonly { readonly path: string; readonly message: string }[]): Result<never, CommandFault> {
  return failed({
    code: 'DRILL_SITE',
    message: 'this site cannot be simulated; nothing was drilled',
    details: faults.map(({ path, message }) => `${path}: ${message}`),
  });
}

/** The site with some of its devices only, polled and sent at other periods. */
export function smallerSite(
  site: DrillSite,
  devices: readonly string[],
  { pollPeriodMs, batchPeriodMs }: { readonly pollPeriodMs: number; readonly batchPeriodMs: number },
): DrillSite {
  const keeps = ({ id }: { readonly id: string }): boolean => devices.includes(id);
  return {
    ...site,
    config: {
      ...site.config,
      batchPeriodMs,
      devices: site.config.devices.filter(keeps).map((device) => ({ ...device, pollPeriodMs })),
    },
    scenario: {
      ...site.scenario,
      posts: site.scenario.posts.map((post) => ({ ...post, devices: post.devices.filter(keeps) })),
    },
  };
}
