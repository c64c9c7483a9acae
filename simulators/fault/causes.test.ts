import { describe, expect, test } from 'vitest';
import { metricOf } from '#domain/metric.js';
import { loadCatalog } from '#profiles/catalog.js';
import { quantitiesOf } from '../device/quantities.js';
import { parseScenario } from '../scenarios/scenario.js';
import { createSimulation, type PostSimulation } from '../simulation.js';
import { FAULT_GROUPS, FAULT_KINDS, type Fault, type PlantFault } from './fault.js';

const { profiles: catalog } = loadCatalog();
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const JUNE = Date.UTC(2026, 5, 20, 19);
const JANUARY = Date.UTC(2026, 0, 14, 19);

/** Of each kind of the plant's faults an example, the post that it shows at, and the metrics in which it must show. */
type Bare<F> = F extends unknown ? Omit<F, 'fromS'> : never;

interface Example {
  readonly fault: Bare<PlantFault>;
  readonly shows: readonly string[];
  /** How long it takes. Default: two hours of a summer day's noon. */
  readonly afterS?: number;
  readonly from?: number;
  readonly world?: object;
  readonly also?: readonly Fault[];
}

const weakPost = { battery: { startSoc: 30 }, pv: { capacityW: 0 } };
const noGenset = { genset: { ratedW: 0 } };
const byHand: Fault = { kind: 'pumpByHand', fromS: 0 };
const frost = { line: { exposedM: 20, traceHeatingW: 300 }, site: { meanTemperatureC: -14 } };

const EXAMPLES: Readonly<Record<PlantFault['kind'], Example>> = {
  batterySoc: { fault: { kind: 'batterySoc', soc: 12 }, shows: ['battery.soc', 'battery.voltage', 'battery.faults'] },
  coldChargeAllowed: {
    fault: { kind: 'coldChargeAllowed' },
    shows: ['battery.current', 'battery.chargeCurrentLimit'],
    from: JANUARY,
    afterS: 11 * HOUR_S,
    world: { battery: { roomMinC: -20, startSoc: 50 } },
  },
  roomHeaterOff: { fault: { kind: 'roomHeaterOff' }, shows: ['battery.temperature'], from: JANUARY, afterS: DAY_S },
  roomHot: { fault: { kind: 'roomHot', kelvin: 60 }, shows: ['battery.temperature', 'battery.faults'], afterS: DAY_S },
  weakCell: {
    fault: { kind: 'weakCell', soc: 40 },
    shows: ['battery.dischargeCurrentLimit', 'battery.faults', 'bms.alarms', 'battery.cellVoltageMin'],
    world: { ...weakPost, ...noGenset },
  },
  shuntOffset: {
    fault: { kind: 'shuntOffset', amperes: 4 },
    shows: ['battery.soc', 'battery.consumedCharge'],
    afterS: 10 * HOUR_S,
  },
  capacityFade: { fault: { kind: 'capacityFade', share: 0.3 }, shows: ['battery.soh', 'battery.soc'], from: JUNE },
  looseLug: { fault: { kind: 'looseLug', factor: 20 }, shows: ['battery.voltage'] },
  bmsTrip: {
    fault: { kind: 'bmsTrip' },
    shows: ['battery.current', 'bms.alarms', 'load.power'],
    world: { pv: { capacityW: 0 } },
  },
  cellSensorOpen: { fault: { kind: 'cellSensorOpen' }, shows: ['battery.temperature', 'bms.temperature'] },
  inverterTrip: {
    fault: { kind: 'inverterTrip' },
    shows: ['inverter.state', 'inverter.faults', 'load.power', 'ac.l1.voltage'],
  },
  insulationFault: { fault: { kind: 'insulationFault' }, shows: ['inverter.faults', 'pv.power'] },
  extraLoad: { fault: { kind: 'extraLoad', watts: 14_000 }, shows: ['load.power', 'inverter.faults'], afterS: 150 },
  fanBlocked: { fault: { kind: 'fanBlocked' }, shows: ['inverter.temperature', 'inverter.warnings'] },
  outputVoltage: { fault: { kind: 'outputVoltage', factor: 0.8 }, shows: ['load.l1.voltage'] },
  outputFrequency: { fault: { kind: 'outputFrequency', hertz: 3 }, shows: ['load.frequency'] },
  surgeProtectorGone: { fault: { kind: 'surgeProtectorGone' }, shows: ['inverter.warnings'] },
  gridLost: {
    fault: { kind: 'gridLost' },
    shows: ['grid.power'],
    world: { ...weakPost, ...noGenset, grid: { maxW: 6000 } },
  },
  shading: { fault: { kind: 'shading', share: 0.6 }, shows: ['pv.power'] },
  stringOut: { fault: { kind: 'stringOut', string: 2 }, shows: ['pv2.power', 'pv2.current'] },
  snow: { fault: { kind: 'snow', share: 0.05 }, shows: ['pv.power'] },
  snowfall: { fault: { kind: 'snowfall', cmPerHour: 2 }, shows: ['pv.power'] },
  dust: {
    fault: { kind: 'dust', perDay: 0.05 },
    shows: ['pv.power'],
    afterS: 3 * DAY_S,
    world: { battery: { capacityWh: 200_000, startSoc: 20 }, ...noGenset },
  },
  arrayOff: { fault: { kind: 'arrayOff' }, shows: ['pv.power', 'pv1.power'] },
  irradianceSensorBad: { fault: { kind: 'irradianceSensorBad', factor: 1.5 }, shows: ['weather.irradiance'] },
  panelsStolen: { fault: { kind: 'panelsStolen', string: 1 }, shows: ['pv1.power', 'pv1.voltage'] },
  gensetFailsToStart: {
    fault: { kind: 'gensetFailsToStart' },
    shows: ['genset.state', 'genset.faults', 'genset.power'],
    world: weakPost,
  },
  fuelGelled: { fault: { kind: 'fuelGelled', celsius: 30 }, shows: ['genset.state', 'genset.faults'], world: weakPost },
  fuelTheft: { fault: { kind: 'fuelTheft', litresPerHour: 30 }, shows: ['genset.fuelLevel'] },
  passClosed: {
    fault: { kind: 'passClosed' },
    shows: ['genset.fuelLevel'],
    afterS: 2 * DAY_S,
    world: { genset: { ratedW: 8000, refuelDays: 1 } },
  },
  gensetIdles: { fault: { kind: 'gensetIdles', watts: 200 }, shows: ['genset.power'], world: weakPost },
  gensetStops: { fault: { kind: 'gensetStops' }, shows: ['genset.state', 'genset.faults'], world: weakPost },
  starterChargerOff: { fault: { kind: 'starterChargerOff' }, shows: ['genset.starterVoltage'] },
  oilLost: { fault: { kind: 'oilLost' }, shows: ['genset.oilPressure', 'genset.faults'], world: weakPost, afterS: 45 },
  radiatorBlocked: {
    fault: { kind: 'radiatorBlocked' },
    shows: ['genset.coolantTemperature', 'genset.faults'],
    world: weakPost,
  },
  injectorsWorn: { fault: { kind: 'injectorsWorn', factor: 1.5 }, shows: ['genset.fuelLevel'], world: weakPost },
  blockHeaterOff: {
    fault: { kind: 'blockHeaterOff' },
    shows: ['genset.coolantTemperature'],
    from: JANUARY,
    afterS: 12 * HOUR_S,
  },
  dryWell: { fault: { kind: 'dryWell' }, shows: ['pump.power', 'pump.head', 'water.flow'], also: [byHand] },
  wellLow: { fault: { kind: 'wellLow', factor: 0.004 }, shows: ['pump.head', 'water.flow'], also: [byHand] },
  noFlow: { fault: { kind: 'noFlow' }, shows: ['water.flow', 'pump.outletPressure'], also: [byHand] },
  brokenShaft: { fault: { kind: 'brokenShaft' }, shows: ['pump.power', 'water.flow'], also: [byHand] },
  pumpByHand: { fault: { kind: 'pumpByHand' }, shows: ['pump.mode', 'tank.level'] },
  pumpOff: { fault: { kind: 'pumpOff' }, shows: ['tank.level', 'pump.volumeEstimate'], afterS: DAY_S },
  pumpUnpowered: { fault: { kind: 'pumpUnpowered' }, shows: ['pump.power', 'pump.frequency'], also: [byHand] },
  wornPump: { fault: { kind: 'wornPump', factor: 0.85 }, shows: ['water.flow', 'pump.head'], also: [byHand] },
  sandInPump: { fault: { kind: 'sandInPump', factor: 1.4 }, shows: ['pump.power', 'pump.current'], also: [byHand] },
  gasInWater: { fault: { kind: 'gasInWater' }, shows: ['pump.head', 'water.flow'], also: [byHand] },
  closedValve: { fault: { kind: 'closedValve' }, shows: ['water.flow', 'pump.head'], also: [byHand] },
  blockage: { fault: { kind: 'blockage', factor: 4 }, shows: ['water.flow', 'pump.head'], also: [byHand] },
  lineLeak: {
    fault: { kind: 'lineLeak', share: 0.5 },
    shows: ['tank.level'],
    also: [{ kind: 'pumpByHand', fromS: 0, toS: 1800 }],
  },
  backgroundLeak: {
    fault: { kind: 'backgroundLeak', flowM3h: 0.2 },
    shows: ['tank.level'],
    also: [{ kind: 'pumpByHand', fromS: 0, toS: 900 }],
  },
  lineBurst: {
    fault: { kind: 'lineBurst', flowM3h: 1.5 },
    shows: ['water.flow', 'pump.outletPressure'],
    also: [byHand],
  },
  traceHeatingOff: {
    fault: { kind: 'traceHeatingOff' },
    shows: ['weather.pipeTemperature'],
    from: JANUARY,
    afterS: DAY_S,
    world: frost,
  },
  checkValveLeaks: { fault: { kind: 'checkValveLeaks', flowM3h: 0.3 }, shows: ['water.volumeReverse', 'tank.level'] },
  tankLeak: { fault: { kind: 'tankLeak', flowM3h: 0.4 }, shows: ['tank.level'] },
  floatStuckFull: { fault: { kind: 'floatStuckFull' }, shows: ['tank.floatFull', 'tank.level'], afterS: DAY_S },
  floatStuckNotFull: { fault: { kind: 'floatStuckNotFull' }, shows: ['tank.level'], afterS: DAY_S },
  meterStopped: { fault: { kind: 'meterStopped' }, shows: ['water.flow', 'water.volume'], also: [byHand] },
  meterEmpty: { fault: { kind: 'meterEmpty' }, shows: ['water.signalQuality', 'water.faults'] },
  meterPoorSignal: { fault: { kind: 'meterPoorSignal' }, shows: ['water.signalQuality', 'water.transitTimeRatio'] },
  nobodyHome: { fault: { kind: 'nobodyHome' }, shows: ['tank.level'], afterS: 6 * HOUR_S },
  guests: { fault: { kind: 'guests', factor: 3 }, shows: ['tank.level'], afterS: 6 * HOUR_S },
};

/** A post with one device of every kind, so that whatever shows anywhere shows here. */
function postWith(example: Example, faults: readonly Fault[]): PostSimulation {
  const from = example.from ?? JUNE + 12 * HOUR_S * 1000;
  const site = { cloudShare: 0, ...(example.world as { site?: object } | undefined)?.site };
  const parsed = parseScenario({
    name: 'causes',
    summary: 'One post, one fault',
    seed: 7,
    posts: [
      {
        id: 'post',
        name: 'Post',
        world: { genset: { ratedW: 8000 }, ...example.world, site },
        devices: [{ id: 'inverter', profile: 'deye/sg04lp3', unit: 1 }],
        faults: [...faults],
      },
    ],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const simulation = createSimulation(parsed.value, { startAt: from, catalog });
  const post = simulation.posts.get('post')!;
  simulation.stepTo(from + (example.afterS ?? 2 * HOUR_S) * 1000);
  return post;
}

function shownBy(post: PostSimulation): Readonly<Record<string, unknown>> {
  const kinds = ['pump', 'inverter', 'water-meter', 'tank', 'weather'] as const;
  return Object.assign({}, ...kinds.map((kind) => quantitiesOf(post.spec, post.state(), { kind })));
}

test('there are causes enough behind the alerts, and an example of each', () => {
  const kinds = (['battery', 'inverter', 'array', 'genset', 'pump', 'water'] as const).flatMap(
    (group) => FAULT_GROUPS[group],
  );
  expect(Object.keys(EXAMPLES).sort()).toEqual([...kinds].sort());
  expect(kinds.length).toBeGreaterThanOrEqual(40);
  expect(new Set(Object.values(FAULT_GROUPS).flat()).size).toBe(FAULT_KINDS.size);
});

describe('each cause shows where it should, against a twin that has nothing', () => {
  test.each(Object.entries(EXAMPLES))('%s', (_, example) => {
    const fault = { fromS: 0, ...example.fault } as Fault;
    const ill = shownBy(postWith(example, [...(example.also ?? []), fault]));
    const well = shownBy(postWith(example, example.also ?? []));
    for (const metric of example.shows) {
      const [bad, good] = [ill[metric], well[metric]];
      if (typeof bad === 'number' && typeof good === 'number' && metricOf(metric)?.kind !== 'counter')
        // Beside the flutter of a sensor, which is a thousandth or two.
        expect(Math.abs(bad - good), `${metric}: ${bad} and ${good}`).toBeGreaterThan(
          0.004 * Math.max(1, Math.abs(good)),
        );
      else expect(bad, metric).not.toEqual(good);
    }
  });
});
