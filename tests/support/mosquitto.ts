// A real mosquitto on loopback, as docs/operations.md asks for one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, programOf, type RealServer, startReal } from './real-server.js';

export interface RunningMosquitto {
  readonly port: number;
  /** `mqtt://127.0.0.1:<port>` */
  readonly url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Stops it where it stands, its connections open, as one that hangs. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port; retained messages are there again only with `persistence`. */
  restart(): Promise<void>;
}

export interface MosquittoOptions {
  readonly persistence?: boolean;
  /** Lets messages of any size through, as one does that nobody configured. */
  readonly anySize?: boolean;
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<RunningMosquitto> {
  const program = programOf('mosquitto', 'mosquitto mosquitto-clients');
  const folder = mkdtempSync(join(tmpdir(), 'oftob-mosquitto-'));
  const config = join(folder, 'mosquitto.conf');
  const port = await freePort();
  writeFileSync(config, configOf(folder, port, options));
  const start = (): Promise<RealServer> => startReal(program, ['-c', config], /mosquitto version .* running/);
  let server = await start();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    kill: () => server.end('SIGKILL'),
    freeze: () => void server.child.kill('SIGSTOP'),
    thaw: () => void server.child.kill('SIGCONT'),
    async restart() {
      await server.end('SIGTERM');
      server = await start();
    },
    async stop() {
      await server.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(folder: string, port: number, { anySize = false, persistence = false }: MosquittoOptions): string {
  return [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    // Without it two small packets wait for each other's acknowledgement: 245 messages a second instead of 56,000.
    'set_tcp_nodelay true',
    ...(anySize ? [] : ['message_size_limit 262144']),
    'user root',
    'log_dest stderr',
    `persistence ${persistence}`,
    ...(persistence ? [`persistence_location ${folder}/`, 'autosave_interval 1'] : []),
    '',
  ].join('\n');
}
