import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ROOT } from '#tests/house/source-files.js';
import { explain } from './command.js';

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo() {
    throw Object.assign(new Error('uv_os_get_passwd returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
  },
}));

test('a user without a name, as in a container, can read what there is, and is asked who imports', async () => {
  const { importFile } = await import('./import.js');
  expect(explain(importFile)).toContain('--by NAME');
  expect(
    await importFile.run({ mapping: join(ROOT, 'deploy', 'mapping.yaml'), 'dry-run': true }, ['x.csv']),
  ).toMatchObject({
    ok: false,
    fault: { code: 'USAGE', message: expect.stringContaining('--by NAME') },
  });
});
