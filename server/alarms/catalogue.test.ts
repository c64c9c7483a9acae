import { expect, test } from 'vitest';
import { alarmText, textsOf } from '#texts/catalogue.js';
import { parseCatalogue, readCatalogue } from './catalogue.js';

const catalogue = () => structuredClone(readCatalogue());

test('every rule of the catalogue has its words in English', () => {
  for (const { id } of readCatalogue().rules) expect(alarmText(textsOf('en').alarms, id)?.action).toBeTruthy();
});

test('a rule with an unknown field, direction or priority is refused with its place', () => {
  const broken = catalogue() as { rules: Record<string, unknown>[] };
  broken.rules[2]!.priority = 9;
  broken.rules[3]!.colour = 'red';
  const parsed = parseCatalogue(broken);
  expect(parsed.ok).toBe(false);
  expect(JSON.stringify(parsed)).toMatch(/rules\/2\/priority/);
  expect(JSON.stringify(parsed)).toMatch(/colour/);
});

test('a parent stands above its children, so that nothing can silence itself', () => {
  const broken = catalogue();
  broken.rules.reverse();
  expect(parseCatalogue(broken)).toMatchObject({
    ok: false,
    fault: expect.arrayContaining([{ path: '/rules/5/parents', message: expect.stringContaining('pumpDryRun') }]),
  });
});

test('an increase needs a counter, and a list of states a state', () => {
  const broken = catalogue();
  for (const { test } of broken.rules) {
    if (test.kind === 'increase') test.metrics = ['gateway.outboxFill'];
    if (test.kind === 'state') test.metric = 'gateway.outboxFill';
  }
  expect(JSON.stringify(parseCatalogue(broken)).match(/outboxFill\\" is a gauge/g)).toHaveLength(3);
});

test('a limit needs a number to compare, and a metric that exists', () => {
  const broken = catalogue();
  const [, , critical, low] = broken.rules;
  Object.assign(critical!.test, { metric: 'battery.state' });
  Object.assign(low!.test, { metric: 'battery.charge' });
  expect(parseCatalogue(broken)).toMatchObject({
    ok: false,
    fault: [
      { path: '/rules/2/test/metric', message: '"battery.state" is a state' },
      { path: '/rules/3/test/metric', message: 'there is no metric "battery.charge"' },
    ],
  });
});
