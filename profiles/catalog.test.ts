import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkProfileFile, loadCatalog, PROFILES_FOLDER, suggest } from './catalog.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'profiles-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sound = {
  id: 'maker/probe',
  maker: 'Maker',
  model: 'Probe',
  kind: 'tank',
  sources: ['manual, page 3'],
  protocol: { table: 'holding', order: 'big', maxRegisters: 8, allowedGap: 0, pauseMs: 0, unit: 1, tcpPort: 502 },
  registers: [{ at: 4, type: 'u16', metric: 'tank.level', unit: 'mm' }],
};
const sample = { source: 'by hand', image: { holding: { '4': [1837] } }, readings: { 'tank.level': 1.837 } };

function write(path: string, content: unknown): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return file;
}

describe('the catalogue', () => {
  it('finds the profiles of the product beside its own code', () => {
    const { profiles, faults } = loadCatalog();
    expect(faults).toEqual([]);
    expect(profiles.has('eastron/sdm630')).toBe(true);
  });

  it('names the bytes of each file by their SHA-256', () => {
    const hash = loadCatalog().profiles.get('eastron/sdm630')?.hash;
    const bytes = readFileSync(join(PROFILES_FOLDER, 'eastron', 'sdm630.json'));
    expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('keeps the sound profiles when others are broken', () => {
    write('maker/probe.json', sound);
    write('maker/broken.json', '{ "id": ');
    write('maker/wrong.json', { ...sound, id: 'maker/wrong', kind: 'tankk' });
    const { profiles, faults } = loadCatalog(folder);
    expect([...profiles.keys()]).toEqual(['maker/probe']);
    expect(faults.map(({ path }) => path)).toEqual(['/', '/kind']);
  });

  it('takes neither samples nor texts nor the schema for profiles', () => {
    write('maker/probe.json', sound);
    write('maker/probe.sample.json', sample);
    write('maker/texts/probe.json', {});
    write('profile.schema.json', {});
    expect([...loadCatalog(folder).profiles.keys()]).toEqual(['maker/probe']);
    expect(loadCatalog(folder).faults).toEqual([]);
  });

  it('refuses an id that is not the place of its file', () => {
    write('maker/other.json', sound);
    const [fault] = loadCatalog(folder).faults;
    expect(fault).toMatchObject({ line: 2, path: '/id' });
    expect(fault?.message).toBe(`is "maker/probe", but the file's place says "maker/other"`);
  });
});

describe('the check of a profile file', () => {
  it('is silent about a sound profile with its sample', () => {
    write('maker/probe.sample.json', sample);
    expect(checkProfileFile(write('maker/probe.json', sound))).toEqual([]);
  });

  it('names the line of every fault of the format, all at once', () => {
    const file = write(
      'maker/probe.json',
      `{
  "id": "maker/probe", "maker": "Maker", "model": "Probe", "kind": "tank",
  "sources": ["manual"],
  "protocol": { "table": "holding", "order": "middle", "maxRegisters": 8, "allowedGap": 0, "pauseMs": 0, "unit": 1 },
  "registers": [
    { "at": 4, "type": "u16", "metric": "tank.level", "unit": "mm", "skale": 2 },
    { "at": -1, "type": "u16", "name": "low" }
  ]
}`,
    );
    expect(checkProfileFile(file).map(({ line, path, message }) => `${line} ${path} ${message}`)).toEqual([
      '4 /protocol/order must be one of "big", "little"',
      '6 /registers/0 does not know "skale"',
      '7 /registers/1/at must be >= 0',
    ]);
  });

  it('names the line of what the lint finds', () => {
    const file = write('maker/probe.json', {
      ...sound,
      registers: [...sound.registers, { at: 4, type: 'u16', name: 'again' }],
    });
    const lines = readFileSync(file, 'utf8').split('\n');
    const [fault] = checkProfileFile(file);
    expect(fault?.message).toBe('overlaps "tank.level" at holding 4');
    expect(lines[fault?.line ?? 0]).toContain('"at": 4');
  });

  it('asks for a sample', () => {
    const [fault] = checkProfileFile(write('maker/probe.json', sound));
    expect(fault?.message).toContain('probe.sample.json must list words and what they mean');
  });

  it('checks every sample and the texts beside it', () => {
    write('maker/probe.sample.json', sample);
    const other = write('maker/probe.empty.sample.json', { ...sample, readings: {} });
    const texts = write('maker/texts/probe.json', { 'tank.level': { F1: { en: { text: 'Low' } } } });
    expect(checkProfileFile(write('maker/probe.json', sound)).map(({ file, path }) => ({ file, path }))).toEqual([
      { file: other, path: '/readings' },
      expect.objectContaining({ file: texts }),
    ]);
  });

  it('says where a text is no JSON', () => {
    expect(checkProfileFile(write('maker/probe.json', '{\n  "id": "maker/probe",\n  "maker": Maker\n}'))).toMatchObject(
      [{ line: 3, path: '/', message: 'is not JSON: "Maker" is no JSON value' }],
    );
  });

  it('does not fall over a file that is absent, a folder, or far too large', () => {
    expect(checkProfileFile(join(folder, 'maker', 'none.json'))[0]?.message).toContain('cannot be read');
    mkdirSync(join(folder, 'maker', 'folder.json'), { recursive: true });
    expect(loadCatalog(folder).faults[0]?.message).toContain('cannot be read');
    expect(checkProfileFile(write('maker/huge.json', ' '.repeat(2 ** 20 + 1)))[0]?.message).toContain('more than');
  });
});

describe('a mistyped id', () => {
  const known = ['eastron/sdm630', 'eastron/sdm120', 'deye/sg04lp3'];

  it('is answered with the nearest known one', () => {
    expect(suggest('eastron/sdm63', known)).toBe('eastron/sdm630');
    expect(suggest('Eastron/SDM-630', known)).toBe('eastron/sdm630');
    expect(suggest('dye/sg04lp3', known)).toBe('deye/sg04lp3');
  });

  it('is left alone where nothing is near', () => {
    expect(suggest('siemens/mag8000', known)).toBeUndefined();
    expect(suggest('x', [])).toBeUndefined();
  });
});
