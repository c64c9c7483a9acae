import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import type { PostSummary } from '#contract/view.js';
import { textsOf } from '#texts/catalogue.js';
import { type App, AppProvider, createApp } from '../app.js';
import type { PostDetail } from '../model/live-state.js';
import { NOW, post } from '../samples.suite.js';
import { Delivery } from './delivery.js';

const plain = (text: string | null | undefined): string => (text ?? '').replace(/\u00a0/g, ' ').replace(/\s+/g, ' ');

/** A post whose gateway tells these metrics of itself. */
function detailOf(values: Record<string, number | string | null>): PostDetail {
  const names = Object.keys(values);
  return {
    post: 'a',
    devices: [{ id: 'gateway', kind: 'gateway', pollPeriodMs: 60_000 }],
    metrics: names.map((metric, id) => ({
      id,
      device: 'gateway',
      metric,
      kind: 'gauge',
      ...(metric === 'gateway.outboxCapacity' && { unit: 's' as const }),
      ...(metric === 'gateway.outboxFill' && { unit: '%' as const }),
      staleAfterMs: 420_000,
    })),
    facts: null,
    values: new Map(
      names.map((metric, id) => [
        id,
        { value: values[metric] ?? null, code: values[metric] === null ? 40 : 0, at: NOW - 1000 },
      ]),
    ),
    traces: {},
  };
}

interface Asked {
  readonly path: string;
  readonly body: unknown;
}

function open(
  values: Record<string, number | string | null>,
  summary: Partial<PostSummary> = {},
  answer: { status?: number; body: unknown } = { body: { at: NOW, state: 'waiting' } },
): { app: App; root: HTMLElement; asked: Asked[] } {
  const asked: Asked[] = [];
  const app = createApp({
    texts: textsOf('en'),
    theme: 'auto',
    rate: 'live',
    route: { page: 'post', post: 'a' },
    name: '',
    now: NOW,
    async fetcher(path, init) {
      asked.push({ path, body: JSON.parse(String(init?.body)) });
      return new Response(JSON.stringify(answer.body), { status: answer.status ?? 200 });
    },
    chooseLanguage: () => {},
    tryNow: () => {},
  });
  const root = document.createElement('div');
  document.body.append(root);
  act(() =>
    render(
      <AppProvider value={app}>
        <Delivery summary={post('a', summary)} detail={detailOf(values)} zone="Asia/Dushanbe" />
      </AppProvider>,
      root,
    ),
  );
  return { app, root, asked };
}
const settle = () => act(async () => new Promise<void>((resolve) => setImmediate(resolve)));
const button = (root: HTMLElement, text: string): HTMLButtonElement => {
  const found = [...root.querySelectorAll('button')].find((one) => one.textContent?.startsWith(text));
  if (found === undefined) throw new Error(`no button "${text}"`);
  return found;
};
const type = (root: HTMLElement, selector: string, value: string): void => {
  const input = root.querySelector<HTMLInputElement>(selector)!;
  act(() => {
    input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
};
async function submit(root: HTMLElement): Promise<void> {
  act(() => void root.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })));
  await settle();
}

afterEach(() => {
  document.body.textContent = '';
});

describe('what a gateway tells of its delivery', () => {
  it('stands in words, with how long the free part of the outbox lasts', () => {
    const { root } = open({
      'gateway.outboxRecords': 12,
      'gateway.outboxFill': 25,
      'gateway.outboxCapacity': 40 * 86_400,
      'gateway.samplesExpired': 7,
      'gateway.recordsExpired': 1,
      'gateway.clockQuality': 'unsynchronised',
      'gateway.budgetUsed': null,
    });
    const text = plain(root.textContent);
    expect(text).toContain('Records waiting12');
    expect(text).toContain('40 d');
    expect(text).toContain('about 30 d left without a link');
    expect(text).toContain('Samples expired7');
    expect(text).not.toContain('Records expired');
    expect(text).toContain('not set since the start');
    expect(text).toContain('Data budget used–a part that it is made of is missing');
  });

  it('is said to be unknown where it tells nothing', () => {
    expect(plain(open({}).root.textContent)).toContain('This gateway does not tell how its delivery goes.');
  });
});

describe('a person asks the post', () => {
  it('to send again since a day of the post, with a name', async () => {
    const { root, asked } = open({});
    act(() => button(root, 'Send again').click());
    await submit(root);
    expect(root.querySelector('[role=alert]')?.textContent).toBe('Please write your name.');
    type(root, 'input[name=by]', ' Zarina ');
    type(root, 'input[name=since]', '2026-11-01');
    await submit(root);
    expect(root.querySelector('[role=alert]')?.textContent).toBe('Please choose a day of the last 7.');
    expect(asked).toEqual([]);
    type(root, 'input[name=since]', '2026-11-22');
    await submit(root);
    expect(asked).toEqual([
      { path: '/api/v1/posts/a/replay', body: { since: Date.UTC(2026, 10, 21, 19), by: 'Zarina' } },
    ]);
    expect(root.querySelector('[role=status]')?.textContent).toContain('asked as soon as it comes');
    expect(root.querySelector('form')).toBeNull();
  });

  it('to send again what was refused', async () => {
    const { root, asked } = open({}, {}, { body: { at: NOW, state: 'sent' } });
    act(() => button(root, 'Send refused').click());
    expect(root.querySelector('input[name=since]')).toBeNull();
    type(root, 'input[name=by]', 'Zarina');
    await submit(root);
    expect(asked).toEqual([{ path: '/api/v1/posts/a/replay', body: { deadLetters: true, by: 'Zarina' } }]);
    expect(root.querySelector('[role=status]')?.textContent).toBe('The post has been asked.');
  });

  it('and reads why it was not accepted', async () => {
    const body = { code: 'REGISTRY_FAULT', message: 'the disk is full' };
    const { root } = open({}, {}, { status: 503, body });
    act(() => button(root, 'Send refused').click());
    type(root, 'input[name=by]', 'Zarina');
    await submit(root);
    expect(root.querySelector('[role=alert]')?.textContent).toBe('It was not accepted: the disk is full');
    expect(root.querySelector('form')).not.toBeNull();
  });
});

describe('a post whose gateway is in doubt', () => {
  const identity = { kinds: ['keyChanged', 'twoGateways'] as const, since: NOW - 7_200_000, lastAt: NOW, keys: 2 };

  it('says what is seen, and that nothing is lost', () => {
    const { root } = open({}, { identity: { ...identity, kinds: [...identity.kinds] } });
    const text = plain(root.querySelector('.problem')?.textContent);
    expect(text).toContain('A gateway with another key sends under this name.');
    expect(text).toContain('Two gateways send under this name in turn.');
    expect(text).toContain('since 2 h ago · keys heard: 2 · The data of all of them is stored.');
  });

  it('is accepted by a person with a name', async () => {
    const { root, asked } = open(
      {},
      { identity: { ...identity, kinds: [...identity.kinds] } },
      { body: { cleared: ['keyChanged'] } },
    );
    act(() => button(root, 'Accept this gateway').click());
    type(root, 'input[name=by]', 'Zarina');
    await submit(root);
    expect(asked).toEqual([{ path: '/api/v1/posts/a/identity/accept', body: { by: 'Zarina' } }]);
    expect(root.querySelector('[role=status]')?.textContent).toBe('Accepted.');
  });
});
