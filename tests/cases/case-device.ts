// A device as a case describes it, behind a bus without wires or time.
import { failed, ok } from '#domain/result.js';
import type { Bus, BusRequest } from '#gateway/ports.js';
import type { Table } from '#profiles/profile.js';

/** What the device has and how it behaves, for one poll. Addresses without words are refused (exception 2) as a strict device does. */
export interface CaseDevice {
  readonly holding?: Readonly<Record<string, readonly number[]>>;
  readonly input?: Readonly<Record<string, readonly number[]>>;
  /** Distance between the addresses of neighbouring words. */
  readonly step?: number;
  readonly silent?: boolean;
  readonly disconnected?: boolean;
  /** Every request is answered with this exception. */
  readonly exception?: number;
  /** Longer requests get exception 3. */
  readonly maxRegisters?: number;
  /** Requests that touch these addresses get exception 2. Others may span what has no words and get 0 there. */
  readonly refuses?: readonly (readonly [number, number])[];
  /** Requests that touch these are not answered. */
  readonly mute?: readonly (readonly [number, number])[];
  /** So many answers are damaged on the way. */
  readonly garbles?: number;
}

export interface CaseBus extends Bus {
  device: CaseDevice;
  /** `table start +count` of each request since it was last emptied. */
  requests: string[];
}

export function createCaseBus(): CaseBus {
  let garbled = 0;
  const bus: CaseBus = {
    device: {},
    requests: [],
    async read(request) {
      bus.requests.push(`${request.table} ${request.start} +${request.count}`);
      const { device } = bus;
      if (device.disconnected) return failed({ code: 'BUS_DISCONNECTED', message: 'no connection' });
      if (device.silent || touches(request, device, device.mute))
        return failed({ code: 'BUS_TIMEOUT', message: 'no answer' });
      if (garbled < (device.garbles ?? 0)) {
        garbled += 1;
        return failed({ code: 'BUS_GARBLED', message: 'noise' });
      }
      garbled = 0;
      return answer(request, device);
    },
    async close() {},
  };
  return bus;
}

function answer(request: BusRequest, device: CaseDevice) {
  const exception = (code: number) =>
    failed({ code: 'BUS_EXCEPTION' as const, exception: code, message: `exception ${code}` });
  if (device.exception !== undefined) return exception(device.exception);
  if (request.count > (device.maxRegisters ?? 125)) return exception(3);
  if (touches(request, device, device.refuses)) return exception(2);
  const words = addressesOf(request, device).map((address) => wordAt(device, request.table, address));
  if (device.refuses === undefined && (words[0] === undefined || words.at(-1) === undefined)) return exception(2);
  return ok(words.map((word) => word ?? 0));
}

function addressesOf(request: BusRequest, device: CaseDevice): number[] {
  return Array.from({ length: request.count }, (_, index) => request.start + index * (device.step ?? 1));
}

function touches(request: BusRequest, device: CaseDevice, ranges: CaseDevice['mute'] = []): boolean {
  return addressesOf(request, device).some((address) => ranges.some(([from, to]) => address >= from && address <= to));
}

function wordAt(device: CaseDevice, table: Table, address: number): number | undefined {
  const runs = Object.entries((table === 'input' ? device.input : device.holding) ?? {});
  for (const [start, words] of runs) {
    const index = (address - Number(start)) / (device.step ?? 1);
    if (Number.isInteger(index) && index >= 0 && index < words.length) return words[index];
  }
  return undefined;
}
