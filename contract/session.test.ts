import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Door, parseJson } from './door.js';
import {
  attentionDoor,
  type Birth,
  birthDoor,
  encodeBirth,
  encodeJson,
  parseBirth,
  postStateDoor,
  receiptDoor,
  serverStateDoor,
} from './session.js';
import { POST_CHANNELS, parsePostTopic, postTopic, postTopicFilters, serverTopic } from './topic.js';

const samples = JSON.parse(readFileSync(join(import.meta.dirname, 'samples', 'session.json'), 'utf8'));
const doors: [string, Door<object>][] = [
  ['birth', birthDoor],
  ['state', postStateDoor],
  ['receipt', receiptDoor],
  ['receiptAskingForBirth', receiptDoor],
  ['attention', attentionDoor],
  ['server', serverStateDoor],
];

describe('session messages', () => {
  test('a birth comes out as it went in, much smaller on the wire, and also where a person wrote it as plain JSON', () => {
    const { birth } = samples;
    const metrics = Array.from({ length: 3000 }, (_, index) => ({
      ...birth.metrics[0],
      index,
      metric: `m${index}.power`,
    }));
    const large: Birth = { ...birth, metrics };
    expect(parseBirth(encodeBirth(large))).toEqual({ ok: true, value: large });
    expect(encodeBirth(large).length).toBeLessThan(encodeJson(large).length / 10);
    expect(parseBirth(encodeJson(birth))).toEqual({ ok: true, value: birth });
  });

  test('a birth that does not inflate, inflates without end or is cut is refused; none is read as another', () => {
    const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    expect(parseBirth(bomb)).toMatchObject({ ok: false, fault: [{ path: '/' }] });
    const whole = encodeBirth(samples.birth);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const damaged = Uint8Array.from(whole);
        damaged[place] = (damaged[place] ?? 0) ^ flip;
        const read = parseBirth(damaged);
        // The head has bits that say nothing of the content.
        if (read.ok) expect(read.value).toEqual(samples.birth);
        expect(parseBirth(whole.subarray(0, place)).ok).toBe(false);
      }),
    );
  });

  test.each(doors)('%s: the golden sample passes its door and comes out the same', (name, door) => {
    const parsed = parseJson(door, encodeJson(samples[name]), 1e6);
    expect(parsed).toEqual({ ok: true, value: samples[name] });
  });

  test.each(doors)('%s: without any one of its parts it is refused, with the place', (name, door) => {
    const optional = new Set(name.startsWith('receipt') ? ['epoch', 'birthNeeded', 'refused', 'time'] : ['epoch']);
    for (const key of Object.keys(samples[name]).filter((part) => !optional.has(part))) {
      const { [key]: _gone, ...rest } = samples[name];
      const result = door(rest);
      expect(result.ok).toBe(false);
      if (!result.ok) expect(JSON.stringify(result.fault)).toContain(key);
    }
  });

  test.each(doors)('%s: no JSON whatever makes its door throw', (_name, door) => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void door(value)));
  });

  test('bytes that are no JSON, or too many, are refused before they are looked at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(parseJson(receiptDoor, bytes, 1000).ok).toBe(false);
      }),
    );
    expect(parseJson(receiptDoor, encodeJson(samples.receipt), 10)).toMatchObject({
      ok: false,
      fault: [{ path: '/' }],
    });
  });

  test('one message cannot make faults without end', () => {
    const refused = Array.from({ length: 5000 }, () => ({}));
    const result = receiptDoor({ stored: [], refused, time: 0 });
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.fault.length).toBeLessThanOrEqual(50);
  });

  test.each([
    ['birth', { ...samples.birth, birth: 0 }, '/birth'],
    ['birth', { ...samples.birth, devices: [{ id: 'Meter', kind: 'meter', pollPeriodMs: 1 }] }, '/devices/0/id'],
    ['birth', { ...samples.birth, metrics: [{ ...samples.birth.metrics[0], index: 70_000 }] }, '/metrics/0/index'],
    ['receipt', { ...samples.receipt, epoch: 'UPPER' }, '/epoch'],
    ['receipt', { ...samples.receipt, stored: [[1]] }, '/stored/0'],
    ['attention', { forS: 301 }, '/forS'],
    ['state', { state: 'asleep', connection: 1 }, '/state'],
  ])('%s: what is out of bounds is named by its path (%#)', (name, message, path) => {
    const door = doors.find(([known]) => known === name)?.[1];
    const result = door?.(message);
    expect(result?.ok === false && result.fault.map((fault) => fault.path)).toContain(path);
  });
});

describe('topics', () => {
  const id = fc.stringMatching(/^[a-z0-9-]{1,32}$/);

  test('are spelled and read the same', () => {
    fc.assert(
      fc.property(id, id, fc.constantFrom(...POST_CHANNELS), (fleet, post, channel) => {
        expect(parsePostTopic(postTopic(fleet, post, channel))).toEqual({ fleet, post, channel });
        expect(parsePostTopic(serverTopic(fleet))).toBeUndefined();
      }),
    );
  });

  test('of other versions, fleets that are none and deeper levels belong to nobody', () => {
    for (const topic of [
      'oftob/2/f/p/data',
      'oftob/1/F/p/data',
      'oftob/1/f/p/data/x',
      'oftob/1/f/p/other',
      '',
      '/////',
    ])
      expect(parsePostTopic(topic)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (topic) => void parsePostTopic(topic)));
  });

  test('that a server subscribes to are what posts send, and no more', () => {
    expect(postTopicFilters('f')).toEqual(['oftob/1/f/+/birth', 'oftob/1/f/+/state', 'oftob/1/f/+/data']);
  });
});
