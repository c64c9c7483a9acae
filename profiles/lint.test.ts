import { describe, expect, it } from 'vitest';
import { lintProfile } from './lint.js';
import { lintSample } from './lint-sample.js';
import { lintTexts } from './lint-texts.js';
import type { Derived, Profile, ProfileSample, Register } from './profile.js';

const power: Register = { at: 0, type: 's16', metric: 'ac.power', unit: 'W' };
const energy: Register = { at: 10, type: 'u32', metric: 'ac.energyImport', unit: 'kWh' };

function aMeter(changes: Partial<Profile> = {}, protocol: Partial<Profile['protocol']> = {}): Profile {
  return {
    id: 'maker/meter',
    maker: 'Maker',
    model: 'Meter',
    kind: 'meter',
    sources: ['manual, page 3'],
    registers: [power, energy],
    ...changes,
    protocol: {
      table: 'holding',
      order: 'big',
      maxRegisters: 60,
      allowedGap: 4,
      pauseMs: 0,
      unit: 1,
      tcpPort: 502,
      ...protocol,
    },
  };
}

/** A meter with one more register, after its own two. */
const having = (...more: Register[]) => aMeter({ registers: [power, energy, ...more] });
const extra = (register: Partial<Register>): Register => ({ at: 20, type: 'u16', name: 'extra', ...register });
const voltage = (register: Partial<Register> = {}): Register => ({
  at: 20,
  type: 'u16',
  metric: 'ac.voltage',
  unit: 'V',
  ...register,
});
const summed = (derived: Partial<Derived>, ...parts: Register[]): Profile =>
  aMeter({
    registers: [power, energy, ...parts],
    derived: [{ metric: 'ac.energyExport', sumOf: ['one', 'two'], ...derived } as Derived],
  });
const part = (at: number, name: string, more: Partial<Register> = {}): Register => ({
  at,
  type: 'u32',
  name,
  unit: 'kWh',
  ...more,
});

const findings = (profile: Profile) => lintProfile(profile).map(({ path, message }) => `${path} ${message}`);

describe('a sound profile', () => {
  it('has no findings', () => {
    expect(findings(aMeter())).toEqual([]);
    expect(findings(summed({}, part(12, 'one'), part(14, 'two')))).toEqual([]);
  });
});

const broken: [rule: string, profile: Profile, finding: string][] = [
  // Order, places and names.
  [
    'registers are sorted by address',
    aMeter({ registers: [energy, power] }),
    '/registers/1 stands after 10: sort registers by table and address',
  ],
  [
    'registers are sorted by table first',
    having(extra({ at: 0, table: 'input' }), voltage()),
    '/registers/3 stands after 0: sort registers by table and address',
  ],
  ['registers do not overlap', having(extra({ at: 11 })), '/registers/2 overlaps "ac.energyImport" at holding 11'],
  [
    'a value in several places overlaps nothing with any of them',
    having(extra({ at: 12, type: 'u32', moreWordsAt: [10] })),
    '/registers/2 overlaps "ac.energyImport" at holding 10',
  ],
  [
    'a high word kept apart overlaps nothing',
    having(extra({ at: 12, highWordAt: 0 })),
    '/registers/2 overlaps "ac.power" at holding 0',
  ],
  [
    'a metric is given once',
    having({ ...power, at: 20 }),
    '/registers/2/metric "ac.power" is given twice, also by /registers/0',
  ],
  ['a name is given once', having(extra({}), extra({ at: 21 })), '/registers/3/name "extra" is given twice'],
  [
    'a derived metric is not one that a register gives too',
    summed({ metric: 'ac.energyImport' }, part(12, 'one'), part(14, 'two')),
    '/derived/0/metric "ac.energyImport" is given twice, also by /registers/1',
  ],
  [
    'a register serves something',
    having({ at: 20, type: 'u16' }),
    '/registers/2 has neither "metric" nor "name", so nothing can use it',
  ],
  // Vocabulary.
  [
    'a metric is in the vocabulary',
    having(voltage({ metric: 'ac.volage' })),
    '/registers/2/metric "ac.volage" is not in the vocabulary — did you mean "ac.voltage"?',
  ],
  [
    'a number has a unit',
    having({ at: 20, type: 'u16', metric: 'ac.voltage' }),
    '/registers/2/unit is missing: "ac.voltage" is kept in V',
  ],
  [
    'a unit can become that of the metric',
    having(voltage({ unit: 'A' })),
    '/registers/2/unit A cannot become V, the unit of "ac.voltage"',
  ],
  [
    'a state has no unit',
    having({ at: 20, type: 'enum', metric: 'inverter.state', states: { '0': 'off' }, unit: '1' }),
    '/registers/2/unit means nothing for the type "enum"',
  ],
  [
    'a type fits the kind of its metric',
    having({ at: 20, type: 'u16', metric: 'inverter.state' }),
    '/registers/2/type a u16 cannot be "inverter.state", which is a state',
  ],
  [
    'a profile offers what its kind requires',
    aMeter({ registers: [power] }),
    '/kind a profile of kind "meter" must offer "ac.energyImport"',
  ],
  [
    'each variant offers what the kind requires',
    aMeter({ variants: [{ name: 'old', when: { at: 30 }, without: ['ac.power'] }] }),
    '/kind a profile of kind "meter" must offer "ac.power" in the variant "old"',
  ],
  // Codes.
  [
    'codes have words',
    having({ at: 20, type: 'enum', metric: 'inverter.state' }),
    '/registers/2/states are missing: which word stands for which code?',
  ],
  [
    'bits have codes',
    having({ at: 20, type: 'bits', metric: 'inverter.faults', bits: {} }),
    '/registers/2/bits are missing: which code stands for which bit?',
  ],
  [
    'words are for codes',
    having(extra({ states: { '1': 'on' } })),
    '/registers/2/states go with the type "enum", not "u16"',
  ],
  ['bit codes are for bits', having(extra({ bits: { '1': 'F1' } })), '/registers/2/bits go with the type "bits"'],
  ['a prefix is for codes', having(extra({ prefix: 'F' })), '/registers/2/prefix goes with the type "enum"'],
  [
    'there are no more bits than the words hold',
    having(extra({ type: 'bits', bits: { '16': 'F17' } })),
    '/registers/2/bits/16 there are 16 bits, 0 to 15',
  ],
  [
    'a code fits into the words',
    having(extra({ type: 'enum', states: { '65536': 'on' } })),
    '/registers/2/states/65536 does not fit into 16 bits',
  ],
  // Shape.
  ['a string says its words', having(extra({ type: 'string' })), '/registers/2/type a string needs "words"'],
  ['words fit the type', having(extra({ words: 2 })), '/registers/2/words a u16 has 1 words, not 2'],
  ['a clock has three or six words', having(extra({ type: 'clock', words: 4 })), '/registers/2/words a clock has'],
  ['characters are in strings', having(extra({ charPerWord: true })), '/registers/2/charPerWord goes with'],
  ['a coil is a bit', having(extra({ table: 'input' }), extra({ table: 'coil', name: 'coil' })), 'does not go with'],
  [
    'a register is no bit',
    having(extra({ type: 'bit' })),
    '/registers/2/type "bit" does not go with the table "holding"',
  ],
  [
    'all further words are placed',
    having(extra({ type: 'u64', moreWordsAt: [22] })),
    '/registers/2/moreWordsAt a u64 needs 3 more words, 1 are given',
  ],
  [
    'a high word is for 16 bits',
    having(extra({ type: 'u32', highWordAt: 24 })),
    '/registers/2/highWordAt is for u16 and s16, not for u32',
  ],
  ['addresses end at 65535', having(extra({ at: 65535, type: 'u32' })), '/registers/2/at reaches beyond address 65535'],
  [
    'a sentinel fits into the words',
    having(extra({ invalid: ['0xffffffff'] })),
    '/registers/2/invalid 0xffffffff does not fit into 16 bits',
  ],
  ['only floats are NaN', having(extra({ invalid: ['NaN'] })), '/registers/2/invalid a u16 is never NaN'],
  ['a mask fits into the words', having(extra({ mask: 0x10000 })), '/registers/2/mask does not fit into 16 bits'],
  ['min is below max', having(voltage({ min: 300, max: 200 })), '/registers/2/min 300 is not below max 200'],
  ['a scale is not zero', having(voltage({ scale: 0 })), '/registers/2/scale 0 makes every value 0'],
  // Counters.
  [
    'counters are read at least each minute',
    aMeter({ registers: [power, { ...energy, poll: 'rare' }] }),
    '/registers/1/poll "ac.energyImport" is a counter',
  ],
  [
    'only counters begin again from zero',
    having(voltage({ modulus: 6553.6 })),
    '/registers/2/modulus "ac.voltage" is no counter',
  ],
  [
    'the parts of a derived counter are read at least each minute',
    summed({}, part(12, 'one', { poll: 'rare' }), part(14, 'two', { poll: 'rare' })),
    '/derived/0 "ac.energyExport" is a counter',
  ],
  // What the device allows.
  [
    'nothing forbidden is read',
    aMeter({ forbidden: [{ from: 8, to: 10, why: 'restarts the inverter' }] }),
    '/registers/1 reads 10, which is forbidden: restarts the inverter',
  ],
  [
    'identification reads nothing forbidden',
    aMeter({ forbidden: [{ from: 40, to: 50, why: 'restarts' }], identify: [{ at: 39, type: 'u32' }] }),
    '/identify/0 reads 40, which is forbidden',
  ],
  [
    'a forbidden range goes forward',
    aMeter({ forbidden: [{ from: 50, to: 40, why: 'restarts' }] }),
    '/forbidden/0 ends at 40, before it starts at 50',
  ],
  ['addresses are aligned', aMeter({}, { alignment: 2 }), '/registers/0/at 0 with 1 words breaks the alignment'],
  [
    'the longest request is aligned',
    aMeter({}, { alignment: 2, maxRegisters: 15 }),
    '/protocol/maxRegisters is no multiple of the alignment 2',
  ],
  [
    'a value fits in one request',
    aMeter({}, { maxRegisters: 1 }),
    '/registers/1/type has 2 words, more than one request may read: 1',
  ],
  [
    'the words of one value are near enough for one request',
    having(extra({ at: 20, highWordAt: 90 })),
    '/registers/2 "extra" spans 71 registers (20 to 90), more than one request may: 60',
  ],
  [
    'the words of one value are not parted by a gap that the device does not allow',
    having(extra({ at: 20, highWordAt: 40 })),
    '/registers/2 "extra" cannot be read in one request: unlisted registers up to 25, allowed gap 4',
  ],
  [
    'a way of connection is given',
    { ...aMeter(), protocol: { table: 'holding', order: 'big', maxRegisters: 9, allowedGap: 0, pauseMs: 0, unit: 1 } },
    '/protocol needs "serial", "tcpPort" or both',
  ],
  ['a source says something', aMeter({ sources: [' '] }), '/sources/0 is empty'],
  [
    'a condition can hold',
    aMeter({ identify: [{ at: 0, min: 9, max: 3 }] }),
    '/identify/0 can never hold: min 9 is above max 3',
  ],
  // Groups.
  ['a group has members', having(extra({ group: 'pair' })), '/registers/2/group "pair" has one member'],
  [
    'a group is in one table',
    having(extra({ group: 'pair' }), extra({ table: 'input', name: 'other', group: 'pair' })),
    '/registers/2/group "pair" spans two tables',
  ],
  [
    'a group is read together',
    having(extra({ group: 'pair' }), extra({ at: 21, name: 'other', group: 'pair', poll: 'slow' })),
    '/registers/2/group "pair" has members with different "poll"',
  ],
  [
    'a group fits in one request',
    having(extra({ group: 'pair' }), extra({ at: 99, name: 'other', group: 'pair' })),
    '/registers/2/group group "pair" spans 80 registers',
  ],
  // Names that others use.
  [
    'a scale factor exists',
    having(extra({ name: 'voltageScale' }), voltage({ at: 21, scaleFrom: 'voltageScales' })),
    '/registers/3/scaleFrom no register is named "voltageScales" — did you mean "voltageScale"?',
  ],
  [
    'a scale factor is an integer',
    having(extra({ type: 'f32', name: 'factor' }), voltage({ at: 22, scaleFrom: 'factor' })),
    '/registers/3/scaleFrom "factor" is no integer',
  ],
  ['the parts of a derived value exist', summed({}, part(12, 'one')), '/derived/0/sumOf/1 no register is named "two"'],
  [
    'the parts of a derived value are numbers',
    summed({}, part(12, 'one'), { at: 14, type: 'string', words: 2, name: 'two' }),
    '/derived/0/sumOf/1 "two" is a string, no number',
  ],
  [
    'the parts of a sum have its unit',
    summed({}, part(12, 'one'), part(14, 'two', { unit: 'V' })),
    '/derived/0/sumOf/1 "two" has the unit V, which cannot become Wh',
  ],
  [
    'the parts of a derived value are read together',
    summed({}, part(12, 'one'), part(14, 'two', { poll: 'slow' })),
    '/derived/0 "ac.energyExport" needs registers that are read together',
  ],
  [
    'a derived metric is in the vocabulary',
    summed({ metric: 'ac.energyExports' }, part(12, 'one'), part(14, 'two')),
    '/derived/0/metric "ac.energyExports" is not in the vocabulary — did you mean "ac.energyExport"?',
  ],
  [
    'a derived metric is a number',
    summed({ metric: 'inverter.state' }, part(12, 'one'), part(14, 'two')),
    '/derived/0/metric "inverter.state" is no number',
  ],
  [
    'a totaliser has a unit',
    aMeter({
      registers: [power, energy, part(12, 'whole'), part(14, 'rest')],
      derived: [{ metric: 'water.volume', integer: 'whole', fraction: 'rest' }],
    }),
    '/derived/0/unit no unit cannot become m³',
  ],
  [
    'every unit of a totaliser fits',
    aMeter({
      registers: [power, energy, part(12, 'whole'), part(14, 'rest'), extra({ name: 'code' })],
      derived: [
        {
          metric: 'water.volume',
          integer: 'whole',
          fraction: 'rest',
          unitCode: 'code',
          units: { '0': 'm³', '1': 'kWh' },
        },
      ],
    }),
    '/derived/0/units/1 kWh cannot become m³',
  ],
  // Variants.
  [
    'a variant takes away only what is there',
    aMeter({ variants: [{ name: 'old', when: { at: 30 }, without: ['ac.powr'] }] }),
    '/variants/0/without/0 nothing is called "ac.powr" — did you mean "ac.power"?',
  ],
  [
    'variants have different names',
    aMeter({
      variants: [
        { name: 'old', when: { at: 30 } },
        { name: 'old', when: { at: 31 } },
      ],
    }),
    '/variants/1/name "old" is the name of an earlier variant too',
  ],
  [
    'a variant’s registers keep every rule',
    aMeter({ variants: [{ name: 'old', when: { at: 30 }, replace: [{ ...power, at: 11 }] }] }),
    '/variants/0/replace/0 overlaps "ac.energyImport" at holding 11',
  ],
];

describe('the lint', () => {
  it.each(broken)('sees to it that %s', (_rule, profile, finding) => {
    const found = findings(profile);
    expect(
      found.some((one) => one.includes(finding)),
      `expected "${finding}" in:\n${found.join('\n')}`,
    ).toBe(true);
  });

  it('lets two registers share a word where their masks part it', () => {
    const low: Register = { at: 20, type: 'enum', metric: 'inverter.state', states: { '0': 'off' }, mask: 0x0f };
    const high: Register = { at: 20, type: 'u16', name: 'high', mask: 0xf0 };
    expect(findings(having(low, high))).toEqual([]);
    expect(findings(having(low, { ...high, mask: 0xf8 }))).toHaveLength(1);
  });

  it('tells a fault once, though every variant has it', () => {
    const profile = aMeter({
      registers: [power, energy, voltage({ unit: 'A' })],
      variants: [{ name: 'old', when: { at: 30 } }],
    });
    expect(findings(profile)).toHaveLength(1);
  });
});

describe('the lint of a sample', () => {
  const faulty = { at: 20, type: 'bits', metric: 'inverter.faults', bits: { '0': 'F1' } } satisfies Register;
  const profile = having(faulty);
  const sound: ProfileSample = {
    source: 'by hand',
    image: { holding: { '0': [5], '10': [0, 7], '20': [1] } },
    readings: { 'ac.power': 5, 'ac.energyImport': 7000, 'inverter.faults': 'F1' },
  };
  const complaints = (changes: Partial<ProfileSample>) =>
    lintSample(profile, { ...sound, ...changes }).map(({ path, message }) => `${path} ${message}`);
  const reading = (changes: ProfileSample['readings']) => complaints({ readings: { ...sound.readings, ...changes } });

  it('is content with words for every register and a reading for every metric', () => {
    expect(complaints({})).toEqual([]);
    expect(reading({ 'inverter.faults': 'none' })).toEqual([]);
    expect(reading({ 'inverter.faults': 'F1 bit3' })).toEqual([]);
    expect(reading({ 'ac.power': { value: null, reason: 'sentinel' } })).toEqual([]);
  });

  it('asks for every metric', () => {
    expect(complaints({ readings: { 'ac.power': 5, 'inverter.faults': 'F1' } })).toEqual([
      '/readings does not say what "ac.energyImport" is: a sample asserts every metric',
    ]);
  });

  it('asks for every word', () => {
    expect(complaints({ image: { holding: { '0': [5], '10': [0], '20': [1] } } })).toEqual([
      '/image has no word at holding 11, which "ac.energyImport" needs',
    ]);
    expect(complaints({ image: { holding: { '0': [5], '10': [0, 7], '11': [8], '20': [1] } } })).toEqual([
      '/image/holding/11 gives holding 11 a second time',
    ]);
  });

  it('refuses what the profile cannot give', () => {
    expect(reading({ 'ac.powr': 5 })[0]).toContain(
      '"ac.powr" is not a metric of "maker/meter" — did you mean "ac.power"?',
    );
    expect(reading({ 'ac.power': 'five' })).toEqual(['/readings/ac.power must be a number']);
    expect(reading({ 'inverter.faults': 3 })).toEqual(['/readings/inverter.faults must be a word']);
    expect(reading({ 'inverter.faults': 'F2' })[0]).toContain('"F2" is no word of this register');
    expect(reading({ 'ac.power': { value: 5, reason: 'sentinel' } })[0]).toContain('a value does not go with');
    expect(reading({ 'ac.power': { value: null, reason: 'stale' } })[0]).toContain('no value does not go with');
    expect(reading({ 'ac.power': { value: 5, reason: 'stael' } })[0]).toContain('did you mean "stale"?');
    expect(complaints({ variant: 'old' })[0]).toContain('"old" is no variant of "maker/meter"');
  });
});

describe('the lint of texts', () => {
  const profile = having({ at: 20, type: 'enum', metric: 'pump.faults', states: { '0': 'none' }, prefix: 'F' });
  const explained = { en: { text: 'Dry running', do: 'Look at the well.' } };

  it('lets a text explain a listed word, and a number after the prefix', () => {
    expect(lintTexts(profile, { 'pump.faults': { none: explained, F57: explained } })).toEqual([]);
  });

  it('refuses words and metrics that never come out', () => {
    const paths = (texts: Parameters<typeof lintTexts>[1]) => lintTexts(profile, texts).map(({ path }) => path);
    expect(paths({ 'pump.faults': { E57: explained } })).toEqual(['/pump.faults/E57']);
    expect(paths({ 'pump.fault': { F57: explained } })).toEqual(['/pump.fault']);
    expect(paths({ 'pump.faults': 'pump.warnings' })).toEqual(['/pump.faults']);
  });
});
