// Runs `oftob` as a real process, from sources, so that a test never meets a stale build.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../house/source-files.js';

export interface RunningProcess {
  readonly child: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves with the match once the output has one; rejects when the process ends or `withinMs` pass before. */
  until(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>;
  /** Sends the signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

export function startOftob(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningProcess {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', join(ROOT, 'cli', 'oftob.ts'), ...args],
    {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    child,
    ended,
    output: () => text,
    until: (pattern, withinMs = 60_000) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          listeners.delete(look);
          settle();
        };
        const look = (): void => {
          const match = text.match(pattern);
          if (match !== null) finish(() => resolve(match));
        };
        const timer = setTimeout(
          () => finish(() => reject(new Error(`nothing like ${pattern} within ${withinMs} ms in:\n${text}`))),
          withinMs,
        );
        listeners.add(look);
        void ended.then((code) => finish(() => reject(new Error(`ended with ${code} before ${pattern}:\n${text}`))));
        look();
      }),
    stop: (signal = 'SIGINT') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}
