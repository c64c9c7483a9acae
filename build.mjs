// Builds dist/: compiled rooms, the data files beside them, and the dashboards with their compressed twins.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));

function run(program, args) {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', program), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Rooms whose code reads JSON files that lie beside it. */
const DATA_ROOMS = ['profiles', 'simulators', 'server'];

function copyData(folder) {
  for (const entry of readdirSync(join(root, folder))) {
    const path = join(folder, entry);
    if (statSync(join(root, path)).isDirectory()) copyData(path);
    else if (entry.endsWith('.json')) {
      mkdirSync(join(root, 'dist', folder), { recursive: true });
      cpSync(join(root, path), join(root, 'dist', path));
    }
  }
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
run('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
for (const room of DATA_ROOMS) copyData(room);
run('vite/bin/vite.js', ['build', '--config', 'dashboards/vite.config.ts', '--logLevel', 'warn']);
const { compressFolder } = await import('./dashboards/compress.mjs');
await compressFolder(join(root, 'dist', 'web'));
chmodSync(join(root, 'dist', 'cli', 'oftob.js'), 0o755);
