// The post's configuration as the gateway works with it: defaults filled in, every reference checked.
import type { MeterRole } from '#domain/device-kind.js';
import type { WatchLimits } from './defaults.js';

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
  readonly outbox: { readonly bytesMax: number; readonly keepReceiptedMs: number };
  readonly buses: readonly BusConfig[];
  readonly devices: readonly DeviceConfig[];
}
