import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type BackupResponse, BackupResponseSchema, ErrorSchema } from '#contract/http.js';
import type { AppDeps } from './deps.js';
import { Problem } from './problem.js';

/** `POST /backups`: copies of the databases, made while they go on, in a folder of their own. */
export async function backupRoutes(app: FastifyInstance, deps: AppDeps): Promise<void> {
  let isBusy = false;
  app.post(
    '/backups',
    {
      schema: {
        summary: 'Copies the databases of the server into `backups/<time>` of its data folder',
        description:
          'Both open as they are: put them in the place of the originals of a stopped server. With InfluxDB only the registry is ' +
          'copied; `influxd backup` copies the rest.',
        response: { 201: BackupResponseSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (_request, reply): Promise<BackupResponse> => {
      if (isBusy) throw new Problem(429, 'BACKUP_BUSY', 'a backup is being made; try again when it is done');
      isBusy = true;
      try {
        const made = await backUp(deps);
        reply.code(201);
        return made;
      } finally {
        isBusy = false;
      }
    },
  );
}

/** The folder has its name only once all is in it. */
async function backUp({ clock, databases, log, spoolFolder }: AppDeps): Promise<BackupResponse> {
  const name = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const folder = join(spoolFolder, 'backups', name);
  const part = `${folder}.part`;
  try {
    await mkdir(part, { recursive: true });
    const files: { name: string; bytes: number }[] = [];
    for (const { name, of } of databases) {
      const copied = await of.backup(join(part, name));
      if (!copied.ok) throw new Problem(503, copied.fault.code, copied.fault.message);
      files.push({ name, bytes: (await stat(join(part, name))).size });
    }
    await rename(part, folder);
    log.info({ folder, files }, 'Databases are backed up');
    return { folder, files };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(503, 'BACKUP_UNWRITABLE', `${folder} cannot be written: ${(error as Error).message}`);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}
