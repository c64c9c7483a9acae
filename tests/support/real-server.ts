// Starts a server of Debian's for a test, waits until it listens, and leaves nothing behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** Path of a program; throws with the line to run where it is missing. */
export function programOf(name: string, packages: string): string {
  const folder = FOLDERS.find((candidate) => existsSync(`${candidate}/${name}`));
  if (folder === undefined) throw new Error(`${name} is missing. Run: apt-get install ${packages}`);
  return `${folder}/${name}`;
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface RealServer {
  readonly child: ChildProcess;
  /** What the pattern found in the output. */
  readonly match: RegExpMatchArray;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Resolves once the output matches; rejects with the output when the program ends before. */
export function startReal(program: string, args: readonly string[], ready: RegExp): Promise<RealServer> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => running.delete(child));
  let text = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      if (text.length < 1_000_000) text += chunk.toString('utf8');
      const match = text.match(ready);
      if (match === null) return;
      resolve({
        child,
        match,
        async end(signal) {
          if (child.exitCode === null && child.signalCode === null) child.kill(signal);
          await ended;
        },
      });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    void ended.then(() => reject(new Error(`${program} ended before it was ready:\n${text}`)));
  });
}
