import { describe, expect, test } from 'vitest';
import type { BusRequest } from '../ports.js';
import { createLateAnswers } from './late-answers.js';
import { shapeOf } from './rtu-frame.js';

const request = (count: number, more: Partial<BusRequest> = {}): BusRequest => ({
  unit: 1,
  table: 'holding',
  start: 100,
  count,
  timeoutMs: 500,
  ...more,
});

describe('answers that may still come', () => {
  test('are probed for by a question that the device has answered before, of another length', () => {
    const late = createLateAnswers();
    late.answeredWell(request(4, { start: 7 }));
    late.answeredWell(request(10));
    late.giveUp(request(10), 0);
    expect(late.probeFor(request(10), 1)).toMatchObject({ start: 7, count: 4 });
  });

  test('else by a part of the question itself, whole pairs first, so that nothing unlisted is read', () => {
    const late = createLateAnswers();
    late.giveUp(request(10), 0);
    expect(late.probeFor(request(10), 1)).toMatchObject({ start: 100, count: 8 });
    late.giveUp(request(8), 1);
    expect(late.probeFor(request(10), 2)).toMatchObject({ start: 100, count: 6 });
  });

  test('and where there is no other length, by nothing: the line is left alone until they are too old', () => {
    const late = createLateAnswers();
    late.giveUp(request(1), 0);
    expect(late.probeFor(request(1), 1)).toBeUndefined();
    expect(late.owed(4999)).toHaveLength(1);
    expect(late.owed(5000)).toHaveLength(0);
  });

  test('settle all that the same unit owed before, because slaves answer in order', () => {
    const late = createLateAnswers();
    late.giveUp(request(2), 0);
    late.giveUp(request(4), 0);
    late.giveUp(request(6), 0);
    late.giveUp(request(4, { unit: 9 }), 0);
    late.arrived(shapeOf(request(4)));
    expect(late.owed(1)).toEqual([shapeOf(request(6)), shapeOf(request(4, { unit: 9 }))]);
    late.settled(request(50));
    expect(late.owed(1)).toEqual([shapeOf(request(4, { unit: 9 }))]);
  });
});
