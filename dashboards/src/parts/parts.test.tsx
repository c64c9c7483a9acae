import type { ComponentChildren } from 'preact';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import type { LiveMessage } from '#contract/live.js';
import type { AlarmView } from '#contract/view.js';
import { textsOf } from '#texts/catalogue.js';
import { type App, AppProvider, createApp } from '../app.js';
import { applyMessage } from '../model/live-state.js';
import { AlarmsPage } from '../pages/alarms.js';
import { FleetPage } from '../pages/fleet.js';
import { PostPage } from '../pages/post.js';
import { alarm, figure, NOW, post, snapshot } from '../samples.suite.js';
import { LinkChip, LinkNotice } from './link-chip.js';

const plain = (text: string | null | undefined): string => (text ?? '').replace(/\u00a0/g, ' ').replace(/\s+/g, ' ');

/** An app whose server answers what the test says. */
function appOf(answers: Record<string, { status?: number; body: unknown }> = {}): {
  app: App;
  requests: { path: string; body: unknown }[];
} {
  const requests: { path: string; body: unknown }[] = [];
  const app = createApp({
    texts: textsOf('en'),
    theme: 'auto',
    rate: 'live',
    route: { page: 'fleet' },
    name: '',
    now: NOW,
    async fetcher(path, init) {
      requests.push({ path, body: init?.body === undefined ? undefined : JSON.parse(String(init.body)) });
      const answer = answers[path];
      if (answer === undefined) throw new TypeError('no network');
      return new Response(JSON.stringify(answer.body), { status: answer.status ?? 200 });
    },
    chooseLanguage: () => {},
    tryNow: () => {},
  });
  return { app, requests };
}

function mount(app: App, children: ComponentChildren): HTMLElement {
  const root = document.createElement('div');
  document.body.append(root);
  act(() => render(<AppProvider value={app}>{children}</AppProvider>, root));
  return root;
}

const tell = (app: App, message: Exclude<LiveMessage, { t: 'error' }>): void => {
  void act(() => {
    app.live.value = applyMessage(app.live.value, message);
  });
};
const settle = () => act(async () => new Promise<void>((resolve) => setImmediate(resolve)));

afterEach(() => {
  document.body.textContent = '';
});

describe('the fleet page', () => {
  it('waits in words, not with zeros', () => {
    const root = mount(appOf().app, <FleetPage />);
    expect(root.textContent).toBe('Waiting for the first data …');
  });

  it('follows the messages of the server', () => {
    const { app } = appOf();
    const root = mount(app, <FleetPage />);
    tell(app, snapshot({ posts: [post('a', { flows: { batterySoc: figure(54), pvPower: figure(1234) } })] }));
    expect(plain(root.querySelector('.post-row')?.textContent)).toContain('54 %');
    expect(plain(root.querySelector('.post-row')?.textContent)).toContain('1.23 kW');
    tell(app, {
      t: 'delta',
      seq: 2,
      now: NOW,
      posts: [post('a', { flows: { batterySoc: figure(53) } })],
      alarms: [],
      values: [],
    });
    expect(plain(root.querySelector('.post-row')?.textContent)).toContain('53 %');
  });

  it('shows a missing value as a dash with its reason', () => {
    const { app } = appOf();
    const root = mount(app, <FleetPage />);
    tell(app, snapshot({ posts: [post('a', { flows: { tankFill: figure(null, 120_000, 33) } })] }));
    const cell = [...root.querySelectorAll('.cell')].find((element) => element.textContent?.startsWith('Tank'));
    expect(plain(cell?.textContent)).toBe('Tank–the device did not answer in time · 2 min ago');
  });

  it('names the alarm of a post in words', () => {
    const { app } = appOf();
    const root = mount(app, <FleetPage />);
    const alarms = { p1: 1, p2: 0, p3: 0, unacknowledged: 1 };
    tell(app, snapshot({ posts: [post('a', { alarms }), post('b')], alarms: [alarm('a/pumpDryRun/pump')] }));
    const [first] = root.querySelectorAll('.post-row');
    expect(first?.textContent).toContain('Pump runs dry');
    expect(first?.querySelector('.badge')?.getAttribute('aria-label')).toBe('priority critical');
    expect(first?.querySelector('a')?.getAttribute('href')).toBe('#/posts/a');
  });

  it('speaks the language that was chosen, without a reload', () => {
    const { app } = appOf();
    const root = mount(app, <FleetPage />);
    tell(app, snapshot({ posts: [post('a')] }));
    act(() => {
      app.texts.value = textsOf('tg');
    });
    expect(root.textContent).toContain('Бе бонги хатар');
  });
});

describe('the alarms page', () => {
  const acknowledged: AlarmView = alarm('a/batterySocCritical/inv', {
    state: 'acknowledged',
    acknowledgedBy: 'Zarina',
    acknowledgedAt: NOW,
  });
  const path = '/api/v1/alarms/acknowledge';

  function opened(answers: Parameters<typeof appOf>[0]) {
    const { app, requests } = appOf(answers);
    const root = mount(app, <AlarmsPage />);
    tell(
      app,
      snapshot({
        posts: [post('a')],
        alarms: [alarm('a/batterySocCritical/inv', { value: 13, limit: 15, unit: '%' })],
      }),
    );
    act(() => root.querySelector<HTMLButtonElement>('.alarm > button')?.click());
    const fill = (name: string, value: string): void => {
      void act(() => {
        const field = root.querySelector<HTMLInputElement>(`[name=${name}]`)!;
        field.value = value;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
    };
    const submit = async (): Promise<void> => {
      act(() => {
        root.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
      });
      await settle();
    };
    return { app, requests, root, fill, submit };
  }

  it('says what was seen, what it means and what to do first', () => {
    const { root } = opened({});
    const text = plain(root.querySelector('.alarm')?.textContent);
    expect(text).toContain('13 %, limit 15 %');
    expect(text).toContain('Start the genset by hand.');
  });

  it('does not acknowledge without a name', async () => {
    const { root, requests, submit } = opened({});
    await submit();
    expect(root.querySelector('[role=alert]')?.textContent).toBe('Please write your name.');
    expect(requests).toEqual([]);
  });

  it('acknowledges with the name and the comment, and shows who did', async () => {
    const { app, root, requests, fill, submit } = opened({ [path]: { body: { alarm: acknowledged } } });
    fill('by', ' Zarina ');
    fill('comment', 'on my way');
    await submit();
    expect(requests).toEqual([
      { path, body: { alarm: 'a/batterySocCritical/inv', by: 'Zarina', comment: 'on my way' } },
    ]);
    expect(root.textContent).toContain('acknowledged by Zarina');
    expect(root.querySelector('.alarm > button')).toBeNull();
    expect(app.name.value).toBe(' Zarina ');
  });

  it('says in the server’s words why it was refused', async () => {
    const { root, fill, submit } = opened({
      [path]: { status: 409, body: { code: 'ALARM_STATE', message: 'the alarm is over' } },
    });
    fill('by', 'Zarina');
    await submit();
    expect(root.querySelector('[role=alert]')?.textContent).toBe('It was not accepted: the alarm is over');
  });

  it('says that nothing was changed when the server cannot be reached', async () => {
    const { root, fill, submit } = opened({});
    fill('by', 'Zarina');
    await submit();
    expect(root.querySelector('[role=alert]')?.textContent).toContain('Nothing was changed');
    expect(root.textContent).toContain('active, not acknowledged');
  });
});

describe('the link', () => {
  it('keeps the last values, with their age, when the connection is gone', () => {
    const { app } = appOf();
    const root = mount(
      app,
      <>
        <LinkChip />
        <LinkNotice />
        <FleetPage />
      </>,
    );
    tell(app, snapshot({ posts: [post('a', { flows: { batterySoc: figure(54) } })] }));
    act(() => {
      app.link.value = { ...app.link.value, phase: 'live', heardAt: NOW };
    });
    expect(root.querySelector('.notice')).toBeNull();
    act(() => {
      app.link.value = { ...app.link.value, phase: 'waiting', retryAt: NOW + 130_000 };
      app.clock.value = NOW + 120_000;
    });
    expect(plain(root.querySelector('.chip')?.textContent)).toBe('No connectionlast data 2 min ago');
    expect(root.querySelector('.notice')?.textContent).toContain('The last values stay');
    expect(plain(root.querySelector('.post-row')?.textContent)).toContain('54 %2 min ago');
    act(() => {
      app.clock.value = NOW + 3_600_000;
    });
    expect(plain(root.querySelector('.post-row')?.textContent)).toContain('54 %old: last value 1 h ago');
  });
});

describe('the page of a post', () => {
  it('draws energy and water and lists the same figures', async () => {
    const { app } = appOf();
    const root = mount(app, <PostPage post="a" />);
    const flows = {
      pvPower: figure(3480),
      loadPower: figure(1980),
      batteryPower: figure(-1400),
      batterySoc: figure(61),
      gensetPower: figure(null, 9000, 36),
    };
    tell(app, snapshot({ view: { page: 'post', post: 'a' }, posts: [post('a', { flows })] }));
    await settle();
    expect(plain(root.querySelector('svg.flow')?.textContent)).toContain('3.48 kW');
    expect(plain(root.querySelector('.readings')?.textContent)).toContain(
      'Genset–no connection to the device’s bus · 9 s ago',
    );
    expect(plain(root.textContent)).toContain('charging');
  });

  it('says that a post does not exist', () => {
    const { app } = appOf();
    const root = mount(app, <PostPage post="nowhere" />);
    act(() => {
      app.link.value = {
        ...app.link.value,
        phase: 'live',
        problem: { t: 'error', code: 'LIVE_POST_UNKNOWN', message: '' },
      };
    });
    expect(root.textContent).toBe('The server knows no post of this name.');
  });
});
