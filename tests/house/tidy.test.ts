import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listFiles, ROOT, readSources } from './source-files.js';

const LINES_MAX = 420;
const sources = readSources();
const products = sources.filter((source) => !source.isTest && source.room !== 'bench');

/** `path:line` of every line that a pattern matches, comments left out. */
function find(pattern: RegExp, files: readonly { path: string; text: string }[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const code = line.replace(/\/\/.*$/, '').replace(/^\s*\*.*$/, '');
      return pattern.test(code) ? [`${path}:${index + 1} ${line.trim()}`] : [];
    }),
  );
}

describe('the house is tidy', () => {
  test('no file is longer than a sitting', () => {
    const long = products.flatMap(({ path, text }) => {
      const lines = text.split('\n').length;
      return lines > LINES_MAX ? [`${path}: ${lines} lines`] : [];
    });
    expect(long).toEqual([]);
  });

  test('time and randomness are arguments outside composition roots and adapters', () => {
    const adapters =
      /^(cli\/|gateway\/bus\/|gateway\/uplink\/mqtt-|server\/(broker|store|notice)\/|simulators\/serve\/|dashboards\/src\/live\/browser\.ts|dashboards\/src\/(main|chart|parts|pages)|dashboards\/[^/]+$)/;
    const pure = products.filter(({ path }) => !adapters.test(path));
    expect(
      find(
        /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)|(?<!\.)\bsetTimeout\(|(?<!\.)\bsetInterval\(|performance\.now\(/,
        pure,
      ),
    ).toEqual([]);
  });

  test('the domain keeps no state: no `let` at module level', () => {
    expect(
      find(
        /^(export\s+)?let\s/,
        products.filter(({ room }) => room === 'domain'),
      ),
    ).toEqual([]);
  });

  test('no code can write to a device: no Modbus function but 1, 2, 3, 4 and 43 exists', () => {
    const bus = products.filter(({ room }) => room === 'gateway');
    expect(find(/write(FC)?(5|6|15|16|Coil|Register)|FC(5|6|15|16)\b|0x(05|06|0f|10)\b.*function/i, bus)).toEqual([]);
  });

  test('no drawer for things without a name', () => {
    const drawers = sources.filter(({ path }) => /\/(utils?|common|helpers?|shared|types|misc)(\/|\.ts)/.test(path));
    expect(drawers.map(({ path }) => path)).toEqual([]);
  });

  test('files are kebab-case', () => {
    const odd = sources.filter(
      ({ path }) => !/^([a-z0-9-]+\/)+[a-z0-9-]+(\.(test|suite|config))?\.(ts|tsx|mjs)$/.test(path),
    );
    expect(odd.map(({ path }) => path)).toEqual([]);
  });

  test('no test is skipped or run alone', () => {
    expect(
      find(
        /\b(test|it|describe)\.(only|skip|todo)\b/,
        sources.filter(({ path }) => path !== 'tests/house/tidy.test.ts'),
      ),
    ).toEqual([]);
  });

  test('every relative link in the documents leads somewhere', () => {
    const documents = [
      ...listFiles('docs', (name) => name.endsWith('.md')),
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
    ];
    const broken = documents.flatMap((document) => {
      const text = readFileSync(join(ROOT, document), 'utf8');
      return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap(([, target = '']) => {
        try {
          readFileSync(join(ROOT, document, '..', target));
          return [];
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === 'EISDIR' ? [] : [`${document}: ${target}`];
        }
      });
    });
    expect(broken).toEqual([]);
  });
});
