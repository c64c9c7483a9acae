// How the connection to the server stands, always in sight; behind it what a person can change about it.
import { formatAge, formatBytes, formatDuration } from '#texts/format.js';
import { type App, RATES, type Rate, THEMES, type Theme, useApp } from '../app.js';

function chipText(app: App): { readonly main: string; readonly more: string } {
  const { link: words, app: general } = app.texts.value;
  const { phase, heardAt, received } = app.link.value;
  const age =
    heardAt === null ? general.nothingYet : words.lastData(formatAge(app.clock.value - heardAt, app.texts.value));
  if (phase === 'live') return { main: words.live, more: formatBytes(received, app.texts.value) };
  if (phase === 'paused') return { main: words.paused, more: age };
  return { main: phase === 'connecting' ? words.connecting : words.lost, more: heardAt === null ? '' : age };
}

const MARKS: Readonly<Record<string, string>> = {
  live: 'M3 13v-2m6 4V9m6 8V7m6 12V5',
  connecting: 'M5 12h.1M12 12h.1M19 12h.1',
  waiting: 'M5 5l14 14M19 5 5 19',
  paused: 'M8 5v14M16 5v14',
};

export function LinkChip() {
  const app = useApp();
  const { link: words } = app.texts.value;
  const { phase } = app.link.value;
  const { main, more } = chipText(app);
  return (
    <details class="panel">
      <summary class={`chip ${phase}`}>
        <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
          <path d={MARKS[phase]} />
        </svg>
        <span class="chip-main">{main}</span>
        {more !== '' && <span class="chip-more">{more}</span>}
      </summary>
      <div class="panel-body">
        <RetryLine />
        <p class="muted">{words.received(formatBytes(app.link.value.received, app.texts.value))}</p>
        <RateChoice />
        <ThemeChoice />
      </div>
    </details>
  );
}

function RetryLine() {
  const { link, clock, texts, tryNow } = useApp();
  const { retryAt, phase } = link.value;
  if (phase !== 'waiting' || retryAt === null) return null;
  const left = formatDuration(Math.max(0, retryAt - clock.value), texts.value);
  return (
    <p class="retry">
      <span>{texts.value.link.nextTry(left)}</span>
      <button type="button" onClick={tryNow}>
        {texts.value.link.tryNow}
      </button>
    </p>
  );
}

function RateChoice() {
  const { rate, texts } = useApp();
  const { link: words } = texts.value;
  return (
    <label class="choice">
      <span>{words.rate}</span>
      <select
        value={rate.value}
        onChange={(event) => {
          rate.value = event.currentTarget.value as Rate;
        }}
      >
        {(Object.keys(RATES) as Rate[]).map((name) => (
          <option key={name} value={name}>
            {words.rates[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

function ThemeChoice() {
  const { theme, texts } = useApp();
  const { app: words } = texts.value;
  return (
    <label class="choice">
      <span>{words.theme}</span>
      <select
        value={theme.value}
        onChange={(event) => {
          theme.value = event.currentTarget.value as Theme;
        }}
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {words.themes[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Said once, below the bar, when the link is gone: what is on the screen stays, and is old. */
export function LinkNotice() {
  const { link, texts } = useApp();
  const { phase, heardAt } = link.value;
  if (phase !== 'waiting' && !(phase === 'connecting' && heardAt !== null)) return null;
  const { link: words } = texts.value;
  return (
    <p class="notice" role="status">
      {heardAt === null ? words.lost : words.kept} {words.resumesBySelf}
    </p>
  );
}
