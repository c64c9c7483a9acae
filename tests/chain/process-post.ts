// A gateway as a real process that can be killed and frozen, with a count of when it was not there, and what its outbox holds.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteOutbox } from '#gateway/outbox/sqlite-outbox.js';
import type { OutboxSample } from '#gateway/ports.js';
import { type RunningProcess, startOftob } from '../support/processes.js';

/** Time in which no poll can be expected, epoch ms. */
export interface Absence {
  readonly from: number;
  readonly to: number;
}

export class ProcessPost {
  readonly absences: Absence[] = [];
  readonly #config: string;
  #process: RunningProcess | undefined;
  #goneAt: number | undefined;

  constructor(
    readonly id: string,
    readonly folder: string,
    config: string,
  ) {
    this.#config = config;
  }

  async start(): Promise<void> {
    this.#process = startOftob(['gateway', '--config', this.#config]);
    await this.#process.until(/gateway is running/, 120_000);
    this.#isBack();
  }

  #isBack(): void {
    if (this.#goneAt !== undefined) this.absences.push({ from: this.#goneAt, to: Date.now() });
    this.#goneAt = undefined;
  }

  async kill(): Promise<void> {
    this.#goneAt ??= Date.now();
    await this.#process?.stop('SIGKILL');
  }

  freeze(): void {
    this.#goneAt = Date.now();
    this.#process?.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.child.kill('SIGCONT');
    this.#isBack();
  }

  output(): string {
    return this.#process?.output() ?? '';
  }

  /** Every sample in the outbox of a gateway that does not run, receipted or not. */
  samples(): OutboxSample[] {
    const copy = mkdtempSync(join(tmpdir(), 'oftob-outbox-'));
    try {
      cpSync(this.folder, copy, { recursive: true });
      return samplesIn(join(copy, 'outbox.sqlite'));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }
}

function samplesIn(file: string): OutboxSample[] {
  const opened = openSqliteOutbox({ file, reserveBytes: 0 });
  if (!opened.ok) throw new Error(opened.fault.message);
  const outbox = opened.value;
  outbox.replay(0);
  const samples: OutboxSample[] = [];
  const seen = new Set<string>();
  const query = {
    liveSince: Number.MAX_SAFE_INTEGER,
    samplesMax: 100_000,
    recordsMax: 10_000,
    skip: (epoch: string, id: number) => seen.has(`${epoch} ${id}`),
  };
  for (let records = outbox.pending('history', query); records.length > 0; records = outbox.pending('history', query))
    for (const record of records) {
      seen.add(`${record.epoch} ${record.id}`);
      samples.push(...record.samples);
    }
  const letters = outbox.deadLetters(10);
  outbox.close();
  if (letters.length > 0) throw new Error(`dead letters: ${letters.map(({ code }) => code).join(', ')}`);
  return samples;
}
