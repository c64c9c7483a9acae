import { expect, test } from 'vitest';
import { PING_WIRE_BYTES, publishWireBytes } from './wire-bytes.js';

const topic = 't'.repeat(35);

test('an empty message has its head, its record, its segment and an acknowledgement', () => {
  expect(publishWireBytes(topic, 0, 0)).toBe(2 + 2 + 35 + 22 + 52 + 52);
});

test('pings each minute make 8.8 MB in 30 days', () => {
  expect((PING_WIRE_BYTES * 30 * 1440) / 1e6).toBeCloseTo(8.8, 1);
});

test('the answer to QoS 1 acknowledges the message by the way', () => {
  expect(publishWireBytes(topic, 0, 1) - publishWireBytes(topic, 0, 0)).toBe(2 + 4 + 22 + 52);
});

test('a large payload has a record each 16 kB, and an acknowledgement for each two segments', () => {
  const payload = 20_000;
  const bytes = payload + 1 + 3 + 2 + 35 + 2 * 22;
  const segments = Math.ceil(bytes / 1448);
  expect(publishWireBytes(topic, payload, 0)).toBe(bytes + (segments + Math.ceil(segments / 2)) * 52);
});
