// Processes of their own, and what the kernel says of them.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** USER_HZ of Linux on every machine that Node runs on. */
const TICKS_PER_S = 100;

export interface Running {
  readonly pid: number;
  /** What its output had when it was ready. */
  readonly match: RegExpMatchArray;
  readonly text: () => string;
  /** Ends it, politely first. */
  stop(): Promise<void>;
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Starts `node` with these arguments and waits until it says that it is ready. */
export function startNode(args: readonly string[], ready: RegExp): Promise<Running> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let text = '';
  const closed = new Promise<void>((resolve) =>
    child.once('close', () => {
      children.delete(child);
      resolve();
    }),
  );
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text = (text + chunk.toString('utf8')).slice(-100_000);
      const match = text.match(ready);
      if (match === null) return;
      const stop = async (): Promise<void> => {
        child.kill('SIGINT');
        await closed;
      };
      resolve({ pid: child.pid ?? 0, match, text: () => text, stop });
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    void closed.then(() => reject(new Error(text)));
  });
}

/** `oftob …` as it is installed: run `npm run build` first. */
export function startOftob(args: readonly string[], ready: RegExp): Promise<Running> {
  const [command = ''] = args;
  // `OFTOB_GATEWAY_NODE="--cpu-prof …"` tells Node about the process that is called so.
  const more = process.env[`OFTOB_${command.toUpperCase()}_NODE`]?.split(' ') ?? [];
  return startNode([...unitFlags(command), ...more, 'dist/cli/oftob.js', ...args], ready);
}

/** What the systemd unit of a command, where there is one, tells Node. */
function unitFlags(command: string): string[] {
  const unit = new URL(`../deploy/systemd/oftob-${command}.service`, import.meta.url);
  if (!existsSync(unit)) return [];
  const line = /^ExecStart=\S+node(( --\S+)*) /m.exec(readFileSync(unit, 'utf8'))?.[1] ?? '';
  return line.split(' ').filter((flag) => flag !== '');
}

/** A module of this folder, from sources. */
export function startModule(args: readonly string[], ready: RegExp): Promise<Running> {
  return startNode(['--conditions=source', '--import', 'tsx', ...args], ready);
}

export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Seconds of processor time that a process has had, its threads and the kernel for it included. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '';
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
