import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { parseGatewayConfig } from './config.js';

const catalog = loadCatalog().profiles;

const LEAST = `
fleet: pamir
post: kyzyl-art
dataFolder: /var/lib/oftob/gateway
mqtt:
  url: mqtt://127.0.0.1:1883
buses:
  - id: cabinet
    type: tcp
    host: 192.168.10.20
devices:
  - id: house-meter
    bus: cabinet
    profile: eastron/sdm630
    role: load
`;

/** `path: message` of every fault, without the lines. */
function faultsOf(text: string): string[] {
  const parsed = parseGatewayConfig(text, catalog);
  if (parsed.ok) return [];
  return parsed.fault.map(({ path, message }) => `${path}: ${message.replace(/ \(line \d+\)$/, '')}`);
}

describe('the configuration of a post', () => {
  test('needs little: the rest is filled in from profiles and defaults', () => {
    expect(parseGatewayConfig(LEAST, catalog)).toEqual({
      ok: true,
      value: {
        fleet: 'pamir',
        post: 'kyzyl-art',
        dataFolder: '/var/lib/oftob/gateway',
        mqtt: { url: 'mqtt://127.0.0.1:1883' },
        batchPeriodMs: 60_000,
        full: false,
        outbox: { bytesMax: 512_000_000, keepReceiptedMs: 604_800_000, writeDelayMs: 10_000 },
        uplink: {},
        buses: [{ id: 'cabinet', type: 'tcp', host: '192.168.10.20', port: 502, timeoutMs: 1000 }],
        devices: [
          {
            id: 'house-meter',
            bus: 'cabinet',
            profile: 'eastron/sdm630',
            unit: 1,
            role: 'load',
            reversed: false,
            pollPeriodMs: 10_000,
            deadbands: {},
            watch: {},
          },
        ],
      },
    });
  });

  test('sets a serial line as the profile of its device says, unless the file knows better', () => {
    const serial = LEAST.replace(
      'type: tcp\n    host: 192.168.10.20',
      'type: rtu\n    path: /dev/ttyUSB0\n    parity: even',
    );
    const parsed = parseGatewayConfig(serial, catalog);
    expect(parsed.ok && parsed.value.buses).toEqual([
      { id: 'cabinet', type: 'rtu', path: '/dev/ttyUSB0', baud: 9600, parity: 'even', stopBits: 1, timeoutMs: 1000 },
    ]);
  });

  test('an unknown profile is told with the one that was meant, and its line', () => {
    const parsed = parseGatewayConfig(LEAST.replace('sdm630', 'sdm63'), catalog);
    expect(parsed.ok ? [] : parsed.fault).toEqual([
      {
        path: 'devices[0].profile',
        message: 'no such profile "eastron/sdm63"; did you mean "eastron/sdm630"? (line 14)',
      },
    ]);
  });

  test('every fault is told at once', () => {
    const text = `
fleet: Pamir
post: kyzyl-art
mqtt:
  url: 127.0.0.1:1883
  user: x
buses:
  - id: cabinet
    type: tpc
    host: 192.168.10.20
  - id: cabinet
    type: rtu
    host: 192.168.10.21
devices:
  - id: house-meter
    bus: kabinet
    profile: eastron/sdm630
    rolle: load
  - id: house-meter
    bus: cabinet
    profile: victron/gx
    unit: 300
    role: load
    deadbands:
      battery.sock: 1
    watch:
      battery.soc: { low: 50, high: 20 }
`;
    expect(faultsOf(text).sort()).toEqual(
      [
        'fleet: "Pamir" must match ^[a-z0-9-]{1,32}$',
        'dataFolder: is missing',
        'mqtt.url: "127.0.0.1:1883" must match ^(mqtts?|wss?|tcp|ssl)://',
        'mqtt.user: no such key; there is "url", "username", "password", "ca"',
        'buses[0].type: "tpc" is none of tcp, rtu, rtu-over-tcp; did you mean "tcp"?',
        'buses[1].id: "cabinet" is the id of buses[0] too',
        'buses[1].path: is missing: the serial port, such as /dev/ttyUSB0',
        'buses[1].host: means nothing for type rtu',
        'devices[0].bus: no such bus "kabinet"; did you mean "cabinet"?',
        'devices[0].rolle: no such key; did you mean "role"?',
        'devices[1].id: "house-meter" is the id of devices[0] too',
        'devices[1].unit: must be <= 255, is 300',
        'devices[1].role: is for meters; "victron/gx" is of kind inverter',
        'devices[1].deadbands.battery.sock: the device has no such metric; did you mean "battery.soc"?',
        'devices[1].watch.battery.soc: low 50 is not below high 20',
      ].sort(),
    );
  });

  test('the same unit of a bus with the same profile twice is a slip of the hand', () => {
    const twice = `${LEAST}  - id: other-meter\n    bus: cabinet\n    profile: eastron/sdm630\n`;
    expect(faultsOf(twice)).toEqual([
      'devices[1].unit: "other-meter" and "house-meter" are the same unit of bus "cabinet" with the same profile',
    ]);
  });

  test.each([
    ['nothing', ''],
    ['a list', '- a\n- b\n'],
    ['no YAML', 'fleet: [pamir\npost: x: y'],
    ['a key twice', `${LEAST}fleet: other\n`],
    ['an alias bomb', `a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [${'*b, '.repeat(60)}*b]\n`],
  ])('%s is a fault and no crash', (_, text) => {
    expect(faultsOf(text)).not.toEqual([]);
  });
});
