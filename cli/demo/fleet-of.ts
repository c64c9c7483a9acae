// The demo's fleet: a scenario turned into the configurations that a real fleet would have, so that both go through the
// same doors as anybody's.
import { stringify } from 'yaml';
import type { PostFacts } from '#simulators/scenarios/post-facts.js';
import type { Scenario, ScenarioPost } from '#simulators/scenarios/scenario.js';

export const DEMO_FLEET = 'demo';
/** Quick enough to see things move, slow enough to read. */
export const DEMO_POLL_PERIOD_S = 5;
/** Loopback costs nothing by the megabyte. */
export const DEMO_BATCH_PERIOD_S = 10;

/** The scenario with exactly `count` posts: fewer are left out at the end, more are made after the first one. */
export function resizeScenario(scenario: Scenario, count: number): Scenario {
  const posts = scenario.posts.slice(0, count);
  const [model] = scenario.posts;
  for (let number = posts.length + 1; model !== undefined && number <= count; number += 1) {
    const id = `${model.id}-${number}`;
    posts.push({ ...model, id, name: `${model.name} ${number}`, faults: [] });
  }
  return { ...scenario, posts };
}

export interface DemoAddresses {
  readonly mqttUrl: string;
  readonly dataFolder: string;
  /** Bus → port on loopback. */
  readonly busPorts: ReadonlyMap<string, number>;
}

/** The YAML of one post's gateway. */
export function gatewayYaml(post: ScenarioPost, addresses: DemoAddresses): string {
  return stringify({
    fleet: DEMO_FLEET,
    post: post.id,
    dataFolder: addresses.dataFolder,
    mqtt: { url: addresses.mqttUrl },
    batchPeriodS: DEMO_BATCH_PERIOD_S,
    buses: [...addresses.busPorts].map(([id, port]) => ({ id, type: 'tcp', host: '127.0.0.1', port })),
    devices: post.devices.map(({ id, bus, profile, unit, role, name }) => ({
      id,
      bus,
      profile,
      unit,
      ...(role === undefined ? {} : { role }),
      ...(name === undefined ? {} : { name }),
      pollPeriodS: DEMO_POLL_PERIOD_S,
      // Simulated devices need no rest between two requests.
      pauseMs: 0,
    })),
  });
}

export interface DemoServer {
  readonly dataFolder: string;
  readonly port: number;
  /** `embedded` or an `mqtt://` URL. */
  readonly broker: string;
  /** `embedded` or an `influx://` URL. */
  readonly store: string;
  readonly posts: readonly PostFacts[];
}

/** The YAML of the demo's server. Delays are short, so that a newcomer sees alarms come and go within minutes. */
export function serverYaml(server: DemoServer): string {
  const quick = { onDelayS: 5, offDelayS: 10 };
  return stringify({
    fleet: DEMO_FLEET,
    dataFolder: server.dataFolder,
    http: { host: '127.0.0.1', port: server.port },
    broker: server.broker === 'embedded' ? 'embedded' : { url: server.broker },
    ...(server.broker === 'embedded' ? { brokerPort: 0 } : {}),
    store: server.store === 'embedded' ? 'embedded' : { url: server.store },
    posts: server.posts,
    alarms: {
      batterySocLow: quick,
      batterySocCritical: quick,
      // Without a person's reset, so that the demo comes to rest by itself.
      pumpDryRun: { onDelayS: 10, offDelayS: 15, latching: false },
      pumpNoFlow: { onDelayS: 15, offDelayS: 15 },
    },
  });
}
