import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseServerConfig, parseStoreUrl } from './config.js';

const least = 'fleet: pamir\ndataFolder: /var/lib/oftob\n';

function faultsOf(text: string): string[] {
  const parsed = parseServerConfig(text);
  return parsed.ok ? [] : parsed.fault.map(({ path, message }) => `${path} ${message}`);
}

test('the least configuration has a value for everything', () => {
  expect(parseServerConfig(least)).toEqual({
    ok: true,
    value: {
      fleet: 'pamir',
      dataFolder: '/var/lib/oftob',
      http: { host: '127.0.0.1', port: 8080 },
      broker: { kind: 'embedded', port: 1883 },
      store: { kind: 'embedded' },
      posts: [],
      alarms: {},
      notices: {},
      retention: { rawDays: 400, quarterYears: 10 },
    },
  });
});

test('the example of deploy/ is understood', () => {
  const parsed = parseServerConfig(readFileSync(new URL('../deploy/server.yaml', import.meta.url), 'utf8'));
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      broker: { kind: 'external', url: 'mqtt://127.0.0.1:1883' },
      store: { kind: 'influx', url: 'http://127.0.0.1:8086', database: 'oftob', policies: true },
      posts: [{ id: 'kyzyl-art', zone: 'Asia/Dushanbe', pump: { staticHeadM: 45 }, alarms: {} }, { id: 'karakul' }],
      alarms: { batterySocLow: { limit: 35 } },
    },
  });
});

test('a full configuration keeps every word', () => {
  const parsed = parseServerConfig(`${least}
http: { port: 0 }
broker: embedded
brokerPort: 18830
store: { url: 'influxs://oftob:p%40ss@db.example:443/telemetry', caFile: /etc/oftob/ca.pem, policies: false }
posts:
  - { id: langar, latitude: 37.0, longitude: 72.6, alarms: { pumpDryRun: { onDelayS: 5, latching: true, priority: 1 } } }
notices:
  email: { host: 127.0.0.1, port: 25, secure: false, from: oftob@x.tj, to: [a@x.tj] }
`);
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      http: { host: '127.0.0.1', port: 0 },
      broker: { kind: 'embedded', port: 18830 },
      store: {
        kind: 'influx',
        url: 'https://db.example:443',
        database: 'telemetry',
        username: 'oftob',
        password: 'p@ss',
        caFile: '/etc/oftob/ca.pem',
        policies: false,
      },
      posts: [{ name: 'langar', zone: 'UTC', alarms: { pumpDryRun: { onDelayS: 5, latching: true, priority: 1 } } }],
      notices: { email: { minPriority: 2 } },
    },
  });
});

test('every fault is told at once, with its place, its line and what to write', () => {
  expect(
    faultsOf(`fleet: Pamir
datafolder: /x
http: { host: 0.0.0.0, port: 70000 }
broker: mosquitto
store: { url: 'influx://host' }
posts:
  - { id: langar, zone: Asia/Langar, latitude: 100, pump: { device: pump, type: screw } }
  - { id: langar, pvTilt: 3 }
alarms: { batterySoCLow: { limit: 3 } }
notices: { email: { host: h, port: 25, secure: 'no', from: me, to: [] } }
`).sort(),
  ).toEqual(
    [
      'alarms.batterySoCLow is not known here; did you mean "batterySocLow"? (line 9)',
      'broker "mosquitto" is neither "embedded" nor { url: mqtt://host:port } (line 4)',
      'dataFolder is missing; write a text',
      'datafolder is not known here; did you mean "dataFolder"? (line 2)',
      'fleet "Pamir" will not do; write a name of 1 to 32 lower-case letters, digits and hyphens (line 1)',
      'http.host "0.0.0.0" can be reached by others; write 127.0.0.1 until access control is configured, and use an SSH tunnel from elsewhere (line 3)',
      'http.port 70000 will not do; write a whole number from 0 to 65535 (line 3)',
      'notices.email.from "me" will not do; write an e-mail address (line 10)',
      'notices.email.secure "no" will not do; write true or false (line 10)',
      'notices.email.to [] will not do; write a list of 1 to 50 entries (line 10)',
      'posts[0] has one of latitude and longitude; write both or neither (line 7)',
      'posts[0].latitude 100 will not do; write a number from -90 to 90 (line 7)',
      'posts[0].pump.deadHeadPowerW is missing; write a number above 0 (line 7)',
      'posts[0].pump.flowMeterCutoffM3h is missing; write a number from 0 (line 7)',
      'posts[0].pump.ratedFlowM3h is missing; write a number above 0 (line 7)',
      'posts[0].pump.ratedFrequencyHz is missing; write a number above 0 (line 7)',
      'posts[0].pump.shutOffHeadM is missing; write a number above 0 (line 7)',
      'posts[0].pump.staticHeadM is missing; write a number from 0 (line 7)',
      'posts[0].pump.type "screw" will not do; write "centrifugal" or "positive" (line 7)',
      'posts[0].zone "Asia/Langar" is no IANA time zone; write one such as Asia/Dushanbe (line 7)',
      'posts[1].id "langar" is the id of posts[0] too (line 8)',
      'posts[1].pvTilt is not known here; did you mean "pvTiltDeg"? (line 8)',
      'store.url "influx://host" is not of the form influx://user:password@host:8086/database (line 5)',
    ].sort(),
  );
});

test('an address that others could reach is refused by its own code', () => {
  for (const host of ['0.0.0.0', '192.168.1.4', '::', 'example.org', '127.0.0.1.example.org'])
    expect(parseServerConfig(`${least}http: { host: '${host}' }`)).toMatchObject({
      ok: false,
      fault: [{ code: 'CONFIG_NOT_LOOPBACK', path: 'http.host' }],
    });
  for (const host of ['127.0.0.1', 'localhost', '::1'])
    expect(faultsOf(`${least}http: { host: '${host}' }`)).toEqual([]);
});

test('more than a handful of faults of one kind are all told', () => {
  const posts = Array.from({ length: 40 }, (_, i) => `  - { id: P${i} }`).join('\n');
  expect(faultsOf(`${least}posts:\n${posts}`)).toHaveLength(40);
});

test('what is no YAML, or nothing, is a fault and not a crash', () => {
  expect(parseServerConfig('fleet: [')).toMatchObject({ ok: false, fault: [{ code: 'CONFIG_YAML' }] });
  expect(faultsOf('')).toHaveLength(2);
  expect(faultsOf('just text').length).toBeGreaterThan(0);
  expect(faultsOf('- 1').length).toBeGreaterThan(0);
  expect(faultsOf(`${least}broker: null\nstore: []\nposts: {}\nhttp: 4`).length).toBeGreaterThan(0);
});

test('a broker port beside a broker’s address is a contradiction', () => {
  expect(faultsOf(`${least}broker: { url: 'mqtt://127.0.0.1' }\nbrokerPort: 1883`)).toEqual([
    'brokerPort means nothing with a broker that has a url; leave it out (line 4)',
  ]);
  expect(faultsOf(`${least}broker: { uri: 'mqtt://127.0.0.1' }`)).toEqual([
    'broker.url is missing; write an address such as mqtt://127.0.0.1:1883 (line 3)',
    'broker.uri is not known here; did you mean "url"? (line 3)',
  ]);
});

test('a store’s address has a database', () => {
  expect(parseStoreUrl('influx://127.0.0.1/oftob')).toMatchObject({ url: 'http://127.0.0.1:8086', database: 'oftob' });
  for (const url of ['influx://127.0.0.1', 'influx://127.0.0.1/', 'http://127.0.0.1/x', 'influx:///x', 'x'])
    expect(parseStoreUrl(url)).toBeUndefined();
});

test('what is kept for how long has limits, and points never outlive their rollups', () => {
  const parsed = parseServerConfig(`${least}retention: { rawDays: 100 }`);
  expect(parsed).toMatchObject({ ok: true, value: { retention: { rawDays: 100, quarterYears: 10 } } });
  expect(faultsOf(`${least}retention: { rawDays: 7, quarterYears: 1.5, dayYears: 3 }`)).toEqual([
    'retention.dayYears is not known here; there is rawDays, quarterYears (line 3)',
    'retention.rawDays 7 will not do; write a whole number from 40 to 36500 (line 3)',
    'retention.quarterYears 1.5 will not do; write a whole number from 1 to 100 (line 3)',
  ]);
  expect(faultsOf(`${least}retention: { rawDays: 800, quarterYears: 2 }`)).toEqual([
    'retention.quarterYears 2 years are shorter than rawDays (800); write 3 or more (line 3)',
  ]);
});
