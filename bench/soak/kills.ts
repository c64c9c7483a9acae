// Stores that are killed, each as often as is promised.
import { type KillTally, killEmbedded, killInflux } from '#tests/disk/kill-rounds.js';

export const KILLS = 20;

/** Throws with what is lost, doubled or altered. */
export const KILLED: readonly {
  readonly name: string;
  run(rounds: number, random: () => number): Promise<KillTally>;
}[] = [
  { name: 'kills of the embedded store in ingest', run: (rounds, random) => killEmbedded(rounds, 0, random) },
  { name: 'kills of the embedded store in sealing', run: (rounds, random) => killEmbedded(rounds, 2, random) },
  { name: 'kills of InfluxDB', run: killInflux },
];
