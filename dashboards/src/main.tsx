// Composition root of the window: the real clock, socket and storage, and the signals that everything hangs on.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { en } from '#texts/en.js';
import { isLanguage, type Language } from '#texts/language.js';
import { loadTexts } from '#texts/load.js';
import { type App, AppProvider, createApp, RATES, type Rate, THEMES, type Theme } from './app.js';
import { browserClock, browserScheduler, connectBrowserSocket } from './live/browser.js';
import { HEARTBEAT_MS } from './live/heartbeat.js';
import { type Link, openLink } from './live/link.js';
import { applyMessage } from './model/live-state.js';
import { routeOf, viewOf } from './model/route.js';
import { Window } from './window.js';

/** A hidden screen costs bytes and tells nobody anything. */
const HIDDEN_MS = 60_000;
const TICK_MS = 1000;

/** Kept in this browser; one that keeps nothing (private mode) works all the same. */
const storage = {
  read(key: string): string | null {
    try {
      return localStorage.getItem(`oftob.${key}`);
    } catch {
      return null;
    }
  },
  write(key: string, value: string): void {
    try {
      localStorage.setItem(`oftob.${key}`, value);
    } catch {
      // Nothing is lost but the memory of a choice.
    }
  },
};

function oneOf<T extends string>(values: readonly T[], value: string | null, otherwise: T): T {
  return values.find((known) => known === value) ?? otherwise;
}

function keepChoices(app: App): void {
  effect(() => storage.write('name', app.name.value));
  effect(() => storage.write('rate', app.rate.value));
  effect(() => {
    const theme = app.theme.value;
    storage.write('theme', theme);
    if (theme === 'auto') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.setAttribute('data-theme', theme);
  });
  effect(() => {
    const { language } = app.texts.value;
    storage.write('language', language);
    document.documentElement.lang = language;
  });
}

function followAddress(app: App): void {
  addEventListener('hashchange', () => {
    app.route.value = routeOf(location.hash);
    scrollTo(0, 0);
  });
  effect(() => {
    const { route, texts, live } = app;
    const current = route.value;
    const post = current.page === 'post' ? (live.value.posts.get(current.post)?.name ?? current.post) : '';
    const page = current.page === 'alarms' ? texts.value.app.alarms : texts.value.app.fleet;
    document.title = `${post === '' ? page : post} · Oftob`;
  });
}

/** Closes the socket of a screen that nobody has looked at for a minute, and ticks only for eyes. */
function followEyes(app: App, link: Link): void {
  let cancelPause = (): void => {};
  let cancelTick = (): void => {};
  const tick = (): void => {
    app.clock.value = browserClock.now();
    cancelTick = browserScheduler.after(TICK_MS, tick);
  };
  const look = (): void => {
    cancelPause();
    cancelTick();
    if (document.visibilityState === 'hidden') {
      cancelPause = browserScheduler.after(HIDDEN_MS, () => link.pause());
      return;
    }
    tick();
    link.resume();
  };
  document.addEventListener('visibilitychange', look);
  addEventListener('online', () => link.tryNow());
  look();
}

async function start(): Promise<void> {
  const kept = storage.read('language');
  const language: Language = isLanguage(kept) ? kept : 'en';
  let link: Link | undefined;
  const app = createApp({
    texts: await loadTexts(language).catch(() => en),
    theme: oneOf<Theme>(THEMES, storage.read('theme'), 'auto'),
    rate: oneOf(Object.keys(RATES) as Rate[], storage.read('rate'), 'live'),
    route: routeOf(location.hash),
    name: storage.read('name') ?? '',
    now: browserClock.now(),
    fetcher: (path, init) => fetch(path, init),
    tryNow: () => link?.tryNow(),
    chooseLanguage(chosen) {
      loadTexts(chosen).then(
        (texts) => {
          app.texts.value = texts;
        },
        // Offline: the words cannot come now. The screen stays as it is, and the link's state says why.
        () => {},
      );
    },
  });
  keepChoices(app);
  followAddress(app);
  link = openLink(
    {
      connect: connectBrowserSocket,
      clock: browserClock,
      scheduler: browserScheduler,
      random: Math.random,
      heartbeatMs: HEARTBEAT_MS,
      onMessage(message) {
        app.live.value = applyMessage(app.live.value, message);
      },
      onStatus(status) {
        app.link.value = status;
      },
    },
    viewOf(app.route.value),
    RATES[app.rate.value],
  );
  const opened = link;
  effect(() => opened.show(viewOf(app.route.value)));
  effect(() => opened.setPeriod(RATES[app.rate.value]));
  followEyes(app, opened);
  const root = document.getElementById('app');
  if (root === null) throw new Error('index.html has no #app');
  render(
    <AppProvider value={app}>
      <Window />
    </AppProvider>,
    root,
  );
}

void start();
