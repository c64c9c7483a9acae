import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const PRINTER = join(import.meta.dirname, 'print-registers.ts');

async function registersOf(...args: readonly string[]): Promise<string> {
  const node = ['--conditions=source', '--import', 'tsx', PRINTER, ...args];
  return (await run(process.execPath, node, { maxBuffer: 1 << 26 })).stdout;
}

test.each(['demo', 'random-year'])(
  'the same seed gives the same registers of %s in another process, whatever the order of posts, and another seed gives others',
  async (name) => {
    const [one, again, reversed, other] = await Promise.all([
      registersOf(name, '7', '6'),
      registersOf(name, '7', '6'),
      registersOf(name, '7', '6', 'reversed'),
      registersOf(name, '8', '6'),
    ]);
    expect(one.split('\n').length).toBeGreaterThan(10);
    expect(again).toBe(one);
    expect(reversed).toBe(one);
    expect(other).not.toBe(one);
  },
);
