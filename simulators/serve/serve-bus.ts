// A bus on whatever wire its readers speak.
import { serveRtuOverTcp } from './modbus-rtu.js';
import { serveModbusTcp } from './modbus-tcp.js';
import { serveRtu } from './pseudo-terminal.js';
import type { ServedBus, ServedUnits } from './slave.js';

export type { ServedBus } from './slave.js';

/** `rtu` is a pseudo-terminal of this machine. */
export const WIRES = ['tcp', 'rtu', 'rtu-over-tcp'] as const;
export type WireKind = (typeof WIRES)[number];

export type Wire =
  | { readonly kind: 'tcp' | 'rtu-over-tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'rtu' };

/** Rejects when the port is taken, or there is no pseudo-terminal to be had. */
export function serveBus(wire: Wire, units: ServedUnits): Promise<ServedBus> {
  if (wire.kind === 'rtu') return serveRtu(units);
  const options = { ...units, host: wire.host, port: wire.port };
  return wire.kind === 'tcp' ? serveModbusTcp(options) : serveRtuOverTcp(options);
}
