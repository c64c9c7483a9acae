// What every part of the window shares: the state as signals, and the few things a person can do.
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { AlarmView } from '#contract/view.js';
import type { Texts } from '#texts/en.js';
import type { Language } from '#texts/language.js';
import { type Fetch, fetchDeviceTexts } from './live/api.js';
import type { LinkStatus } from './live/link.js';
import type { DeviceTexts } from './model/device-texts.js';
import { applyAlarm, type LiveState, NOTHING_KNOWN } from './model/live-state.js';
import type { Route } from './model/route.js';

export const RATES = { live: 250, saver: 30_000, satellite: 120_000 } as const;
export type Rate = keyof typeof RATES;

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export interface App {
  readonly live: Signal<LiveState>;
  readonly link: Signal<LinkStatus>;
  readonly route: Signal<Route>;
  readonly texts: Signal<Texts>;
  readonly theme: Signal<Theme>;
  readonly rate: Signal<Rate>;
  /** Local wall clock, ticking each second while somebody looks. */
  readonly clock: Signal<number>;
  /** Server time, for ages. */
  readonly now: ReadonlySignal<number>;
  /** Server time in steps of five seconds, for judgements that need not be redrawn each second. */
  readonly slowNow: ReadonlySignal<number>;
  readonly fetcher: Fetch;
  readonly chooseLanguage: (language: Language) => void;
  readonly tryNow: () => void;
  /** Keeps a person's name for the next acknowledgement. */
  readonly name: Signal<string>;
  readonly takeAlarm: (alarm: AlarmView) => void;
  /** By profile id; filled by `wantDeviceTexts`. */
  readonly deviceTexts: ReadonlySignal<ReadonlyMap<string, DeviceTexts>>;
  /** Fetches the words of a profile's codes, once. */
  readonly wantDeviceTexts: (profile: string) => void;
}

const SLOW_MS = 5000;

const NOT_CONNECTED: LinkStatus = {
  phase: 'connecting',
  heardAt: null,
  retryAt: null,
  received: 0,
  clockOffsetMs: 0,
  problem: null,
};

export interface AppStart {
  readonly texts: Texts;
  readonly theme: Theme;
  readonly rate: Rate;
  readonly route: Route;
  readonly name: string;
  readonly now: number;
  readonly fetcher: Fetch;
  readonly chooseLanguage: (language: Language) => void;
  readonly tryNow: () => void;
}

export function createApp(start: AppStart): App {
  const live = signal<LiveState>(NOTHING_KNOWN);
  const link = signal<LinkStatus>(NOT_CONNECTED);
  const clock = signal(start.now);
  const deviceTexts = signal<ReadonlyMap<string, DeviceTexts>>(new Map());
  const wanted = new Set<string>();
  const now = computed(() => clock.value + link.value.clockOffsetMs);
  return {
    live,
    link,
    route: signal(start.route),
    texts: signal(start.texts),
    theme: signal(start.theme),
    rate: signal(start.rate),
    clock,
    now,
    slowNow: computed(() => Math.floor(now.value / SLOW_MS) * SLOW_MS),
    fetcher: start.fetcher,
    chooseLanguage: start.chooseLanguage,
    tryNow: start.tryNow,
    name: signal(start.name),
    takeAlarm(alarm) {
      live.value = applyAlarm(live.value, alarm);
    },
    deviceTexts,
    wantDeviceTexts(profile) {
      if (wanted.has(profile)) return;
      wanted.add(profile);
      void fetchDeviceTexts(start.fetcher, profile).then((result) => {
        if (result.ok) deviceTexts.value = new Map([...deviceTexts.value, [profile, result.value]]);
        else if (result.fault.kind === 'unreachable') wanted.delete(profile);
      });
    },
  };
}

const AppContext = createContext<App | null>(null);
export const AppProvider = AppContext.Provider;

/** The app around this part. Parts stand only inside an `AppProvider`. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error('a part stands outside of AppProvider');
  return app;
}
