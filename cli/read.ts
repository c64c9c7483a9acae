// `oftob read`: what a device says right now, decoded, with the quality of each value.

import { metricOf } from '#domain/metric.js';
import { qualityOf } from '#domain/quality.js';
import type { Reading } from '#domain/reading.js';
import { ok, type Result } from '#domain/result.js';
import { readDevice } from '#gateway/poll/read-device.js';
import type { Bus } from '#gateway/ports.js';
import { type LoadedProfile, loadCatalog, suggest } from '#profiles/catalog.js';
import { createBus } from './buses.js';
import { type Command, type CommandFault, done, fault, integerOf, type Options, textOf } from './command.js';

export const read: Command = {
  name: 'read',
  summary: 'Reads a device once and prints every value with its quality.',
  usage: '--profile ID (--tcp HOST:PORT | --rtu PATH) --unit N',
  options: [
    { name: 'profile', value: 'ID', meaning: 'profile of the device, see: oftob profiles list' },
    { name: 'tcp', value: 'HOST:PORT', meaning: 'Modbus TCP' },
    { name: 'rtu', value: 'PATH', meaning: 'serial port, such as /dev/ttyUSB0' },
    { name: 'baud', value: 'N', meaning: 'serial speed (the profile’s, else 9600)' },
    { name: 'parity', value: 'none|even|odd', meaning: 'serial parity (the profile’s, else none)' },
    { name: 'unit', value: 'N', meaning: 'unit of the device (the profile’s)' },
    { name: 'json', meaning: 'print JSON' },
  ],
  example: 'oftob read --profile eastron/sdm630 --tcp 192.168.10.20:502 --unit 1',
  async run(options) {
    const request = parseRequest(options);
    if (!request.ok) return request;
    const { loaded, bus, unit } = request.value;
    try {
      const readings = await readDevice(loaded.profile, bus, unit);
      process.stdout.write(options.json === true ? asJson(loaded, unit, readings) : asTable(readings));
      const answered = readings.some(({ reason }) => qualityOf(reason) !== 'invalid' || reason === 'sentinel');
      if (answered) return done;
      const reason = readings[0]?.reason ?? 'timeout';
      return fault(
        'READ_NO_ANSWER',
        `no value from unit ${unit} (${reason}): check address, unit, wiring, baud and parity`,
      );
    } finally {
      await bus.close();
    }
  },
};

interface ReadRequest {
  readonly loaded: LoadedProfile;
  readonly bus: Bus;
  readonly unit: number;
}

function parseRequest(options: Options): Result<ReadRequest, CommandFault> {
  const id = textOf(options, 'profile');
  if (id === undefined) return fault('USAGE', 'read needs --profile. See: oftob profiles list');
  const { profiles } = loadCatalog();
  const loaded = profiles.get(id);
  if (loaded === undefined) {
    const near = suggest(id, profiles.keys());
    return fault(
      'PROFILE_UNKNOWN',
      `there is no profile "${id}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
  const unit = integerOf(options, 'unit', 0, 255);
  if (!unit.ok) return unit;
  const bus = parseBus(options, loaded);
  if (!bus.ok) return bus;
  return ok({ loaded, bus: bus.value, unit: unit.value ?? loaded.profile.protocol.unit });
}

function parseBus(options: Options, { profile }: LoadedProfile): Result<Bus, CommandFault> {
  const tcp = textOf(options, 'tcp');
  const rtu = textOf(options, 'rtu');
  if ((tcp === undefined) === (rtu === undefined))
    return fault('USAGE', 'read needs either --tcp HOST:PORT or --rtu PATH');
  const timeoutMs = profile.protocol.timeoutMs ?? 1000;
  if (tcp !== undefined) {
    const match = /^(.+):(\d{1,5})$/.exec(tcp);
    const port = Number(match?.[2]);
    if (match?.[1] === undefined || port < 1 || port > 65535)
      return fault('USAGE', `--tcp must be HOST:PORT, not "${tcp}"`);
    return ok(
      createBus({ id: 'read', type: 'tcp', host: match[1].replace(/^\[|\]$/g, ''), port, timeoutMs }, [profile]),
    );
  }
  const baud = integerOf(options, 'baud', 300, 1_000_000);
  if (!baud.ok) return baud;
  const parity = textOf(options, 'parity') ?? profile.protocol.serial?.parity ?? 'none';
  if (parity !== 'none' && parity !== 'even' && parity !== 'odd')
    return fault('USAGE', `--parity must be none, even or odd, not "${parity}"`);
  const line = {
    baud: baud.value ?? profile.protocol.serial?.baud ?? 9600,
    parity,
    stopBits: profile.protocol.serial?.stopBits ?? 1,
  } as const;
  return ok(createBus({ id: 'read', type: 'rtu', path: rtu ?? '', timeoutMs, ...line }, [profile]));
}

function asJson(loaded: LoadedProfile, unit: number, readings: readonly Reading[]): string {
  const rows = readings.map(({ metric, value, reason }) => ({
    metric,
    value,
    unit: metricOf(metric)?.unit ?? null,
    quality: qualityOf(reason),
    reason,
  }));
  return `${JSON.stringify({ profile: loaded.profile.id, unit, readings: rows })}\n`;
}

function asTable(readings: readonly Reading[]): string {
  const width = Math.max(0, ...readings.map(({ metric }) => metric.length)) + 2;
  return readings
    .map(({ metric, value, reason }) => {
      const shown = value === null ? '–' : `${value} ${metricOf(metric)?.unit ?? ''}`.trimEnd();
      return `${metric.padEnd(width)}${reason === 'good' ? shown : `${shown}  (${qualityOf(reason)}: ${reason})`}\n`;
    })
    .join('');
}
