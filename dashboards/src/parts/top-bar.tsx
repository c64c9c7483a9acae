import { LANGUAGES } from '#texts/language.js';
import { useApp } from '../app.js';
import { isUnacknowledged } from '../model/alarms.js';
import { hashOf } from '../model/route.js';
import { LinkChip } from './link-chip.js';

const SHORT = { en: 'EN', ru: 'РУ', tg: 'ТҶ' } as const;
const FULL = { en: 'English', ru: 'Русский', tg: 'Тоҷикӣ' } as const;

export function TopBar() {
  const { texts } = useApp();
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label={`Oftob: ${texts.value.app.fleet}`}>
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
          <circle cx="12" cy="8.5" r="4.5" />
          <path d="M2 17c2.5-2.2 4.2-2.2 6.7 0s4.2 2.2 6.7 0 4.2-2.2 6.6 0M2 21.5c2.5-2.2 4.2-2.2 6.7 0s4.2 2.2 6.7 0 4.2-2.2 6.6 0" />
        </svg>
        <span>Oftob</span>
      </a>
      <Tabs />
      <LanguageSwitch />
      <LinkChip />
    </header>
  );
}

/** On a phone the same list stands at the lower edge, under the thumb. */
function Tabs() {
  const { texts, route, live } = useApp();
  const waiting = [...live.value.alarms.values()].filter(isUnacknowledged).length;
  const { page } = route.value;
  const { playground } = live.value;
  const { app: words } = texts.value;
  const current = (is: boolean): { 'aria-current'?: 'page' } => (is ? { 'aria-current': 'page' } : {});
  return (
    <nav class="tabs">
      <a href={hashOf({ page: 'fleet' })} {...current(page === 'fleet' || page === 'post')}>
        {words.fleet}
      </a>
      <a href={hashOf({ page: 'alarms' })} {...current(page === 'alarms')}>
        {words.alarms}
        {waiting > 0 && (
          <span class="count" title={texts.value.fleet.toAcknowledge(waiting)}>
            {waiting}
          </span>
        )}
      </a>
      <a href={`/impact?lang=${texts.value.language}`}>{words.impact}</a>
      {playground !== null && <a href={`${playground}?lang=${texts.value.language}`}>{words.playground}</a>}
    </nav>
  );
}

function LanguageSwitch() {
  const { texts, chooseLanguage } = useApp();
  return (
    <fieldset class="languages">
      <legend class="sr-only">{texts.value.app.language}</legend>
      {LANGUAGES.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          title={FULL[language]}
          aria-pressed={texts.value.language === language}
          onClick={() => chooseLanguage(language)}
        >
          {SHORT[language]}
        </button>
      ))}
    </fieldset>
  );
}
