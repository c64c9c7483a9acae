// A process of its own that serves so many units of one profile as Modbus TCP: every value moves each second, at the price of
// a look into a map, so that the machine is left to what is measured.
import { systemClock, systemScheduler } from '#cli/system.js';
import { metricOf } from '#domain/metric.js';
import { loadCatalog } from '#profiles/catalog.js';
import { imageOf } from '#simulators/device/image.js';
import { createDevice } from '#simulators/device/simulated-device.js';
import { serveModbusTcp } from '#simulators/serve/modbus-tcp.js';

const IMAGES = 60;
const [profileId = '', unitCount = '1'] = process.argv.slice(2);
const profile = loadCatalog().profiles.get(profileId)?.profile;
if (profile === undefined) throw new Error(`no profile ${profileId}`);

/** Words have numbers as well: the first is as good as any. */
const isGauge = (metric: string): boolean => metricOf(metric)?.kind === 'gauge';
const phaseOf = (metric: string): number => [...metric].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
const images = Array.from({ length: IMAGES }, (_, second) =>
  imageOf(profile, (metric) =>
    isGauge(metric) ? 60 + Math.round(400 * Math.sin((second / IMAGES) * 2 * Math.PI + phaseOf(metric))) / 10 : 0,
  ),
);
const imageAt = (shift: number) => () => {
  const image = images[(Math.floor(systemClock.now() / 1000) + shift) % IMAGES];
  if (image === undefined) throw new Error('no image');
  return image;
};
const units = new Map(
  Array.from({ length: Number(unitCount) }, (_, index) => [index + 1, createDevice(profile, imageAt(index))]),
);
const bus = await serveModbusTcp({ host: '127.0.0.1', port: 0, units, scheduler: systemScheduler });
process.stdout.write(`port ${bus.port}\n`);
