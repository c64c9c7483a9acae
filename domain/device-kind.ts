// What hangs on a post's bus, and which metrics a profile of each kind must at least offer.

export const DEVICE_KINDS = [
  'inverter',
  'battery',
  'pv',
  'genset',
  'meter',
  'water-meter',
  'tank',
  'pump',
  'weather',
  'gateway',
] as const;
/** Closest in the standards: the logical nodes of IEC 61850-7-420 and IEC 61850-7-4. */
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** A profile of this kind is refused by the lint when one of these is missing. */
export const REQUIRED_METRICS: Readonly<Record<DeviceKind, readonly string[]>> = {
  inverter: ['inverter.state'],
  battery: ['battery.voltage', 'battery.soc'],
  pv: ['pv.power'],
  genset: ['genset.state'],
  meter: ['ac.power', 'ac.energyImport'],
  'water-meter': ['water.flow', 'water.volume'],
  tank: ['tank.level'],
  pump: ['pump.frequency'],
  weather: ['weather.airTemperature'],
  gateway: ['gateway.outboxRecords'],
};

/** What a meter measures is a fact of the wiring, so it stands in the post's configuration, not in the profile. */
export const METER_ROLES = ['load', 'grid', 'genset', 'pv', 'pump'] as const;
export type MeterRole = (typeof METER_ROLES)[number];
