// The post's configuration: what the gateway works with, with defaults filled in and every reference checked, and how it
// comes out of YAML.
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { type Document, LineCounter, parseDocument } from 'yaml';
import type { Fault } from '#contract/door.js';
import type { MeterRole } from '#domain/device-kind.js';
import { metricOf } from '#domain/metric.js';
import { failed, ok, type Result } from '#domain/result.js';
import type { LoadedProfile } from '#profiles/catalog.js';
import type { Profile } from '#profiles/profile.js';
import { addSchemaFaults, createFaultList, type FaultList, meant } from './config-faults.js';
import { type BusFile, type DeviceFile, type GatewayFile, GatewayFileSchema } from './config-schema.js';
import type { WatchLimits } from './defaults.js';
import { metricsOfDevice } from './device-metrics.js';

interface BusCommon {
  readonly id: string;
  /** Time-out of one request where the profile has none. */
  readonly timeoutMs: number;
}

export interface TcpBusConfig extends BusCommon {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface SerialLine {
  readonly baud: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

export interface RtuBusConfig extends BusCommon, SerialLine {
  readonly type: 'rtu';
  /** `/dev/ttyUSB0`, `COM3`. */
  readonly path: string;
}

/** RTU frames through a socket, as serial servers in transparent mode have it. The line's speed is that behind the server. */
export interface RtuOverTcpBusConfig extends BusCommon, SerialLine {
  readonly type: 'rtu-over-tcp';
  readonly host: string;
  readonly port: number;
}

export type BusConfig = TcpBusConfig | RtuBusConfig | RtuOverTcpBusConfig;

export interface DeviceConfig {
  readonly id: string;
  readonly bus: string;
  /** Id of the profile, `maker/model`. */
  readonly profile: string;
  readonly unit: number;
  /** What a meter measures. */
  readonly role?: MeterRole;
  /** Wired the other way round: powers change sign, import and export change places. */
  readonly reversed: boolean;
  readonly name?: string;
  readonly pollPeriodMs: number;
  /** Overrides the profile's least time between two requests; 0 for simulators. */
  readonly pauseMs?: number;
  /** Metric → how far it may move unrecorded. */
  readonly deadbands: Readonly<Record<string, number>>;
  readonly heartbeatMs?: number;
  /** Metric → limits whose crossing is told at once. */
  readonly watch: Readonly<Record<string, WatchLimits>>;
}

export interface GatewayConfig {
  readonly fleet: string;
  readonly post: string;
  /** Where the outbox and the post's key are. */
  readonly dataFolder: string;
  readonly mqtt: {
    readonly url: string;
    readonly username?: string;
    readonly password?: string;
    /** Path of the certificate authority's PEM file, for `mqtts:`. */
    readonly ca?: string;
  };
  readonly batchPeriodMs: number;
  /** Record every poll, without the exception rule. */
  readonly full: boolean;
  readonly outbox: {
    readonly bytesMax: number;
    readonly keepReceiptedMs: number;
    /** The most that a power cut may take; 0 writes through with every poll. A killed process loses nothing. */
    readonly writeDelayMs: number;
  };
  readonly uplink: {
    /** Bytes on the wire in a day (UTC), both ways; history waits for the next day beyond it. Absent: no limit. */
    readonly dailyBytesMax?: number;
    /** Bytes per second that history may take. Absent: what the link gives. */
    readonly historyBytesPerS?: number;
  };
  readonly buses: readonly BusConfig[];
  readonly devices: readonly DeviceConfig[];
}

type Catalog = ReadonlyMap<string, LoadedProfile>;

const TCP_PORT = 502;
const TIMEOUT_MS = 1000;
const POLL_PERIOD_S = 10;
const BATCH_PERIOD_S = 60;
const OUTBOX_MB = 512;
const KEEP_RECEIPTED_DAYS = 7;
const WRITE_DELAY_S = 10;
const LINE: SerialLine = { baud: 9600, parity: 'none', stopBits: 1 };
const DAY_MS = 86_400_000;

// The library stops at the eighth fault; a person wants them all at once.
Settings.Set({ maxErrors: 200 });
const file = Compile(GatewayFileSchema);

/**
 * Parses a post's configuration. Faults carry the place as `devices[2].profile`, the line, and what was probably meant.
 * @param text YAML
 * @param catalog the profiles that devices may name
 */
export function parseGatewayConfig(text: string, catalog: Catalog): Result<GatewayConfig, readonly Fault[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  if (document.errors.length > 0)
    return failed(document.errors.map(({ message }) => ({ path: '/', message: `is not YAML: ${firstLine(message)}` })));
  const value = plainValue(document);
  if (value === undefined) return failed([{ path: '/', message: 'repeats itself by aliases without end' }]);
  const list = createFaultList(document, lines);
  if (!file.Check(value)) {
    if (value === null) return failed([{ path: '/', message: 'is empty; a least configuration stands in the README' }]);
    addSchemaFaults(list, file.Errors(value), value, GatewayFileSchema);
  }
  addReferenceFaults(list, value, catalog);
  if (list.faults.length > 0 || !file.Check(value)) return failed(list.faults);
  return ok(configOf(value, catalog));
}

/** `undefined` where aliases would make gigabytes of a few lines. */
function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    return undefined;
  }
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}

/** What the schema cannot say. Runs also on a file that the schema refuses, as far as its parts are there. */
function addReferenceFaults(list: FaultList, value: unknown, catalog: Catalog): void {
  const { buses, devices } = (value ?? {}) as { buses?: unknown; devices?: unknown };
  const busFiles = objectsIn<BusFile>(buses);
  const deviceFiles = objectsIn<DeviceFile>(devices);
  addDuplicates(list, 'buses', busFiles);
  addDuplicates(list, 'devices', deviceFiles);
  for (const [index, bus] of busFiles) addBusFaults(list, ['buses', index], bus);
  const busIds = busFiles.map(([, bus]) => String(bus.id));
  const units = new Map<string, string>();
  for (const [index, device] of deviceFiles) {
    const path = ['devices', index];
    if (typeof device.bus === 'string' && !busIds.includes(device.bus))
      list.add([...path, 'bus'], `no such bus "${device.bus}"${meant(device.bus, busIds)}`);
    const loaded = typeof device.profile === 'string' ? catalog.get(device.profile) : undefined;
    if (typeof device.profile === 'string' && loaded === undefined)
      list.add(
        [...path, 'profile'],
        `no such profile "${device.profile}"${meant(device.profile, [...catalog.keys()])}`,
      );
    if (device.id === 'gateway') list.add([...path, 'id'], 'is the gateway’s own name; choose another');
    const place = `${device.bus} ${device.unit ?? loaded?.profile.protocol.unit}`;
    const profileKey = `${place} ${device.profile}`;
    const other = units.get(profileKey);
    if (other !== undefined)
      list.add(
        [...path, 'unit'],
        `"${String(device.id)}" and "${other}" are the same unit of bus "${device.bus}" with the same profile`,
      );
    units.set(profileKey, String(device.id));
    if (loaded !== undefined) addMetricFaults(list, path, device, loaded.profile);
  }
}

function objectsIn<T>(list: unknown): [number, Partial<T>][] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry, index): [number, Partial<T>][] =>
    entry !== null && typeof entry === 'object' ? [[index, entry as Partial<T>]] : [],
  );
}

function addDuplicates(list: FaultList, name: string, entries: readonly [number, { id?: string }][]): void {
  const seen = new Map<string, number>();
  for (const [index, { id }] of entries) {
    if (typeof id !== 'string') continue;
    const other = seen.get(id);
    if (other !== undefined) list.add([name, index, 'id'], `"${id}" is the id of ${name}[${other}] too`);
    else seen.set(id, index);
  }
}

function addBusFaults(list: FaultList, path: readonly (string | number)[], bus: Partial<BusFile>): void {
  const needs = (key: keyof BusFile, why: string) => {
    if (bus[key] === undefined) list.add([...path, key], `is missing: ${why}`);
  };
  const useless = (...keys: (keyof BusFile)[]) => {
    for (const key of keys) if (bus[key] !== undefined) list.add([...path, key], `means nothing for type ${bus.type}`);
  };
  if (bus.type === 'tcp') {
    needs('host', 'the address of the device or converter');
    useless('path', 'baud', 'parity', 'stopBits');
  } else if (bus.type === 'rtu-over-tcp') {
    needs('host', 'the address of the serial server');
    needs('port', 'serial servers have no common one');
    useless('path');
  } else if (bus.type === 'rtu') {
    needs('path', 'the serial port, such as /dev/ttyUSB0');
    useless('host', 'port');
  }
}

function addMetricFaults(
  list: FaultList,
  path: readonly (string | number)[],
  device: Partial<DeviceFile>,
  profile: Profile,
): void {
  if (device.role !== undefined && profile.kind !== 'meter')
    list.add([...path, 'role'], `is for meters; "${profile.id}" is of kind ${profile.kind}`);
  const metrics = metricsOfDevice(deviceOf({ ...device, deadbands: {}, watch: {} }, profile, POLL_PERIOD_S), profile);
  const known = metrics.map(({ metric }) => metric);
  for (const field of ['deadbands', 'watch'] as const)
    for (const [metric, rule] of Object.entries(device[field] ?? {})) {
      const at = [...path, field, metric];
      if (!known.includes(metric)) list.add(at, `the device has no such metric${meant(metric, known)}`);
      else if (metricOf(metric)?.kind !== 'gauge')
        list.add(at, `is a ${metricOf(metric)?.kind}, and this is for gauges`);
      const { low, high } = (typeof rule === 'object' && rule !== null ? rule : {}) as { low?: number; high?: number };
      if (low !== undefined && high !== undefined && low >= high) list.add(at, `low ${low} is not below high ${high}`);
    }
}

function configOf(value: GatewayFile, catalog: Catalog): GatewayConfig {
  const periodS = value.pollPeriodS ?? POLL_PERIOD_S;
  return {
    fleet: value.fleet,
    post: value.post,
    dataFolder: value.dataFolder,
    mqtt: value.mqtt,
    batchPeriodMs: Math.round((value.batchPeriodS ?? BATCH_PERIOD_S) * 1000),
    full: value.full ?? false,
    outbox: {
      bytesMax: Math.round((value.outbox?.maxMB ?? OUTBOX_MB) * 1_000_000),
      keepReceiptedMs: Math.round((value.outbox?.keepReceiptedDays ?? KEEP_RECEIPTED_DAYS) * DAY_MS),
      writeDelayMs: Math.round((value.outbox?.writeDelayS ?? WRITE_DELAY_S) * 1000),
    },
    uplink: {
      ...(value.uplink?.dailyMB !== undefined && { dailyBytesMax: Math.round(value.uplink.dailyMB * 1_000_000) }),
      ...(value.uplink?.historyKBps !== undefined && {
        historyBytesPerS: Math.round(value.uplink.historyKBps * 1000),
      }),
    },
    buses: value.buses.map((bus) => busOf(bus, profilesOn(bus.id, value, catalog))),
    devices: value.devices.flatMap((device) => {
      const loaded = catalog.get(device.profile);
      return loaded === undefined ? [] : [deviceOf(device, loaded.profile, periodS)];
    }),
  };
}

function profilesOn(bus: string, value: GatewayFile, catalog: Catalog): Profile[] {
  return value.devices.flatMap((device) => {
    const loaded = device.bus === bus ? catalog.get(device.profile) : undefined;
    return loaded === undefined ? [] : [loaded.profile];
  });
}

/** A serial line that the file does not describe is set as the profile of its first device says. */
function busOf(bus: BusFile, profiles: readonly Profile[]): BusConfig {
  const common = { id: bus.id, timeoutMs: bus.timeoutMs ?? TIMEOUT_MS };
  if (bus.type === 'tcp') {
    const port = bus.port ?? profiles.find(({ protocol }) => protocol.tcpPort !== undefined)?.protocol.tcpPort;
    return { ...common, type: 'tcp', host: bus.host ?? '', port: port ?? TCP_PORT };
  }
  const said = profiles.find(({ protocol }) => protocol.serial !== undefined)?.protocol.serial ?? LINE;
  const line = {
    baud: bus.baud ?? said.baud,
    parity: bus.parity ?? said.parity,
    stopBits: bus.stopBits ?? said.stopBits,
  };
  if (bus.type === 'rtu') return { ...common, ...line, type: 'rtu', path: bus.path ?? '' };
  return { ...common, ...line, type: 'rtu-over-tcp', host: bus.host ?? '', port: bus.port ?? 0 };
}

function deviceOf(device: Partial<DeviceFile>, profile: Profile, pollPeriodS: number): DeviceConfig {
  const { role, name, pauseMs, heartbeatS } = device;
  return {
    id: device.id ?? '',
    bus: device.bus ?? '',
    profile: profile.id,
    unit: device.unit ?? profile.protocol.unit,
    ...(role !== undefined && { role }),
    reversed: device.reversed ?? false,
    ...(name !== undefined && { name }),
    pollPeriodMs: Math.round((device.pollPeriodS ?? pollPeriodS) * 1000),
    ...(pauseMs !== undefined && { pauseMs }),
    deadbands: device.deadbands ?? {},
    ...(heartbeatS !== undefined && { heartbeatMs: Math.round(heartbeatS * 1000) }),
    watch: device.watch ?? {},
  };
}
