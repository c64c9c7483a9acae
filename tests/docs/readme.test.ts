import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { markdownTable } from '#cli/profiles.js';
import { parseGatewayConfig } from '#gateway/config.js';
import { loadCatalog } from '#profiles/catalog.js';
import { parseServerConfig } from '#server/config.js';
import { ROOT } from '../house/source-files.js';
import { startOftob } from '../support/processes.js';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const catalog = loadCatalog();

function fenced(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, body = '']) => body);
}

describe('what the README shows is true', () => {
  test('the table of devices is the one that the command prints', () => {
    const table = /<!-- devices[^>]*-->\n([\s\S]*?)<!-- \/devices -->/.exec(readme)?.[1];
    expect(table).toBe(markdownTable(catalog.profiles.values()));
  });

  test('the example of a post loads', () => {
    const [example = ''] = fenced('yaml');
    expect(parseGatewayConfig(example, catalog.profiles)).toMatchObject({ ok: true, value: { post: 'kyzyl-art' } });
  });

  test.each(['gateway.yaml', 'server.yaml'])('deploy/%s loads', (name) => {
    const text = readFileSync(join(ROOT, 'deploy', name), 'utf8');
    const parsed = name === 'gateway.yaml' ? parseGatewayConfig(text, catalog.profiles) : parseServerConfig(text);
    expect(parsed.ok ? [] : parsed.fault).toEqual([]);
  });

  test('every npm script that it names exists', () => {
    const scripts = (
      JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    ).scripts;
    const named = fenced('sh').flatMap((block) =>
      [...block.matchAll(/^npm (?:run )?([\w:-]+)$/gm)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(3);
    for (const name of named.filter((one) => one !== 'ci')) expect(scripts).toHaveProperty([name]);
  });

  test('every oftob command that it shows is known with its options', async () => {
    const lines = fenced('sh').flatMap((block) => [...block.matchAll(/npx oftob (\w+)([^\n]*)/g)]);
    const commands = new Map(lines.map(([, name = '', rest = '']) => [`${name}${rest}`, { name, rest }]));
    expect(commands.size).toBeGreaterThan(3);
    for (const { name, rest } of commands.values()) {
      const help = startOftob([name, '--help']);
      expect(await help.ended).toBe(0);
      for (const [, option = ''] of rest.matchAll(/--([\w-]+)/g)) expect(help.output()).toContain(`--${option}`);
      expect(help.output()).toContain('Example: ');
    }
  });
});
