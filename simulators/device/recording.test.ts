import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '#profiles/catalog.js';
import { parseScenario } from '../scenarios/scenario.js';
import { createSimulation } from '../simulation.js';
import { parseRecording, type Recording } from './recording.js';

const CSV = `time,ac.power,ac.energyImport,ac.l1.voltage
2025-03-01T06:00:00+05:00,512.5,1000,231.2
2025-03-01T06:00:30+05:00,640,1005.3,230.9
2025-03-01T06:02:00+05:00,,1012,229
`;

function recordingOf(text: string): Recording {
  const parsed = parseRecording(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return parsed.value;
}

function faultsOf(text: string): string[] {
  const parsed = parseRecording(text);
  return parsed.ok ? [] : parsed.fault.map(({ path, message }) => `${path}: ${message}`);
}

describe('a recording', () => {
  test('holds each row until the next, the first before and the last after', () => {
    const recording = recordingOf(CSV);
    expect(recording.lengthMs).toBe(120_000);
    const power = [-1, 0, 29_999, 30_000, 119_999].map((at) => recording.at(at)['ac.power']);
    expect(power).toEqual([512.5, 512.5, 512.5, 640, 640]);
    expect(recording.at(500_000)).toEqual({ 'ac.power': null, 'ac.energyImport': 1012, 'ac.l1.voltage': 229 });
  });

  test('may count seconds, and say states as words', () => {
    const recording = recordingOf('time,pump.state\n0,running\n12.5,stopped\n');
    expect([recording.at(12_499), recording.at(12_500)]).toEqual([
      { 'pump.state': 'running' },
      { 'pump.state': 'stopped' },
    ]);
  });

  test('tells all that is wrong with it, each with its place', () => {
    const wrong =
      'when,ac.power,moon.phase,ac.power\nyesterday,1,2,3\n2025-03-01T06:00:00,4,5,6\n2025-03-01T06:00:00Z,much,1,1\n2025-03-01T05:00:00Z,1,1,1\n';
    expect(faultsOf(wrong)).toEqual([
      'header: its first column must be "time"',
      'header: there is no metric "moon.phase"',
      'header: has "ac.power" twice',
      'row 2: "yesterday" is no time: ISO 8601 with its zone, or seconds',
      'row 3: "2025-03-01T06:00:00" is no time: ISO 8601 with its zone, or seconds',
      'row 4, ac.power: "much" is no number',
      'row 5: is not later than the row before',
    ]);
    expect(faultsOf('time,ac.power\n')).toEqual([': has no rows']);
    expect(faultsOf('')).not.toEqual([]);
  });

  test('whatever its bytes are, it is read or refused, never worse', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseRecording(text)));
    const cells = fc.array(fc.constantFrom('time', 'ac.power', '1', '', '"', '-3e9', ',', '\n', 'NaN'), {
      maxLength: 60,
    });
    fc.assert(fc.property(cells, (parts) => void parseRecording(parts.join(','))));
  });
});

test('a device replays it from the start of its world, by its own encoder', () => {
  const parsed = parseScenario({
    name: 'replay',
    summary: 'A meter as it was',
    seed: 1,
    posts: [
      {
        id: 'post',
        name: 'Post',
        world: {},
        devices: [{ id: 'meter', profile: 'eastron/sdm630', unit: 2, role: 'load', recording: 'meter.csv' }],
      },
    ],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const { profiles: catalog } = loadCatalog();
  const startAt = Date.UTC(2026, 0, 1);
  const recordings = new Map([['meter.csv', recordingOf(CSV)]]);
  const post = createSimulation(parsed.value, { startAt, catalog, recordings }).posts.get('post')!;
  const power = (): number => {
    const answer = post.devices[0]!.device.read('input', 52, 2);
    if (!('words' in answer)) throw new Error(JSON.stringify(answer));
    const bytes = Buffer.alloc(4);
    for (const [index, word] of answer.words.entries()) bytes.writeUInt16BE(word, 2 * index);
    return bytes.readFloatBE(0);
  };
  expect(power()).toBe(512.5);
  post.stepTo(startAt + 45_000);
  expect(power()).toBe(640);
  post.stepTo(startAt + 200_000);
  expect(power()).toBeNaN();
});
