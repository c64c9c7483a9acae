// SQLite's write-ahead log as bytes (sqlite.org/fileformat2.html, section 4), for what SQLite passes over: where one frame is
// damaged, it drops all behind it without a word.
const MAGIC = 0x377f0682;
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

export interface WalFrame {
  readonly page: number;
  readonly image: Buffer;
  /** Its checksum follows from that of the frame before. */
  readonly isSound: boolean;
}

export interface WalContent {
  /** Every frame of the log's present round, oldest first. */
  readonly frames: readonly WalFrame[];
  /** So many of them SQLite will see: up to the last commit before the first damage. */
  readonly committed: number;
  /** There are frames behind a damaged one, or the log's own header is damaged. */
  readonly isBroken: boolean;
}

type Sum = readonly [number, number];

function checksum(bytes: Buffer, bigEndian: boolean, [a, b]: Sum): Sum {
  let [first, second] = [a, b];
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    const x = bigEndian ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i);
    const y = bigEndian ? bytes.readUInt32BE(i + 4) : bytes.readUInt32LE(i + 4);
    first = (first + x + second) >>> 0;
    second = (second + y + first) >>> 0;
  }
  return [first, second];
}

const sumAt = (bytes: Buffer, at: number): Sum => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
const isSame = (a: Sum, b: Sum): boolean => a[0] === b[0] && a[1] === b[1];

/** What a log says. `undefined` for one with pages of another size. */
export function readWal(wal: Buffer, pageBytes: number): WalContent | undefined {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  if (wal.length < HEADER_BYTES + frameBytes) return { frames: [], committed: 0, isBroken: false };
  const header = wal.subarray(0, HEADER_BYTES);
  const bigEndian = (header.readUInt32BE(0) & 1) === 1;
  const isHeaderSound =
    (header.readUInt32BE(0) & ~1) === MAGIC &&
    isSame(checksum(header.subarray(0, 24), bigEndian, [0, 0]), sumAt(header, 24));
  if (isHeaderSound && header.readUInt32BE(8) !== pageBytes) return undefined;
  // Without a header the first frame tells which round it is.
  const salt = isHeaderSound ? sumAt(header, 16) : sumAt(wal, HEADER_BYTES + 8);
  let before: Sum = isHeaderSound ? sumAt(header, 24) : [0, 0];
  let isChained = isHeaderSound;
  let isBroken = false;
  let committed = 0;
  const frames: WalFrame[] = [];
  for (let at = HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    const image = wal.subarray(at + FRAME_HEADER_BYTES, at + frameBytes);
    // Both words change with each round: one that differs is damaged.
    const salts = sumAt(wal, at + 8);
    const isOfRound = salts[0] === salt[0] || salts[1] === salt[1];
    const sum = checksum(image, bigEndian, checksum(wal.subarray(at, at + 8), bigEndian, before));
    const isSound = isSame(salts, salt) && isSame(sum, sumAt(wal, at + 16));
    // One frame without a header is what a power cut leaves; more of one round were a log.
    if (isOfRound && !isChained && at > HEADER_BYTES) isBroken = true;
    isChained &&= isSound;
    if (isOfRound) frames.push({ page: wal.readUInt32BE(at), image, isSound });
    if (isChained && wal.readUInt32BE(at + 4) > 0) committed = frames.length;
    before = sumAt(wal, at + 16);
  }
  return { frames, committed, isBroken };
}
