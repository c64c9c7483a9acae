import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadProfileTexts } from './texts.js';

describe('texts of the product’s profiles', () => {
  it('explain a code and say what to do', () => {
    expect(loadProfileTexts('deye/sg04lp3')['inverter.faults']?.F18?.en).toEqual({
      text: 'Too much current on the AC side',
      do: expect.stringContaining('short circuit'),
    });
  });

  it('are the same for metrics with the same codes', () => {
    const texts = loadProfileTexts('grundfos/cim');
    expect(texts['pump.warnings']?.F57).toBe(texts['pump.faults']?.F57);
  });

  it('are none where a profile has none', () => {
    expect(loadProfileTexts('eastron/sdm630')).toEqual({});
    expect(loadProfileTexts('nobody/nothing')).toEqual({});
  });
});

describe('a texts file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'texts-'));
    mkdirSync(join(folder, 'maker', 'texts'), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (text: string) => writeFileSync(join(folder, 'maker', 'texts', 'model.json'), text);

  it('that cannot be read leaves the codes without texts', () => {
    write('{ "pump.faults": ');
    expect(loadProfileTexts('maker/model', folder)).toEqual({});
    write('{ "pump.faults": { "F1": { "ru": { "text": "Только по-русски", "do": "Ничего" } } } }');
    expect(loadProfileTexts('maker/model', folder)).toEqual({});
  });

  it('is found only by the id of a profile', () => {
    writeFileSync(join(folder, 'secret.json'), '{}');
    write('{}');
    expect(loadProfileTexts('maker/../../secret', folder)).toEqual({});
    expect(loadProfileTexts('../secret', folder)).toEqual({});
  });

  it('that refers to a metric without codes says nothing about it', () => {
    write('{ "pump.warnings": "pump.faults" }');
    expect(loadProfileTexts('maker/model', folder)).toEqual({});
  });
});
