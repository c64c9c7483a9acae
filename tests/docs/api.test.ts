// The requests of docs/api.md, run as they stand there, and what openapi.json says of every route.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PROFILES_FOLDER } from '#cli/places.js';
import { createMemoryStore } from '#tests/support/memory-store.js';
import { closeAll, configOf, gateway, running } from '../api/running-server.js';
import { ROOT } from '../house/source-files.js';

const document = readFileSync(join(ROOT, 'docs', 'api.md'), 'utf8');
const requests = [...document.matchAll(/```http\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly schema?: object; readonly description?: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
}
let url: string;
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;

beforeAll(async () => {
  const store = createMemoryStore();
  const from = Date.UTC(2026, 4, 31, 19);
  const points = Array.from({ length: 2 * 1440 + 1 }, (_, i) => ({ at: from + i * 60_000, value: i, code: 0 }));
  for (const metric of ['load.power', 'load.energy'])
    await store.write(points.map((point) => ({ post: 'kyzyl-art', device: 'meter-1', metric, ...point })));
  const server = await running(configOf(), { store, textsFolder: PROFILES_FOLDER });
  await gateway(server);
  url = server.url;
  await vi.waitFor(async () => {
    const post = (await (await fetch(`${url}/api/v1/posts/kyzyl-art`)).json()) as { devices?: object[] };
    expect(post.devices).toHaveLength(1);
  });
  paths = ((await (await fetch(`${url}/api/openapi.json`)).json()) as { paths: typeof paths }).paths;
});
afterAll(closeAll);

test.each(requests)('%s', async (request) => {
  const [, method = '', path = '', body] = /^(\w+) (\S+)(?: (.*))?$/.exec(request) ?? [];
  const sent = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}${path}`, { method, ...sent });
  const text = await answer.text();
  expect(answer.ok, text).toBe(true);
  expect(text.length > 1 || answer.status === 204).toBe(true);
});

describe('what openapi.json tells', () => {
  const routes = (): { route: string; operation: Operation }[] =>
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
    );

  test('of every route: a sentence, and the form of its faults', () => {
    expect(routes().length).toBeGreaterThan(20);
    for (const { operation, route } of routes()) {
      expect(operation.summary, route).toMatch(/^[A-Z“`].{10,}/);
      expect(operation.responses, route).toHaveProperty('4XX');
    }
  });

  test('nothing that the document does not show, and nothing less', () => {
    const shown = document.replaceAll('kyzyl-art', '{post}').replaceAll('counter-events/1', 'counter-events/{id}');
    const lacking = routes().filter(({ route }) => {
      const [method = '', path = ''] = route.split(' ');
      return !shown.includes(`${method} ${path}`.replace('{maker}/{model}', 'deye/sg04lp3'));
    });
    expect(lacking.map(({ route }) => route)).toEqual([]);
  });
});
