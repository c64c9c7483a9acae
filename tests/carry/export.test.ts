import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readOptions } from '#cli/command.js';
import { withDataFolder } from '#cli/outbox/data-folder.js';
import { exportBacklog } from '#cli/outbox/export.js';
import { outbox as command } from '#cli/outbox.js';
import { type CarryFrame, readCarry } from '#contract/carry.js';
import { decodeData } from '#contract/data.js';
import type { Birth } from '#contract/session.js';
import { loadCatalog } from '#profiles/catalog.js';
import { backlog, METER, makePostFolder, NOON, nameOf, openOutbox, type PostFolder, samplesOf } from './post-folder.js';

let post: PostFolder;
let printed = '';

beforeEach(() => {
  post = makePostFolder();
  mkdirSync(post.config.dataFolder);
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  post.remove();
});

/** Runs the command as `oftob outbox VERB --config … …` would. */
const run = (verb: string, ...args: string[]) => {
  const parsed = readOptions(command, [verb, '--config', post.configFile, ...args]);
  if (!parsed.ok) throw new Error(parsed.fault.message);
  return command.run(parsed.value.options, parsed.value.words);
};

const file = () => join(post.folder, 'backlog');

async function framesOf(path: string): Promise<readonly CarryFrame[]> {
  const frames: CarryFrame[] = [];
  const read = await readCarry([readFileSync(path)], (frame) => void frames.push(frame));
  if (!read.ok) throw new Error(`${read.fault.code}: ${read.fault.message}`);
  return frames;
}

/** Everything in a file, by the names that its birth gives. */
function carriedIn(frames: readonly CarryFrame[]) {
  const births = new Map<number, Birth>();
  const samples: string[] = [];
  const records = new Set<string>();
  for (const frame of frames) {
    if (frame.type === 'birth') births.set(frame.birth.birth, frame.birth);
    if (frame.type !== 'data') continue;
    const data = decodeData(frame.bytes);
    if (!data.ok) throw new Error(data.fault.message);
    expect(data.value.historical).toBe(true);
    for (const { record, index, at, value, code } of data.value.samples) {
      const metric = births.get(data.value.birth)?.metrics[index];
      samples.push(nameOf(metric?.device ?? '', metric?.metric ?? '', at, value, code));
      records.add(`${data.value.epoch} ${record}`);
    }
  }
  return { samples: samples.sort(), records, births: [...births.values()] };
}

describe('an exported backlog', () => {
  test('holds every waiting sample of every start, live and late, bit for bit', async () => {
    const starts = [backlog(NOON, 700), backlog(NOON + 8e6, 300, false), backlog(NOON + 16e6, 50)];
    for (const drafts of starts) post.withOutbox((opened) => expect(opened.append(drafts).ok).toBe(true));
    expect(await run('export', '--to', file())).toMatchObject({ ok: true });
    const carried = carriedIn(await framesOf(file()));
    expect(carried.samples).toEqual(samplesOf(starts.flat()));
    expect(carried.records.size).toBe(1050);
  });

  test('leaves out what is receipted, and changes nothing in the outbox', async () => {
    const drafts = backlog(NOON, 400);
    post.withOutbox((opened) => {
      opened.append(drafts);
      // Every second record of a part, so that what waits has many gaps.
      for (let id = 1; id <= 200; id += 2) opened.markReceipted(opened.epoch, [[id, id]], NOON);
    });
    const before = post.withOutbox((opened) => opened.status());
    await run('export', '--to', file());
    const carried = carriedIn(await framesOf(file()));
    expect(carried.samples).toEqual(samplesOf(drafts.filter((_, i) => i >= 200 || i % 2 === 1)));
    expect(post.withOutbox((opened) => opened.status())).toEqual(before);
  });

  test('tells metrics that are measured no longer, and under a birth number above the last', async () => {
    const gone = { device: 'old-meter', metric: 'load.power' };
    const device = { id: 'old-meter', kind: 'meter', pollPeriodMs: 10_000 };
    const metric = { ...gone, kind: 'gauge', unit: 'W', pollPeriodMs: 10_000, heartbeatS: 600 };
    post.withOutbox((opened) => {
      opened.declare([{ ...gone, description: JSON.stringify({ device, metric }) }]);
      opened.append([{ at: NOON, offline: true, samples: [{ ...gone, at: NOON, value: 7, reason: 'good' }] }]);
    });
    await run('export', '--to', file());
    await run('export', '--to', `${file()}2`);
    const first = carriedIn(await framesOf(file()));
    expect(first.samples).toEqual([nameOf('old-meter', 'load.power', NOON, 7, 0)]);
    expect(first.births[0]?.metrics).toContainEqual(expect.objectContaining({ ...gone, retired: true }));
    const second = carriedIn(await framesOf(`${file()}2`));
    expect(second.births[0]?.birth).toBeGreaterThan(first.births[0]?.birth as number);
  });

  test('says what is in it, what is not, and what to do next', async () => {
    post.withOutbox((opened) => {
      opened.append(backlog(NOON, 3));
      opened.append(backlog(5000, 2).map((draft) => ({ ...draft, boot: 'b' })));
    });
    await run('export', '--to', file());
    expect(printed).toContain(`Wrote ${file()}\n`);
    expect(printed).toMatch(
      /records +3\n +samples +9\n +from +2026-01-15T12:00:00.000Z\n +to +2026-01-15T12:00:20.000Z\n/,
    );
    expect(printed).toMatch(/SHA-256 +[0-9a-f]{64}\n/);
    expect(printed).toContain('2 records wait for the time and are not in the file');
    expect(printed).toContain('oftob import');
  });

  test('begins where it is asked to', async () => {
    const drafts = backlog(NOON, 100);
    post.withOutbox((opened) => opened.append(drafts));
    await run('export', '--to', file(), '--since', '2026-01-15T12:10Z', '--json');
    const carried = carriedIn(await framesOf(file()));
    expect(carried.samples).toEqual(samplesOf(drafts.slice(60)));
    expect(JSON.parse(printed)).toMatchObject({
      records: 40,
      samples: 120,
      from: NOON + 600_000,
      untimed: 0,
      unfit: 0,
    });
  });

  test('holds on request what is receipted too, and says so in its header', async () => {
    const drafts = backlog(NOON, 300);
    post.withOutbox((opened) => {
      opened.append(drafts);
      opened.markReceipted(opened.epoch, [[1, 250]], NOON);
    });
    post.withOutbox((opened) => opened.append(backlog(NOON + 9e6, 20)));
    await run('export', '--to', file(), '--all');
    const frames = await framesOf(file());
    expect(frames[0]).toMatchObject({ header: { receipted: true } });
    expect(carriedIn(frames).samples).toEqual(samplesOf([...drafts, ...backlog(NOON + 9e6, 20)]));
  });

  test('gets a name of its own in a folder', async () => {
    post.withOutbox((opened) => opened.append(backlog(NOON, 1)));
    const stick = join(post.folder, 'stick');
    mkdirSync(stick);
    await run('export', '--to', stick);
    expect(readdirSync(stick)).toEqual([expect.stringMatching(/^pamir-kyzyl-art-\d{8}T\d{6}Z\.oftob$/)]);
  });

  test('is not written where nothing waits', async () => {
    post.withOutbox(() => undefined);
    expect(await run('export', '--to', file())).toMatchObject({ ok: true });
    expect(printed).toContain('Nothing waits');
    expect(readdirSync(post.folder).sort()).toEqual(['data', 'gateway.yaml']);
  });

  test('holds every sample once where few fit into a payload, and records that no birth names stand between', async () => {
    const noisy = backlog(NOON, 2500).map((draft, i) => ({
      ...draft,
      samples: draft.samples.map((sample, k) => ({
        ...sample,
        value: Math.sin(i * 3 + k) * 1e6,
        reason: 'good' as const,
      })),
    }));
    const nameless = backlog(NOON, 1).map((draft) => ({
      ...draft,
      samples: draft.samples.map((sample) => ({ ...sample, device: 'nobody' })),
    }));
    const mixed = noisy.flatMap((draft, i) => (i % 100 === 99 ? [...nameless, draft] : [draft]));
    post.withOutbox((opened) => expect(opened.append(mixed).ok).toBe(true));
    await run('export', '--to', file(), '--json');
    const frames = await framesOf(file());
    const payloads = frames.flatMap((frame) => (frame.type === 'data' ? [frame.bytes.length] : []));
    expect(payloads.length).toBeGreaterThan(3);
    expect(Math.max(...payloads)).toBeLessThanOrEqual(16 * 1024);
    expect(carriedIn(frames).samples).toEqual(samplesOf(noisy));
    expect(JSON.parse(printed)).toMatchObject({ records: 2500, samples: 7500, unfit: 25 });
  });

  test('leaves a record that no birth names where it is, and says so', async () => {
    post.withOutbox((opened) => {
      const [good, other] = backlog(NOON, 2);
      const [first] = other?.samples ?? [];
      opened.append([
        { at: NOON, offline: true, samples: [{ ...first, device: 'nobody' } as never] },
        { ...good, samples: good?.samples ?? [] } as never,
      ]);
    });
    await run('export', '--to', file());
    expect(carriedIn(await framesOf(file())).samples).toHaveLength(3);
    expect(printed).toContain('1 records fit into no payload');
    expect(post.withOutbox((opened) => opened.status().pendingRecords)).toBe(2);
  });

  test('leaves nothing beside the outbox that its gateway could not open, also where root writes it', async () => {
    post.withOutbox((opened) => opened.append(backlog(NOON, 1)));
    const { dataFolder } = post.config;
    const owner = process.geteuid?.() === 0 ? 65_534 : statSync(dataFolder).uid;
    if (process.geteuid?.() === 0)
      for (const path of [post.folder, dataFolder, ...readdirSync(dataFolder).map((name) => join(dataFolder, name))])
        chownSync(path, owner, owner);
    expect(await run('export', '--to', file())).toMatchObject({ ok: true });
    const left = readdirSync(dataFolder);
    expect(left).toContain('birth-number');
    for (const name of left) expect([name, statSync(join(dataFolder, name)).uid]).toEqual([name, owner]);
    expect(process.geteuid?.()).toBe(statSync(file()).uid);
  });

  test('is everything that is whole in a damaged outbox, and the damage is told', async () => {
    const drafts = backlog(NOON, 3000);
    post.withOutbox((opened) => opened.append(drafts));
    const path = join(post.config.dataFolder, 'outbox.sqlite');
    const bytes = readFileSync(path);
    bytes.fill(0x55, 20 * 4096, 21 * 4096);
    writeFileSync(path, bytes);
    expect(await run('export', '--to', file())).toMatchObject({ ok: true });
    const carried = carriedIn(await framesOf(file()));
    const wanted = new Set(samplesOf(drafts));
    expect(carried.samples.filter((name) => !wanted.has(name))).toEqual([]);
    expect(carried.records.size).toBeGreaterThan(2800);
    expect(printed).toMatch(/The outbox was damaged: \d+ records were saved from it/);
  });

  test('takes a backlog piece by piece: what is held does not grow with it', () => {
    post.withOutbox((opened) => opened.append(backlog(NOON, 3000)));
    const { profiles } = loadCatalog();
    const request = {
      config: post.config,
      profiles,
      software: '0',
      now: NOON,
      clock: 'synchronised' as const,
      receipted: false,
    };
    const sizes: number[] = [];
    const exported = withDataFolder(post.config, (opened) =>
      exportBacklog(opened, request, (bytes) => void sizes.push(bytes.length)),
    );
    expect(exported).toMatchObject({ ok: true, value: { totals: { records: 3000, samples: 9000 } } });
    expect(Math.max(...sizes)).toBeLessThan(20_000);
  });
});

describe('an export is refused', () => {
  const refused = (code: string) => ({ ok: false, fault: { code } });

  test('while the gateway runs, with the words what to do', async () => {
    const running = openOutbox(post.config);
    running.append(backlog(NOON, 1));
    const result = await run('export', '--to', file());
    running.close();
    expect(result).toMatchObject({
      ok: false,
      fault: { code: 'OUTBOX_LOCKED', message: expect.stringMatching(/stop it .* Nothing is lost/) },
    });
    expect(readdirSync(post.folder).sort()).toEqual(['data', 'gateway.yaml']);
  });

  test('where there is no outbox, and none is made', async () => {
    expect(await run('export', '--to', file())).toMatchObject(refused('OUTBOX_MISSING'));
    expect(readdirSync(post.config.dataFolder)).toEqual([]);
  });

  test('for another user than the outbox belongs to', async () => {
    post.withOutbox((opened) => opened.append(backlog(NOON, 1)));
    vi.spyOn(process, 'geteuid').mockReturnValue(statSync(post.config.dataFolder).uid + 12_345);
    expect(await run('export', '--to', file())).toMatchObject(refused('OUTBOX_OWNER'));
  });

  test('for a file that is there already', async () => {
    post.withOutbox((opened) => opened.append(backlog(NOON, 1)));
    writeFileSync(file(), 'older');
    expect(await run('export', '--to', file())).toMatchObject(refused('CARRY_FILE_EXISTS'));
    expect(readFileSync(file(), 'utf8')).toBe('older');
  });

  test('for a folder that is not there, a time that is none, a word that is unknown', async () => {
    post.withOutbox((opened) => opened.append(backlog(NOON, 1)));
    expect(await run('export', '--to', join(post.folder, 'no', 'stick'))).toMatchObject(refused('CARRY_UNWRITABLE'));
    expect(await run('export', '--to', file(), '--since', 'yesterday')).toMatchObject(refused('USAGE'));
    expect(await run('export')).toMatchObject(refused('USAGE'));
    expect(await run('empty')).toMatchObject(refused('USAGE'));
  });
});

describe('what a stopped gateway keeps', () => {
  const bury = () =>
    post.withOutbox((opened) => {
      opened.append(backlog(NOON, 5));
      opened.append(backlog(5000, 1).map((draft) => ({ ...draft, boot: 'b' })));
      opened.refuse(opened.epoch, [{ id: 2, code: 'STORE_TYPE' }]);
      return opened.epoch;
    });

  test('is told in figures, for people and as JSON', async () => {
    bury();
    await run('status');
    expect(printed).toMatch(/records that wait +5\n +of these without a time +1\n +bytes +\d+ of 512000000/);
    expect(printed).toMatch(/dead letters kept +1\n/);
    printed = '';
    await run('status', '--json');
    expect(JSON.parse(printed)).toMatchObject({
      pendingRecords: 5,
      untimedRecords: 1,
      refused: 1,
      expired: 0,
      aggregated: 0,
      deadLetters: 1,
      capacityMs: null,
    });
  });

  test('shows each dead letter with its name, its reason and its samples', async () => {
    await run('dead-letters').then((result) => expect(result).toMatchObject({ fault: { code: 'OUTBOX_MISSING' } }));
    const epoch = bury();
    await run('dead-letters');
    expect(printed).toContain(`${epoch} 2 STORE_TYPE\n`);
    expect(printed).toContain(`2026-01-15T12:00:10.000Z  ${METER}/load.power  0.30000000000000004  good\n`);
    printed = '';
    await run('dead-letters', '--json');
    expect(JSON.parse(printed)).toMatchObject([
      { epoch, id: 2, code: 'STORE_TYPE', samples: [{ device: METER }, {}, {}] },
    ]);
  });
});
