// A post of one load meter, as its gateway tells it: a gauge and a counter.
import type { Birth } from '#contract/session.js';

export function loadMeterBirth(at: number): Birth {
  return {
    birth: 1,
    at,
    clock: 'synchronised',
    gateway: { version: '0.1.0', publicKey: '', epoch: '00112233445566aa', start: 1 },
    batchPeriodMs: 60_000,
    devices: [{ id: 'meter', kind: 'meter', pollPeriodMs: 10_000 }],
    metrics: [
      { index: 0, device: 'meter', metric: 'load.power', kind: 'gauge', pollPeriodMs: 10_000, heartbeatS: 300 },
      { index: 1, device: 'meter', metric: 'load.energy', kind: 'counter', pollPeriodMs: 10_000, heartbeatS: 300 },
    ],
  };
}
