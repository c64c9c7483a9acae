// The posts whose bytes are counted. Their metrics are those of their devices; what the gateway says of each device and of
// itself comes on top, and is counted in the bytes.
import { parseScenario, type Scenario } from '#simulators/scenarios/scenario.js';

export const FLEET = 'pamir';

export interface WirePost {
  readonly id: string;
  readonly about: string;
  readonly devices: readonly (readonly [id: string, profile: string, role?: string])[];
}

/** 22 + 14 + 13 + 11 = 60 metrics. */
export const POWER_AND_WATER: WirePost = {
  id: 'power-and-water',
  about: 'inverter, battery, solar pump, water meter: 60 metrics',
  devices: [
    ['gx', 'victron/gx'],
    ['battery', 'victron/gx-battery'],
    ['pump', 'invt/gd100-pv'],
    ['water-meter', 'hipeak/tuf-2000m'],
  ],
};

/** 33 + 14 + 13 = 60 metrics, 26 of them of a meter whose every phase moves with every appliance. */
export const THREE_PHASES: WirePost = {
  id: 'three-phases',
  about: 'three-phase meter, battery, solar pump: 60 metrics',
  devices: [
    ['meter', 'eastron/sdm630', 'load'],
    ['battery', 'victron/gx-battery'],
    ['pump', 'invt/gd100-pv'],
  ],
};

export function scenarioOf(post: WirePost): Scenario {
  const parsed = parseScenario({
    name: 'wire',
    summary: post.about,
    seed: 7,
    posts: [
      {
        id: post.id,
        name: post.id,
        world: {
          site: {
            latitudeDeg: 38.34,
            longitudeDeg: 72.91,
            altitudeM: 3930,
            clockOffsetMin: 300,
            meanTemperatureC: -3,
            cloudShare: 0.35,
          },
          pv: { capacityW: 5000, tiltDeg: 38, azimuthDeg: 172 },
          battery: { capacityWh: 20_000, startSoc: 66 },
          genset: { ratedW: 8000, startSoc: 40, stopSoc: 68 },
          load: { meanW: 430, appliancesPerDay: 8 },
          people: { persons: 28, litresPerDay: 55 },
        },
        devices: post.devices.map(([id, profile, role], i) => ({
          id,
          profile,
          unit: i + 1,
          ...(role === undefined ? {} : { role }),
        })),
      },
    ],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return parsed.value;
}

export interface WireConfig {
  readonly dataFolder: string;
  readonly full: boolean;
  readonly mqttUrl?: string;
  /** Of the simulated devices. */
  readonly port?: number;
}

/** The gateway's configuration for such a post: everything as shipped but for `full`. */
export function configOf(post: WirePost, options: WireConfig): string {
  return [
    `fleet: ${FLEET}`,
    `post: ${post.id}`,
    `dataFolder: ${options.dataFolder}`,
    `full: ${options.full}`,
    `mqtt: { url: '${options.mqttUrl ?? 'mqtt://127.0.0.1'}' }`,
    `buses: [{ id: main, type: tcp, host: 127.0.0.1, port: ${options.port ?? 502} }]`,
    'devices:',
    ...post.devices.map(
      ([id, profile, role], i) =>
        `  - { id: ${id}, bus: main, profile: ${profile}, unit: ${i + 1}, pollPeriodS: 10, pauseMs: 0${role === undefined ? '' : `, role: ${role}`} }`,
    ),
  ].join('\n');
}
