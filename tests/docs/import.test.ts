// The example of docs/import.md, run as it stands there.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { importFile } from '#cli/import.js';
import { ROOT } from '../house/source-files.js';

const folder = mkdtempSync(join(tmpdir(), 'oftob-import-doc-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the example of docs/import.md gives what it says', async () => {
  const text = readFileSync(join(ROOT, 'docs', 'import.md'), 'utf8');
  const example = (name: string): string =>
    new RegExp(`<!-- example: ${name} -->\n\`\`\`\\w*\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
  for (const name of ['logger.csv', 'mapping.yaml']) writeFileSync(join(folder, name), example(name));
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((said) => {
    printed += String(said);
    return true;
  });
  const file = join(folder, 'logger.csv');
  const mapping = join(folder, 'mapping.yaml');
  const done = await importFile.run({ mapping, 'dry-run': true, by: 'x' }, [file]);
  spy.mockRestore();
  expect(done).toEqual({ ok: true, value: undefined });
  expect(printed.replaceAll(`${folder}/`, '').split('\n').slice(1).join('\n')).toBe(example('output'));
  const [reject = ''] = readFileSync(`${file}.rejects.jsonl`, 'utf8').split('\n');
  expect(JSON.parse(reject)).toMatchObject({ line: 5, column: 'PV kW', text: '1.5', code: 'IMPORT_NUMBER' });
});
