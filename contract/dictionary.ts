// What payloads have in common, so that even a short one can point at it instead of saying it. It is a part of the wire: who
// changes one byte can no longer read what was sent before.

/** Words of states, the rarest first: what stands nearer to the end costs fewer bits. */
const WORDS =
  'lowVoltageThreePhase highVoltageThreePhase inverterToOutput stoppedByButton runningReverse generatorInput unsynchronised ' +
  'microInverter notAvailable powerAssist smartLoad lowPower powerOff selfCheck passthru stopping starting warning equalise ' +
  'absorption unknown storage standby genset normal alarm float fault bulk grid partly silent hand off on';

/** These each as a dictionary of one word with its length, as most columns have them. */
const ALONE = ['idle', 'asleep', 'running', 'charging', 'inverting', 'synchronised', 'stopped', 'answering', 'none'];

const oneWord = (word: string): Buffer => Buffer.concat([Buffer.from([1, word.length]), Buffer.from(word)]);

/** Columns of neighbouring indexes with none, one, two and three decimals. */
const TOKENS = [0x13, 0x12, 0x11, 0x10].map((token) => Buffer.alloc(12, token));

export const DICTIONARY: Buffer = Buffer.concat([
  Buffer.from(WORDS),
  ...ALONE.map(oneWord),
  ...TOKENS,
  Buffer.alloc(16),
]);
