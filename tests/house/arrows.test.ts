import { describe, expect, test } from 'vitest';
import { invalidReading } from '#domain/reading.js';
import { importsOf, violationsOf } from './arrows.js';
import { readSources, type SourceFile } from './source-files.js';

const file = (path: string, text: string): SourceFile => ({
  path,
  room: path.split('/')[0] as SourceFile['room'],
  text,
  isTest: path.includes('.test.'),
});

describe('the arrows of the house', () => {
  test('no file imports what its room must not know', () => {
    expect(readSources().flatMap(violationsOf)).toEqual([]);
  });

  test.each([
    ['server/x.ts', `import { a } from '#gateway/bus/a.js';`, 'server may not know gateway'],
    ['simulators/x.ts', `export { a } from '#contract/a.js';`, 'simulators may not know contract'],
    ['domain/x.ts', `import { readFileSync } from 'node:fs';`, 'domain has no dependency'],
    ['gateway/x.ts', `const a = await import('../server/a.js');`, 'gateway may not know server'],
    ['dashboards/x.ts', `import {\n  a,\n  type B,\n} from '#server/a.js';`, 'dashboards may not know server'],
    ['server/ingest/x.ts', `import ModbusRTU from 'modbus-serial';`, 'only gateway/bus/ may know it'],
    ['cli/x.ts', `import '#tests/support/a.js';`, 'cli may not know tests'],
  ])('a planted import in %s is reported with its line', (path, text, message) => {
    const found = violationsOf(file(path, `// first line\n${text}\n`));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
    expect(found[0]).toMatch(new RegExp(`^${path}:\\d+ `));
  });

  test('imports are found on the line of their specifier', () => {
    expect(importsOf(`import {\n  a,\n} from './b.js';`)).toEqual([{ specifier: './b.js', line: 3 }]);
  });

  test('tests run against sources, not against a stale build', () => {
    const place = (error: unknown) => (error as Error).stack?.split('\n')[1];
    try {
      invalidReading('ac.power', 'good', 0);
      expect.unreachable();
    } catch (error) {
      expect(place(error)).toMatch(/(?<!dist)\/domain\/reading\.ts/);
    }
  });
});
