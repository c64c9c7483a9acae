// A real InfluxDB 1.x on loopback, with a data folder of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programOf, type RealServer, startReal } from './real-server.js';

export interface RunningInflux {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Stops it where it stands, its connections open, as one that hangs. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface InfluxSettings {
  /** Where it keeps everything; without one it gets a folder of its own, removed with it. */
  readonly dataFolder?: string;
  /** Asks for a user and a password. Only the first administrator can be made without. */
  readonly auth?: boolean;
  /** Speaks HTTPS with the certificate of `tests/support/tls`. */
  readonly tls?: boolean;
}

export async function startInflux({
  auth = false,
  dataFolder,
  tls = false,
}: InfluxSettings = {}): Promise<RunningInflux> {
  const program = programOf('influxd', 'influxdb influxdb-client');
  const folder = dataFolder ?? mkdtempSync(join(tmpdir(), 'oftob-influx-'));
  const config = join(folder, 'influxdb.conf');
  const start = async (port: number): Promise<RealServer> => {
    writeFileSync(config, configOf(folder, port, auth, tls));
    return startReal(program, ['-config', config], /Listening on HTTP.*addr=[^ ]*:(\d+)/);
  };
  let server = await start(0);
  const port = Number(server.match[1]);
  return {
    port,
    url: `http${tls ? 's' : ''}://127.0.0.1:${port}`,
    kill: () => server.end('SIGKILL'),
    freeze: () => void server.child.kill('SIGSTOP'),
    thaw: () => void server.child.kill('SIGCONT'),
    async restart() {
      await server.end('SIGTERM');
      server = await start(port);
    },
    async stop() {
      await server.end('SIGKILL');
      if (dataFolder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

const TLS = fileURLToPath(new URL('./tls/', import.meta.url));
/** What a server keeps unless its configuration says otherwise. */
export const KEEPING = { rawDays: 400, quarterYears: 10 };

/** PEM of the authority that signed the certificate of a server with `tls`. */
export const TLS_AUTHORITY = `${TLS}authority.pem`;

function configOf(folder: string, port: number, auth: boolean, tls: boolean): string {
  return `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[coordinator]
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  auth-enabled = ${auth}
  https-enabled = ${tls}
  https-certificate = "${TLS}server.pem"
  https-private-key = "${TLS}server.key"
`;
}
