// A meter that stands for any device on a simulated bus: 1234.5 W, on the machine's own time.
import { realScheduler } from '#gateway/bus/real-time.js';
import { loadCatalog } from '#profiles/catalog.js';
import { createDeviceOf } from '#simulators/device/simulated-device.js';
import type { ServedUnits } from '#simulators/serve/slave.js';

/** At unit 1; its power is the float at input register 52. */
export function meterAtUnit1(): ServedUnits {
  const profile = loadCatalog().profiles.get('eastron/sdm630')?.profile;
  if (profile === undefined) throw new Error('no profile "eastron/sdm630"');
  const meter = createDeviceOf(profile, (metric) => (metric === 'ac.power' ? 1234.5 : 0));
  return { units: new Map([[1, meter]]), scheduler: realScheduler };
}
