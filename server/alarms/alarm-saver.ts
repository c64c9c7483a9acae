// Alarm states and journal entries on their way into the registry. While it cannot write, they wait.
import type { JournalEntry } from '#contract/view.js';
import type { Log } from '../ingest/log.js';
import type { Registry, StoredAlarm } from '../ports.js';

/** Journal entries that wait while the registry cannot write. */
const ENTRIES_MAX = 10_000;

type Entry = Omit<JournalEntry, 'seq'>;

export class AlarmSaver {
  readonly #registry: Pick<Registry, 'saveAlarms'>;
  readonly #log: Log;
  #alarms = new Map<string, StoredAlarm>();
  #entries: Entry[] = [];
  #isFailing = false;
  readonly #counts = { alarmSavesFailed: 0, alarmEntriesLost: 0 };

  constructor(registry: Pick<Registry, 'saveAlarms'>, log: Log) {
    this.#registry = registry;
    this.#log = log;
  }

  /** Saves states and entries together, now or as soon as the registry can. */
  save(alarms: readonly StoredAlarm[], entries: readonly Entry[]): void {
    for (const alarm of alarms) this.#alarms.set(alarm.id, alarm);
    const room = Math.max(0, ENTRIES_MAX - this.#entries.length);
    this.#counts.alarmEntriesLost += Math.max(0, entries.length - room);
    this.#entries.push(...entries.slice(0, room));
    this.flush();
  }

  /** Tries again what could not be saved. */
  flush(): void {
    if (this.#alarms.size === 0 && this.#entries.length === 0) return;
    try {
      this.#registry.saveAlarms([...this.#alarms.values()], this.#entries);
      this.#alarms = new Map();
      this.#entries = [];
      this.#isFailing = false;
    } catch (error) {
      this.#counts.alarmSavesFailed += 1;
      if (!this.#isFailing) this.#log.error({ err: error }, 'alarm states could not be saved; trying again');
      this.#isFailing = true;
    }
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }
}
